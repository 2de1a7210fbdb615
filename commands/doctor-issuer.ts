import type { Config } from '#core/config.ts'
import { known, type ReadAccess } from './doctor-access.ts'
import type { AskSecrets, Check, Finding } from './doctor-check.ts'
import { openIssuer } from './open-issuer.ts'

/** The local issuer: whether it is on, and whether it can sign and be believed. */
export function issuerChecks(
  config: Config,
  read: ReadAccess,
  secrets: AskSecrets,
): readonly Check[] {
  return [{ name: 'local issuer', run: () => checkIssuer(config, read, secrets) }]
}

async function checkIssuer(
  config: Config,
  read: ReadAccess,
  secrets: AskSecrets,
): Promise<Finding> {
  const open = secrets()
  const local = await openIssuer(config, { secrets: open?.reader, store: open?.store })
  const issuers = (await known(read))?.issuers ?? []
  const trusted = issuers.find(({ keys }) => 'local' in keys)?.issuer
  if (local === undefined) {
    if (trusted === undefined) return { status: 'ok', detail: 'off' }
    return {
      ...{ status: 'fail', detail: `off, and the access file has its keys for ${trusted}` },
      fix: 'set POSTERN_ISSUER and POSTERN_ISSUER_KEYS, or take the issuer out of the access file',
    }
  }
  const { name, published } = local.issuer
  const version = `version ${local.use.version} of ${local.use.name}`
  const detail = `${name} signs with ${version}, ${published().keyIds.length} keys published`
  if (trusted === name) return { status: 'ok', detail }
  const isElsewhere = trusted !== undefined || issuers.some(({ issuer }) => issuer === name)
  return {
    ...{ status: isElsewhere ? 'fail' : 'warn', detail: `${detail}, and no gateway believes it` },
    fix: `give the access file an issuer ${name} with "keys": {"local": true}`,
  }
}
