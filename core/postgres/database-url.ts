import { ConfigError } from '../config.ts'
import { readAuthority } from '../read-authority.ts'
import { isDecodable, undecodable } from '../url-login.ts'

export type DatabaseOptions = {
  /** `postgres://user:password@host:port/database`, resolved from its reference. */
  readonly url: string
  /** The authority of the server's certificate; without it the system's roots. */
  readonly caFile?: string | undefined
  readonly mode: 'production' | 'development'
}

export type DatabaseAddress = {
  readonly host: string
  readonly port: number
  /** Without what is about TLS. */
  readonly url: string
  /** Present when the server must prove who it is: chain and host name. */
  readonly tls?: { readonly ca?: string }
}

const portDefault = 5432

/**
 * Decides how a database is reached. Throws `ConfigError` for a URL whose server would not be
 * verified: in production anything but `sslmode=verify-full`, which is also the default there.
 */
export function parseDatabaseUrl({ url, caFile, mode }: DatabaseOptions): DatabaseAddress {
  const parsed = URL.parse(url)
  if (parsed === null || !/^postgres(?:ql)?:$/.test(parsed.protocol) || parsed.hostname === '') {
    throw urlProblem('not a URL of the form postgres://user@host:port/database')
  }
  if (!isDecodable(parsed)) throw urlProblem(undecodable)
  const sslMode =
    parsed.searchParams.get('sslmode') ?? (mode === 'production' ? 'verify-full' : 'disable')
  if (parsed.searchParams.has('sslrootcert')) {
    throw urlProblem('sslrootcert is not read; name the authority in POSTERN_DATABASE_CA_FILE')
  }
  parsed.searchParams.delete('sslmode')
  const address = {
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? portDefault : Number(parsed.port),
    url: parsed.href,
  }
  if (sslMode === 'verify-full')
    return { ...address, tls: readAuthority('POSTERN_DATABASE_CA_FILE', caFile) }
  if (sslMode === 'disable' && mode === 'development') return address
  throw urlProblem(
    `sslmode=${sslMode} does not prove who the server is; use sslmode=verify-full, ` +
      'with POSTERN_DATABASE_CA_FILE when its authority is not among the system roots',
  )
}

/** The same decision as a connection string for `pg`, which BullMQ's Postgres backend opens itself. */
export function queueConnectionString(options: DatabaseOptions): string {
  const address = parseDatabaseUrl(options)
  if (address.tls === undefined) return address.url
  const url = new URL(address.url)
  url.searchParams.set('sslmode', 'verify-full')
  if (options.caFile !== undefined) url.searchParams.set('sslrootcert', options.caFile)
  return url.href
}

/** The name that a URL logs in with. */
export function loginOf(url: string): string {
  return decodeURIComponent(new URL(url).username)
}

function urlProblem(problem: string): ConfigError {
  return new ConfigError([`POSTERN_DATABASE_URL: ${problem}`])
}
