import type { AccessControl } from '#core/access/access-control.ts'
import { PosternError } from '#core/errors.ts'
import type { GatewayContext } from './context.ts'
import type { Step } from './step.ts'

/**
 * Asks for the route's scope and for those that the access file adds to its template. Needs
 * `routeTemplate` and `principal`.
 */
export function authorize(access: AccessControl, scope: string): Step {
  return function authorizeScopes(c) {
    const { scopes } = c.get('principal')
    if (!scopes.has(scope)) refuseScope(scope)
    for (const further of access.scopesFor(`${ruleMethod(c)} ${c.get('routeTemplate')}`)) {
      if (!scopes.has(further)) refuseScope(further)
    }
  }
}

/** HEAD runs the handler of GET, so it falls under the rules of GET. */
function ruleMethod(c: GatewayContext): string {
  return c.req.method === 'HEAD' ? 'GET' : c.req.method
}

function refuseScope(scope: string): never {
  throw new PosternError('access.scope_missing', {
    reason: 'scope.missing',
    detail: `This needs a token with the scope ${scope}.`,
  })
}
