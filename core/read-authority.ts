import { readFileSync } from 'node:fs'
import { ConfigError } from './config.ts'

/** The certificate authority of a TLS connection, or nothing for the system's roots. */
export function readAuthority(
  variable: 'POSTERN_DATABASE_CA_FILE' | 'POSTERN_REDIS_CA_FILE' | 'POSTERN_VAULT_CA_FILE',
  path: string | undefined,
): { readonly ca?: string } {
  if (path === undefined) return {}
  try {
    return { ca: readFileSync(path, 'utf8') }
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable'
    // biome-ignore lint/style/useErrorCause: its lines are all that is ever shown of a ConfigError.
    throw new ConfigError([`${variable}: cannot be read (${code})`])
  }
}
