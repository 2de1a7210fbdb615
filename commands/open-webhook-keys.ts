import type { Config } from '#core/config.ts'
import { resolveCredential } from '#core/secret/resolve-credential.ts'
import type { SecretUse } from '#core/secret/secret-follower.ts'
import { webhookKeysIn } from '#core/secret/webhook-keys.ts'
import { loginSecret } from './connect-database.ts'
import type { RecordedSecrets } from './recorded-secrets.ts'

export type WebhookKeys = {
  /** Those in force, newest first. */
  readonly keys: () => readonly string[]
  /** Undefined for a literal. */
  readonly use: SecretUse | undefined
}

/** Undefined where no key is set. Throws what the store throws. */
export async function openWebhookKeys(
  config: Config,
  recorded: RecordedSecrets,
): Promise<WebhookKeys | undefined> {
  const { POSTERN_WEBHOOK_KEY: setting } = config
  if (setting === undefined) return undefined
  const secret = await loginSecret(config, 'POSTERN_WEBHOOK_KEY', recorded)
  if (secret === undefined) {
    const key = await resolveCredential(recorded.secrets, setting)
    return { keys: () => [key], use: undefined }
  }
  const { member } = secret
  let keys = webhookKeysIn(secret.members, member)
  const adopt: SecretUse['adopt'] = (members) => {
    if (members[member] === undefined) throw new Error(`the new version has no member ${member}`)
    keys = webhookKeysIn(members, member)
    return Promise.resolve()
  }
  return { keys: () => keys, use: { ...secret, adopt } }
}
