import { access, constants, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { openTileSource } from '#core/audit/store/open-tile-store.ts'
import type { Config } from '#core/config.ts'
import { type AskSecrets, type Check, type Finding, fail, ok, warn } from './doctor-check.ts'
import { auditSettings, openAuditSettings, openVerifiedLog, storeOptions } from './open-audit.ts'

/** The signed log: its name and keys, and the place where it is published. */
export function auditChecks(config: Config, secrets: AskSecrets): readonly Check[] {
  return [
    { name: 'audit log', run: () => checkLog(config, secrets) },
    { name: 'audit store', run: () => checkStore(config) },
    { name: 'verifier keys', run: () => checkVerifierKeys(config) },
  ]
}

async function checkLog(config: Config, secrets: AskSecrets): Promise<Finding> {
  const missing = auditSettings.filter((name) => config[name] === undefined)
  if (missing.length === auditSettings.length) {
    if (config.POSTERN_MODE === 'development') return ok('off')
    return warn(
      'no process with these settings signs it, and `postern run` needs it',
      `set ${auditSettings.join(', ')} where \`run\` or \`audit sequence\` runs`,
    )
  }
  // A gateway reads the published log and signs nothing.
  const isReader = config.POSTERN_AUDIT_KEYS === undefined
  if (isReader && config.POSTERN_AUDIT_STORE !== undefined) return ok('read, not signed')
  if (missing.length > 0) return fail(`${missing.join(', ')} not set`, `set ${missing.join(', ')}`)
  const { origin, keys } = await openAuditSettings(config, secrets()?.reader)
  return ok(`${origin}, ${keys().signers.length} key(s) sign`)
}

async function checkStore(config: Config): Promise<Finding> {
  const { POSTERN_AUDIT_STORE: place, POSTERN_AUDIT_KEYS: keys } = config
  if (place === undefined) return ok('none')
  if (place.startsWith('s3:')) return await checkBucket(config, place)
  const uid = process.getuid?.() ?? 0
  const asked = await nearestPlace(resolve(place))
  if (!(await stat(asked)).isDirectory()) {
    return fail(`${asked} is no directory`, 'name a directory in POSTERN_AUDIT_STORE')
  }
  const needed = keys === undefined ? constants.R_OK : constants.W_OK
  const isGood = await access(asked, needed).then(
    () => true,
    () => false,
  )
  if (!isGood) {
    const verb = keys === undefined ? 'read' : 'written'
    return fail(
      `${asked} cannot be ${verb} by uid ${uid}`,
      `make it: install -d -m 750 -o ${uid} ${place}`,
    )
  }
  return ok(asked === resolve(place) ? `${place} is there` : `${place} will be made`)
}

/** The path itself, or what is there of the way to it. */
async function nearestPlace(path: string): Promise<string> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  )
  return isThere ? path : await nearestPlace(dirname(path))
}

async function checkBucket(config: Config, place: string): Promise<Finding> {
  try {
    const source = await openTileSource(place, storeOptions(config))
    const checkpoint = await source.read('checkpoint')
    return ok(checkpoint === undefined ? `${place}, empty yet` : `${place} holds a log`)
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return fail(
      `${place}: ${detail}`,
      'give the role of this workload s3:GetObject and s3:PutObject',
    )
  }
}

async function checkVerifierKeys(config: Config): Promise<Finding> {
  if (config.POSTERN_AUDIT_VERIFIER_KEYS === undefined) {
    return ok('none: workers verify nothing at night')
  }
  const verified = await openVerifiedLog(config)
  if (verified === undefined) {
    return warn('set, and POSTERN_AUDIT_STORE is not', 'set POSTERN_AUDIT_STORE too')
  }
  return ok(`${verified.logKeys.length}`)
}
