import { type Config, ConfigError } from '#core/config.ts'
import { resolveCredential } from '#core/secret/resolve-credential.ts'
import type { SecretStore } from '#core/secret/secret-store.ts'

export type ListenerTls = {
  /** PEM. */
  readonly certificate: string
  readonly key: string
  /** PEM; when set, clients must present a certificate that chains to it. */
  readonly clientCa: string | undefined
}

/** TLS of the listener, or undefined when none is configured. */
export async function listenerTls(
  config: Config,
  secrets: SecretStore | undefined,
): Promise<ListenerTls | undefined> {
  const { POSTERN_TLS_CERTIFICATE, POSTERN_TLS_KEY, POSTERN_TLS_CLIENT_CA } = config
  if (POSTERN_TLS_CERTIFICATE === undefined && POSTERN_TLS_KEY === undefined) {
    if (POSTERN_TLS_CLIENT_CA === undefined) return undefined
    throw new ConfigError(['POSTERN_TLS_CLIENT_CA: needs POSTERN_TLS_CERTIFICATE and its key'])
  }
  if (POSTERN_TLS_CERTIFICATE === undefined || POSTERN_TLS_KEY === undefined) {
    throw new ConfigError([
      'POSTERN_TLS_CERTIFICATE: needs POSTERN_TLS_KEY, and the other way round',
    ])
  }
  return {
    certificate: await resolveCredential(secrets, POSTERN_TLS_CERTIFICATE),
    key: await resolveCredential(secrets, POSTERN_TLS_KEY),
    clientCa:
      POSTERN_TLS_CLIENT_CA === undefined
        ? undefined
        : await resolveCredential(secrets, POSTERN_TLS_CLIENT_CA),
  }
}
