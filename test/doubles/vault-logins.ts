import { z } from 'zod'
import { vaultData, vaultDone, vaultErrors } from './vault-answers.ts'

/** What the double takes; everything else is refused. */
export const vaultProofs = {
  roleId: 'role-of-postern',
  secretId: 'secret-id-of-postern',
  role: 'postern',
  jwt: 'jwt-of-postern',
}
export const vaultRootToken = 'root-of-the-double'

export type VaultLogins = {
  /** What tokens that are given or renewed from now on are like; seconds. */
  setTokens(kind: { seconds: number; isRenewable: boolean }): void
  /** Of all that were given, by whatever login. */
  expireTokens(): void
  isAlive(token: string | null): boolean
  /** Undefined for what is no matter of logins. */
  serve(method: string, path: string, asked: LoginRequest): Response | undefined
}

export type LoginRequest = { readonly token: string | null; readonly body: unknown }

const appRoleSchema = z.object({ role_id: z.string(), secret_id: z.string() })
const jwtSchema = z.object({ role: z.string(), jwt: z.string() })

/** AppRole, JWT and Kubernetes at their usual mounts, and JWT at `auth/jwt-of/another`. */
export function vaultLogins(): VaultLogins {
  const tokens = new Set<string>()
  let given = { seconds: 3_600, isRenewable: true }

  function grant(token: string): Response {
    const { seconds, isRenewable } = given
    const auth = { client_token: token, accessor: 'a', policies: ['default', 'postern'] }
    return vaultData(null, {
      auth: { ...auth, lease_duration: seconds, renewable: isRenewable, token_type: 'service' },
    })
  }
  function logIn(): Response {
    const token = `s.${crypto.randomUUID()}`
    tokens.add(token)
    return grant(token)
  }
  function byAppRole(body: unknown): Response {
    const { data } = appRoleSchema.safeParse(body)
    const isRight = data?.role_id === vaultProofs.roleId && data.secret_id === vaultProofs.secretId
    return isRight ? logIn() : vaultErrors(400, 'invalid role or secret ID')
  }
  function byJwt(body: unknown): Response {
    const { data } = jwtSchema.safeParse(body)
    const isRight = data?.role === vaultProofs.role && data.jwt === vaultProofs.jwt
    return isRight ? logIn() : vaultErrors(400, 'error validating token: invalid signature')
  }
  const isAlive = (token: string | null) =>
    token === vaultRootToken || (token !== null && tokens.has(token))

  function ofToken(path: string, token: string | null): Response {
    if (token === null || !isAlive(token)) return vaultErrors(403, 'permission denied')
    switch (path) {
      case 'auth/token/lookup-self':
        return vaultData({ ttl: given.seconds, renewable: given.isRenewable })
      case 'auth/token/renew-self':
        return given.isRenewable ? grant(token) : vaultErrors(400, 'lease is not renewable')
      case 'auth/token/revoke-self':
        tokens.delete(token)
        return vaultDone()
      default:
        return vaultErrors(404, `no handler for route "${path}". route entry not found.`)
    }
  }

  return {
    setTokens(kind) {
      given = kind
    },
    expireTokens: () => tokens.clear(),
    isAlive,
    serve(method, path, { token, body }) {
      if (!path.startsWith('auth/')) return undefined
      switch (`${method} ${path}`) {
        case 'POST auth/approle/login':
          return byAppRole(body)
        case 'POST auth/jwt/login':
        case 'POST auth/jwt-of/another/login':
        case 'POST auth/kubernetes/login':
          return byJwt(body)
        default:
          return ofToken(path, token)
      }
    },
  }
}
