import type { MiddlewareHandler } from 'hono'
import type { AccessControl } from '#core/access/access-control.ts'
import { PosternError } from '#core/errors.ts'
import type { GatewayContext, GatewayEnv } from './context.ts'

/** A route's own scope, or how to find it from the request where it depends on the job kind. */
export type RouteScope = string | ((c: GatewayContext) => string)

/**
 * Asks for the route's scope and for those that the access file adds to its template. Needs
 * `routeTemplate` and `principal`.
 */
export function authorize(access: AccessControl, scope: RouteScope): MiddlewareHandler<GatewayEnv> {
  return function authorizeScopes(c, next) {
    const { scopes } = c.get('principal')
    const required = typeof scope === 'string' ? scope : scope(c)
    if (!scopes.has(required)) refuseScope(c, required)
    for (const further of access.scopesFor(`${ruleMethod(c)} ${c.get('routeTemplate')}`)) {
      if (!scopes.has(further)) refuseScope(c, further)
    }
    return next()
  }
}

/** HEAD runs the handler of GET, so it falls under the rules of GET. */
function ruleMethod(c: GatewayContext): string {
  return c.req.method === 'HEAD' ? 'GET' : c.req.method
}

function refuseScope(c: GatewayContext, scope: string): never {
  c.set('refusal', 'scope.missing')
  throw new PosternError('access.scope_missing', {
    reason: 'scope.missing',
    detail: `This needs a token with the scope ${scope}.`,
  })
}
