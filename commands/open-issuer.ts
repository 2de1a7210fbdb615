import { type LocalIssuer, openLocalIssuer } from '#core/access/local-issuer.ts'
import { type Config, ConfigError } from '#core/config.ts'
import type { SecretUse } from '#core/secret/secret-follower.ts'
import type { SecretMembers } from '#core/secret/secret-store.ts'
import { loginSecret, type SecretsByVersion } from './connect-database.ts'

export type OpenIssuer = {
  readonly issuer: LocalIssuer
  /** Its keys, for a process that follows them. */
  readonly use: SecretUse
}

/** The local issuer with the keys in force; undefined where it is off. Throws `ConfigError`, and what the store throws. */
export async function openIssuer(
  config: Config,
  secrets: SecretsByVersion,
): Promise<OpenIssuer | undefined> {
  const { POSTERN_ISSUER: name } = config
  if (name === undefined) return undefined
  const secret = await loginSecret(config, 'POSTERN_ISSUER_KEYS', secrets)
  if (secret === undefined) {
    throw new ConfigError(['POSTERN_ISSUER_KEYS: needs a secret store: set POSTERN_SECRET_STORE'])
  }
  const { version, members } = secret
  const issuer = await openWith(config, { name, members })
  return {
    issuer,
    use: { name: secret.name, version, members, adopt: (next) => issuer.adopt(next) },
  }
}

async function openWith(
  config: Config,
  { name, members }: { readonly name: string; readonly members: SecretMembers },
): Promise<LocalIssuer> {
  try {
    return await openLocalIssuer({
      ...{ name, members },
      ttlSecondsMax: config.POSTERN_ISSUER_TTL_SECONDS,
      jwksMaxAgeSeconds: config.POSTERN_JWKS_MAX_AGE_SECONDS,
    })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    // biome-ignore lint/style/useErrorCause: ConfigError takes no cause; the message says it all.
    throw new ConfigError([
      `POSTERN_ISSUER_KEYS: ${message}; make them with \`postern token issuer-keys\``,
    ])
  }
}
