import type { AccessControl } from '#core/access/access-control.ts'
import type { Principal } from '#core/access/principal.ts'
import { PosternError } from '#core/errors.ts'
import { accountReads } from '#core/order/desk/account-reads.ts'
import { accountStore } from '#core/order/desk/account-store.ts'
import { fillReads } from '#core/order/desk/fill-reads.ts'
import { limitStore } from '#core/order/desk/limit-store.ts'
import { orderReads } from '#core/order/desk/order-reads.ts'
import { pnlReads } from '#core/order/desk/pnl-reads.ts'
import { positionReads } from '#core/order/desk/position-reads.ts'
import { tradingControl } from '#core/order/desk/trading-control.ts'
import { tradingReads } from '#core/order/desk/trading-reads.ts'
import { accountRoutes } from '#gateway/routes/accounts.ts'
import { orderReadRoutes } from '#gateway/routes/order-reads.ts'
import { pnlRoutes } from '#gateway/routes/pnl.ts'
import { positionRoutes } from '#gateway/routes/positions.ts'
import { tradingRoutes } from '#gateway/routes/trading.ts'
import { tradingLimitRoutes } from '#gateway/routes/trading-limits.ts'
import { type ReadsWorld, now as worldNow } from '#test/order/desk/reads-world.ts'
import { memoryGateway } from './memory-gateway.ts'

const scopesOf: Readonly<Record<string, readonly string[]>> = {
  desk: ['orders:read'],
  reader: ['trading:read'],
  ann: ['trading:halt', 'trading:rearm', 'trading:admin', 'trading:read'],
  bob: ['trading:rearm'],
  none: [],
}

function principalOf(subject: string): Principal | undefined {
  const scopes = scopesOf[subject]
  if (scopes === undefined) return undefined
  const token = { tokenId: `${subject}-1`, keyId: 'k1', expiresAt: 2e9 }
  return { ...token, issuer: 'https://issuer.example', subject, scopes: new Set(scopes) }
}

/** Tokens are `Bearer <subject>`; every address is inside. */
function deskAccess(): AccessControl & { revoke(subject: string): void } {
  const principals = new Map(
    Object.keys(scopesOf).map((name) => [`Bearer ${name}`, principalOf(name)]),
  )
  return {
    admit: () => ({ admitted: true, clientAddress: '10.0.0.7', rule: '10.0.0.0/24' }),
    forwardedHeader: 'x-forwarded-for',
    authenticate(authorization) {
      const known = principals.get(authorization ?? '')
      if (known !== undefined) return known
      throw new PosternError('auth.token_rejected', { reason: 'token.malformed' })
    },
    limitFor: () => ({ perSecond: 1_000, burst: 10_000 }),
    scopesFor: () => [],
    onDenial: () => () => undefined,
    callbackPrefixes: [],
    notReady: () => undefined,
    revoke: (subject) => principals.delete(`Bearer ${subject}`),
  }
}

/** All routes of this domain but those that place orders, on the gateway's own login. */
export function deskGateway(world: ReadsWorld) {
  const { gateway: sql, journal, desk } = world
  const now = () => worldNow
  const access = deskAccess()
  const closing = new AbortController()
  const routes = [
    ...orderReadRoutes({
      ...{ orders: orderReads(sql), fills: fillReads(sql), access },
      closing: closing.signal,
    }),
    ...positionRoutes({ positions: positionReads(sql) }),
    ...pnlRoutes({ pnl: pnlReads({ sql, now }) }),
    ...accountRoutes({
      account: accountReads({ sql, now }),
      accounts: accountStore({ sql, journal, now }),
    }),
    ...tradingRoutes({ control: tradingControl(desk), trading: tradingReads(sql), now }),
    ...tradingLimitRoutes({ limits: limitStore({ sql, journal, now }) }),
  ]
  const served = memoryGateway({ overrides: { routes, access } })

  function send(method: string, path: string, as: string, body?: unknown): Promise<Response> {
    const init = body === undefined ? {} : { body: JSON.stringify(body) }
    const headers = { 'content-type': 'application/json' }
    return served.request(path, { method, as, headers, ...init })
  }
  return { ...served, routes, access, closing, send }
}
