import type { MiddlewareHandler } from 'hono'
import type { AccessControl } from '#core/access/access-control.ts'
import type { Principal } from '#core/access/principal.ts'
import { PosternError } from '#core/errors.ts'
import type { GatewayContext, GatewayEnv } from './context.ts'

/** Sets `principal` from the bearer token; stays synchronous for a token seen before. */
export function authenticate(access: AccessControl): MiddlewareHandler<GatewayEnv> {
  return function authenticateToken(c, next) {
    let principal: Principal | Promise<Principal>
    try {
      principal = access.authenticate(c.req.header('authorization'))
    } catch (error) {
      return refuse(c, error)
    }
    if (principal instanceof Promise) {
      return principal.then(
        (verified) => {
          c.set('principal', verified)
          return next()
        },
        (error) => refuse(c, error),
      )
    }
    c.set('principal', principal)
    return next()
  }
}

function refuse(c: GatewayContext, error: unknown): never {
  if (error instanceof PosternError) c.set('refusal', error.reason)
  throw error
}
