import type { AuditLog } from '#core/audit/audit-log.ts'
import type { LogKeys } from '#core/audit/note/log-keys.ts'
import { formatVerifierKey } from '#core/audit/note/verifier-key.ts'
import { systemRecord } from '#core/audit/record.ts'
import type { Config } from '#core/config.ts'
import type { Log } from '#core/log.ts'
import type { SecretUse } from '#core/secret/secret-follower.ts'
import { type LoginSecret, loginSecret } from './connect-database.ts'
import { type AuditSettings, logKeysOf } from './open-audit.ts'
import type { RecordedSecrets } from './recorded-secrets.ts'

/** Keys of a log that are replaced while it is sequenced, between two batches. */
export type LiveLogKeys = {
  readonly keys: () => LogKeys
  readonly origin: string
  readonly secret: LoginSecret
  /** Throws `ConfigError`, with those in use that were, for what are no keys of this log. */
  replace(text: string): LogKeys
}

/** Undefined for a literal. */
export async function openLiveLogKeys(
  config: Config,
  { origin }: AuditSettings,
  recorded: RecordedSecrets,
): Promise<LiveLogKeys | undefined> {
  const secret = await loginSecret(config, 'POSTERN_AUDIT_KEYS', recorded)
  if (secret === undefined) return undefined
  let keys = logKeysOf(secret.members[secret.member] ?? '', origin)
  return {
    ...{ origin, secret, keys: () => keys },
    replace(text) {
      keys = logKeysOf(text, origin)
      return keys
    },
  }
}

/**
 * From the next batch on the new keys sign. The record says so in the log itself: who knows the key
 * before learns the next one from what that key has signed.
 */
export function adoptLogKeys(
  { secret, origin, replace }: LiveLogKeys,
  { audit, log, now }: { readonly audit: AuditLog; readonly log: Log; readonly now: () => Date },
): SecretUse {
  const adopt: SecretUse['adopt'] = async (members) => {
    const keys = signingKeys(replace(members[secret.member] ?? ''))
    log.info('audit.keys_changed', { keys })
    const id = Bun.randomUUIDv7()
    const target = `log/${origin}`
    await audit.append(
      systemRecord({
        ...{ id, type: 'audit.keys_changed', at: now(), target, outcome: 'ok', details: { keys } },
      }),
    )
  }
  return { ...secret, adopt }
}

/** Public: what a verifier has to know of those who sign, newest first. */
export function signingKeys({ signers }: LogKeys): readonly string[] {
  return signers.map(({ key }) => formatVerifierKey(key))
}
