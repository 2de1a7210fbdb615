import { azureLoginDouble } from './azure-login-double.ts'
import { azureError, vaultRoutes } from './azure-vault-routes.ts'
import { vaultState } from './azure-vault-state.ts'
import { type FaultServer, faultServer } from './fault-server.ts'

export type AzureDouble = FaultServer & {
  /** A token that it takes. */
  issueToken(): string
  /** None that it has issued is taken any more. */
  expireTokens(): void
  /** What its 401 names; undefined: itself. */
  challenge(resource: string | undefined): void
  /** The permission, such as `secrets/get`, that nobody has; undefined: everybody has all. */
  forbid(permission: string | undefined, innerCode?: string): void
  /** Versions that are written from now on are not seen by this many requests. */
  hideNewFor(requests: number): void
  /** Where the next page of a list is said to be; undefined: where it is. */
  leadTo(origin: string | undefined): void
}

const apiVersions = ['7.0', '7.1', '7.2', '7.3', '7.4', '7.5', '7.6', '2025-07-01']

/** Azure Key Vault's secrets, as its REST reference and its own client have them, with logins. */
export function azureDouble(): AzureDouble {
  const state = vaultState()
  const routes = vaultRoutes(state)
  const logins = azureLoginDouble()
  let resource: string | undefined
  let forbidden: { readonly permission: string; readonly innerCode: string } | undefined

  async function serve(request: Request): Promise<Response> {
    const url = new URL(request.url)
    const login = await logins.serve(request, resource ?? url.origin)
    if (login !== undefined) return login
    const authorization = request.headers.get('authorization') ?? ''
    if (!logins.accepts(authorization.replace(/^Bearer /, ''))) {
      return unauthorized(resource ?? url.origin)
    }
    const apiVersion = url.searchParams.get('api-version') ?? ''
    if (!apiVersions.includes(apiVersion)) return azureError(400, 'BadParameter')
    if (forbidden?.permission === permissionOf(request.method, url.pathname)) {
      return azureError(403, 'Forbidden', forbidden.innerCode)
    }
    return await routes.serve(request)
  }

  return {
    ...faultServer(serve),
    issueToken: logins.issue,
    expireTokens: logins.expire,
    hideNewFor: state.hideNewFor,
    leadTo: routes.leadTo,
    challenge(named) {
      resource = named
    },
    forbid(permission, innerCode = 'ForbiddenByPolicy') {
      forbidden = permission === undefined ? undefined : { permission, innerCode }
    },
  }
}

function permissionOf(method: string, path: string): string {
  if (method === 'PUT' || method === 'PATCH') return 'secrets/set'
  if (method === 'DELETE') return 'secrets/delete'
  return /^\/secrets(?:\/[^/]*\/versions)?\/?$/.test(path) ? 'secrets/list' : 'secrets/get'
}

function unauthorized(resource: string): Response {
  const authorization = 'https://login.windows.net/11111111-2222-3333-4444-555555555555'
  const response = azureError(401, 'Unauthorized')
  const challenge = `Bearer authorization="${authorization}", resource="${resource}"`
  response.headers.set('www-authenticate', challenge)
  return response
}
