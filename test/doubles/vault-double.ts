import { parsedJson } from '#core/reading/parsed-json.ts'
import { type FaultServer, faultServer } from './fault-server.ts'
import { vaultData, vaultErrors } from './vault-answers.ts'
import { vaultDatabaseRules } from './vault-database-rules.ts'
import { vaultKvRules } from './vault-kv-rules.ts'
import { type VaultLogins, vaultLogins } from './vault-logins.ts'

/** Where the KV engine of version 2 is; at `old` there is one of version 1. */
export const vaultMount = 'secret'

export type VaultDouble = FaultServer &
  Omit<VaultLogins, 'serve'> & {
    /** Leases of the database engine that are alive. */
    readonly leases: ReadonlySet<string>
    /** No policy allows what begins so any more; '' allows all again. */
    deny(path: string): void
    /** Namespace that a request must name; undefined where there are none. */
    setNamespace(namespace: string | undefined): void
    /** The request is none for a login or about one's token. */
    isForSecrets(request: Request): boolean
  }

/** Vault's API as far as Postern uses it; what it answers was seen at OpenBao 2.6. */
export function vaultDouble(): VaultDouble {
  const logins = vaultLogins()
  const database = vaultDatabaseRules()
  const kv = vaultKvRules()
  let denied = ''
  let namespace: string | undefined

  const server = faultServer(async (request) => {
    const url = new URL(request.url)
    const path = decodeURIComponent(url.pathname.replace(/^\/v1\//, ''))
    const text = await request.text()
    const body = text === '' ? {} : parsedJson(text)
    const token = request.headers.get('x-vault-token')
    if ((request.headers.get('x-vault-namespace') ?? undefined) !== namespace) return missing(path)
    const login = logins.serve(request.method, path, { token, body })
    if (login !== undefined) return login
    const isDenied = denied !== '' && path.startsWith(denied)
    if (isDenied || !logins.isAlive(token)) return vaultErrors(403, 'permission denied')
    return ofEngines(request.method, path, { query: url.searchParams, body })
  })

  function ofEngines(
    method: string,
    path: string,
    { query, body }: { query: URLSearchParams; body: unknown },
  ): Response {
    const [, part = '', name = ''] = /^secret\/([a-z]+)\/?(.*)$/.exec(path) ?? []
    if (part !== '') return kv({ method, part, name, query, body })
    const known = database.serve(method, path, body)
    if (known !== undefined) return known
    switch (path) {
      case 'sys/internal/ui/mounts/secret':
        return vaultData({ type: 'kv', options: { version: '2' }, path: 'secret/' })
      case 'sys/internal/ui/mounts/old':
        return vaultData({ type: 'kv', options: { version: '1' }, path: 'old/' })
      case 'sys/internal/ui/mounts/database':
        return vaultData({ type: 'database', options: null, path: 'database/' })
      default:
        return missing(path)
    }
  }

  return {
    ...server,
    ...logins,
    leases: database.leases,
    deny(path) {
      denied = path
    },
    setNamespace(name) {
      namespace = name
    },
    isForSecrets: ({ url }) => !new URL(url).pathname.startsWith('/v1/auth/'),
  }
}

function missing(path: string): Response {
  const [, mount] = /^sys\/internal\/ui\/mounts\/(.*)/.exec(path) ?? []
  if (mount !== undefined) {
    const advice = `please ensure client's policies grant access to path "${mount}/"`
    return vaultErrors(403, `preflight capability check returned 403, ${advice}`)
  }
  return vaultErrors(404, `no handler for route "${path}". route entry not found.`)
}
