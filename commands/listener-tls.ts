import { createPrivateKey, X509Certificate } from 'node:crypto'
import { type Config, ConfigError } from '#core/config.ts'
import { resolveCredential } from '#core/secret/resolve-credential.ts'
import type { SecretReader } from '#core/secret/secret-reader.ts'
import type { ListenerTls } from '#gateway/listen.ts'

/** TLS of the listener, or undefined when none is configured. */
export async function listenerTls(
  config: Config,
  secrets: SecretReader | undefined,
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
  const clientCa =
    POSTERN_TLS_CLIENT_CA === undefined
      ? undefined
      : await resolveCredential(secrets, POSTERN_TLS_CLIENT_CA)
  const tls = {
    certificate: await resolveCredential(secrets, POSTERN_TLS_CERTIFICATE),
    key: await resolveCredential(secrets, POSTERN_TLS_KEY),
    clientCa,
  }
  refuseUnfit(tls)
  return tls
}

/** What the listener would only refuse in OpenSSL's words. */
function refuseUnfit({ certificate, key, clientCa }: ListenerTls): void {
  const chain = parsePem('POSTERN_TLS_CERTIFICATE', () => new X509Certificate(certificate))
  const privateKey = parsePem('POSTERN_TLS_KEY', () => createPrivateKey(key))
  if (clientCa !== undefined) {
    parsePem('POSTERN_TLS_CLIENT_CA', () => new X509Certificate(clientCa))
  }
  if (chain.checkPrivateKey(privateKey)) return
  throw new ConfigError(['POSTERN_TLS_KEY: is not the key of POSTERN_TLS_CERTIFICATE'])
}

function parsePem<Parsed>(setting: string, parse: () => Parsed): Parsed {
  try {
    return parse()
  } catch {
    // biome-ignore lint/style/useErrorCause: a parser's message may quote what it was given.
    throw new ConfigError([`${setting}: refers to no PEM of its kind`])
  }
}
