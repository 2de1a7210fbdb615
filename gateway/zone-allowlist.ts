import type { MiddlewareHandler } from 'hono'
import type { AccessControl } from '#core/access/access-control.ts'
import type { Zone } from '#core/access/principal.ts'
import { PosternError } from '#core/errors.ts'
import type { GatewayEnv } from './context.ts'

/**
 * Admits the client addresses of a zone. The zone is that of the registered route, never read off
 * a path. Sets `zone` and `clientAddress`.
 */
export function zoneAllowlist(access: AccessControl, zone: Zone): MiddlewareHandler<GatewayEnv> {
  return function admitAddress(c, next) {
    const { remoteAddress } = c.env
    const admission = access.admit(zone, remoteAddress, c.req.header(access.forwardedHeader))
    c.set('zone', zone)
    c.set('clientAddress', admission.clientAddress)
    if (admission.admitted) return next()
    throw new PosternError('access.address_refused', { reason: admission.reason })
  }
}
