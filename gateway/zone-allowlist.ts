import type { AccessControl } from '#core/access/access-control.ts'
import type { Zone } from '#core/access/principal.ts'
import { PosternError } from '#core/errors.ts'
import type { Step } from './step.ts'

/**
 * Admits the client addresses of a zone. The zone is that of the registered route, never read off
 * a path. Sets `zone` and `clientAddress`.
 */
export function zoneAllowlist(access: AccessControl, zone: Zone): Step {
  return function admitAddress(c) {
    const { remoteAddress } = c.env
    const admission = access.admit(zone, remoteAddress, c.req.header(access.forwardedHeader))
    c.set('zone', zone)
    c.set('clientAddress', admission.clientAddress)
    if (admission.admitted) return
    throw new PosternError('access.address_refused', { reason: admission.reason })
  }
}
