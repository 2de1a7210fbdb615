import type { AccessRules, IssuerRules } from '#core/access/access-file.ts'
import { fetchKeySet } from '#core/access/fetch-key-set.ts'
import { importKeys } from '#core/access/import-keys.ts'
import { remoteKeySetTimes } from '#core/access/key-set.ts'
import type { Config } from '#core/config.ts'
import { type Check, type Finding, fail, ok, warn } from './doctor-check.ts'
import { required } from './require-settings.ts'

/** The file as it was read, once for all who ask. */
export type ReadAccess = () => Promise<AccessRules>

export function accessChecks(config: Config, read: ReadAccess): readonly Check[] {
  return [
    { name: 'access file', run: () => checkFile(config, read) },
    { name: 'issuer keys', run: async () => await checkKeys(await known(read)) },
  ]
}

/** Undefined where it cannot be read: the check of the file says why. */
export async function known(read: ReadAccess): Promise<AccessRules | undefined> {
  return await read().catch(() => undefined)
}

async function checkFile(config: Config, read: ReadAccess): Promise<Finding> {
  const path = required(config, 'POSTERN_ACCESS_FILE')
  const rules = await read().catch((error: unknown) => {
    const detail = error instanceof Error ? error.message.replaceAll('\n', '; ') : String(error)
    return fail(
      detail,
      `correct ${path} (\`postern access check\`), or make one (\`postern init\`)`,
    )
  })
  if ('status' in rules) return rules
  const { issuers, zones } = rules
  if (issuers.length === 0) return fail('no issuer: nobody can be admitted', `add one to ${path}`)
  const empty = Object.entries(zones).flatMap(([name, cidrs]) => (cidrs.length === 0 ? name : []))
  if (empty.includes('v1')) {
    return fail('zone v1 admits nobody: its list is empty', `add the ranges of callers to ${path}`)
  }
  if (empty.length === 0) return ok(`${issuers.length} issuer(s), every zone has its CIDRs`)
  return warn(
    `zone ${empty.join(', ')} admits nobody`,
    `add a CIDR to ${path}, or leave it closed on purpose`,
  )
}

/** As a gateway fetches them, and whether one of them can verify a token. */
async function checkKeys(rules: AccessRules | undefined): Promise<Finding> {
  const remote = (rules?.issuers ?? []).filter(({ keys }) => 'jwksUrl' in keys)
  if (remote.length === 0) return ok('none is fetched')
  const problems = (await Promise.all(remote.map(keyProblem))).flatMap((problem) => problem ?? [])
  if (problems.length === 0) return ok(`of ${remote.length} issuer(s), fetched`)
  return fail(
    problems.join('; '),
    'correct jwksUrl and algorithms in the access file, or open the way to the issuer',
  )
}

async function keyProblem({ issuer, keys, algorithms }: IssuerRules): Promise<string | undefined> {
  if (!('jwksUrl' in keys)) return undefined
  try {
    const published = await fetchKeySet(keys.jwksUrl, remoteKeySetTimes.timeoutMs)
    const usable = await importKeys(published, algorithms)
    if (usable.size > 0) return undefined
    return `${issuer}: none of its ${published.length} keys is for ${algorithms.join(', ')}`
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    const reason = error instanceof Error ? error.message : String(error)
    return `${issuer}: ${keys.jwksUrl}: ${reason}${code}`
  }
}
