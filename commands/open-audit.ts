import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type LogKeys, LogKeysError, parseLogKeys } from '#core/audit/note/log-keys.ts'
import { parsePolicy, type WitnessPolicy } from '#core/audit/note/policy.ts'
import { generateSignerKey } from '#core/audit/note/signer.ts'
import { parseVerifierKey, type VerifierKey } from '#core/audit/note/verifier-key.ts'
import { openTileSource } from '#core/audit/store/open-tile-store.ts'
import type { TileSource } from '#core/audit/store/tile-source.ts'
import { type Config, ConfigError } from '#core/config.ts'
import { resolveCredential } from '#core/secret/resolve-credential.ts'
import type { SecretReader } from '#core/secret/secret-reader.ts'
import type { VerifiedLog } from '#workers/verify-audit.ts'
import { keepDevelopmentFile } from './development-file.ts'
import { required } from './require-settings.ts'

/** What makes one audit log: its name, who signs it, where it is published, who watches it. */
export type AuditSettings = {
  readonly origin: string
  /** Those in force: they may change while the process runs. */
  readonly keys: () => LogKeys
  /** A directory, or `s3://bucket/prefix`. */
  readonly store: string
  readonly storeOptions: ReturnType<typeof storeOptions>
  readonly policy: WitnessPolicy | undefined
}

/** How S3 is reached and for how long it locks. */
export function storeOptions(config: Config) {
  return {
    retentionDays: config.POSTERN_AUDIT_RETENTION_DAYS,
    endpoint: config.POSTERN_AUDIT_S3_ENDPOINT,
  }
}

/** The published log as a gateway reads it; undefined where none is named. */
export async function openPublished(config: Config): Promise<TileSource | undefined> {
  const { POSTERN_AUDIT_STORE: store } = config
  return store === undefined ? undefined : await openTileSource(store, storeOptions(config))
}

/** The published log with the keys to verify it by; undefined where one of the two is not named. */
export async function openVerifiedLog(config: Config): Promise<VerifiedLog | undefined> {
  const { POSTERN_AUDIT_VERIFIER_KEYS: path } = config
  if (path === undefined) return undefined
  const logKeys = await readVerifierKeys(path)
  const source = await openPublished(config)
  return source && { source, logKeys }
}

/** One key a line; lines that begin with # say something to people. */
async function readVerifierKeys(path: string): Promise<readonly VerifierKey[]> {
  try {
    const lines = (await readFile(path, 'utf8')).split('\n').map((line) => line.trim())
    const keys = lines.filter((line) => line !== '' && !line.startsWith('#'))
    if (keys.length === 0) throw new Error('holds no key')
    return keys.map(parseVerifierKey)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    // biome-ignore lint/style/useErrorCause: a configuration problem is one line.
    throw new ConfigError([`POSTERN_AUDIT_VERIFIER_KEYS: ${reason}`])
  }
}

/** Whether `run` sequences: always in production, on a laptop where the log has a name. */
export function isSequenced(config: Config): boolean {
  return config.POSTERN_MODE !== 'development' || config.POSTERN_AUDIT_ORIGIN !== undefined
}

/** What a process that sequences cannot do without. */
export const auditSettings = [
  'POSTERN_AUDIT_ORIGIN',
  'POSTERN_AUDIT_KEYS',
  'POSTERN_AUDIT_STORE',
] as const satisfies readonly (keyof Config)[]

/** Reads the settings and what they refer to; throws `ConfigError`, and what the secret store throws. */
export async function openAuditSettings(
  config: Config,
  secrets: SecretReader | undefined,
): Promise<AuditSettings> {
  const origin = required(config, 'POSTERN_AUDIT_ORIGIN')
  const text = await resolveCredential(secrets, required(config, 'POSTERN_AUDIT_KEYS'))
  const keys = logKeysOf(text, origin)
  return {
    origin,
    keys: () => keys,
    store: required(config, 'POSTERN_AUDIT_STORE'),
    storeOptions: storeOptions(config),
    policy: await readPolicy(config.POSTERN_AUDIT_POLICY),
  }
}

/** For `up`: what is not set is made once and kept in the data directory. */
export async function openDevelopmentAudit(
  config: Config,
  secrets: SecretReader | undefined,
): Promise<AuditSettings> {
  const origin = config.POSTERN_AUDIT_ORIGIN ?? 'localhost/postern/audit'
  const directory = join(config.POSTERN_DATA_DIRECTORY, 'audit')
  const text =
    config.POSTERN_AUDIT_KEYS === undefined
      ? await keepDevelopmentFile(
          join(config.POSTERN_DATA_DIRECTORY, 'audit-key'),
          () => generateSignerKey(origin, 'ed25519').signerKey,
        )
      : await resolveCredential(secrets, config.POSTERN_AUDIT_KEYS)
  const keys = logKeysOf(text, origin)
  return {
    origin,
    keys: () => keys,
    store: config.POSTERN_AUDIT_STORE ?? directory,
    storeOptions: storeOptions(config),
    policy: await readPolicy(config.POSTERN_AUDIT_POLICY),
  }
}

/** Of the log of that name. Throws `ConfigError`, which never repeats what it was given. */
export function logKeysOf(text: string, origin: string): LogKeys {
  try {
    const keys = parseLogKeys(text)
    if (keys.signers[0]?.key.name === origin) return keys
    throw new LogKeysError(
      `line 1: not a log key of the name ${origin}; ` +
        'make one with `postern witness keygen --type log`',
    )
  } catch (error) {
    if (!(error instanceof LogKeysError)) throw error
    // biome-ignore lint/style/useErrorCause: a configuration problem is one line.
    throw new ConfigError([`POSTERN_AUDIT_KEYS: ${error.message}`])
  }
}

async function readPolicy(path: string | undefined): Promise<WitnessPolicy | undefined> {
  if (path === undefined) return undefined
  try {
    return parsePolicy(await readFile(path, 'utf8'))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    // biome-ignore lint/style/useErrorCause: a configuration problem is one line.
    throw new ConfigError([`POSTERN_AUDIT_POLICY: ${reason}`])
  }
}
