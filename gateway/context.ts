import type { Context } from 'hono'
import type { Caller, Principal, Zone } from '#core/access/principal.ts'
import type { Work } from './admission.ts'

/** What the chain in front of a handler has established, each set by exactly one middleware. */
export type GatewayEnv = {
  Bindings: {
    /** The TCP peer as Bun reports it; undefined when it is already gone. */
    readonly remoteAddress: string | undefined
    /** Bun's per-request idle limit, in seconds; 0 switches it off. */
    readonly setIdleSeconds: (seconds: number) => void
  }
  Variables: {
    requestId: string
    traceparent: string | undefined
    zone: Zone
    clientAddress: string
    principal: Principal
    /** Throws what `authenticate` threw, if the token has become worthless since. */
    proveAgain: () => Promise<void>
    /** The place that this request holds; given back early by whoever only waits from here on. */
    work: Work
    /** The route's template such as `/v1/jobs/:id`; the only path that is a metric label. */
    routeTemplate: string
  }
}

export type GatewayContext = Context<GatewayEnv>

/** `c.get`, never `c.var`: the latter copies every variable at each access. */
export function callerOf(c: GatewayContext): Caller {
  return {
    principal: c.get('principal'),
    clientAddress: c.get('clientAddress'),
    userAgent: c.req.header('user-agent') ?? '',
    requestId: c.get('requestId'),
    traceparent: c.get('traceparent'),
  }
}
