import type { MiddlewareHandler } from 'hono'
import type { AccessControl } from '#core/access/access-control.ts'
import type { GatewayEnv } from './context.ts'

/** Sets `principal` from the bearer token; stays synchronous for a token seen before. */
export function authenticate(access: AccessControl): MiddlewareHandler<GatewayEnv> {
  return function authenticateToken(c, next) {
    const principal = access.authenticate(c.req.header('authorization'))
    if (principal instanceof Promise) {
      return principal.then((verified) => {
        c.set('principal', verified)
        return next()
      })
    }
    c.set('principal', principal)
    return next()
  }
}
