import { accountDirectory } from '#core/order/desk/account-directory.ts'
import { orderDocumentSchema } from '#core/order/order-document.ts'
import { orderRoutes } from '#gateway/routes/orders.ts'
import { account } from '#test/order/desk/desk-rows.ts'
import { type DeskWorld, openDeskWorld } from '#test/order/desk/desk-world.ts'
import { memoryGateway } from './memory-gateway.ts'

/** What the tokens `all` and `other` are of. */
const issuer = 'https://issuer.example'

export const limitOrder = {
  ...{ symbol: 'AAPL', side: 'buy', quantity: '10', order_type: 'limit', limit_price: '100' },
}

type Init = { readonly key?: string; readonly as?: string }

/** The order routes in process, in front of a desk on real Postgres. */
export async function openOrderGateway() {
  const world = await openDeskWorld()
  let gateway = gatewayOf(world, 1)
  let keys = 0

  async function allow(subject: string, name: string): Promise<void> {
    await world.sql`
      insert into postern_account_trader (account, issuer, subject)
      values (${name}, ${issuer}, ${subject})`
  }

  /** With a key of its own unless one is given; an empty one is none. */
  function post(body: unknown, { key, as }: Init = {}): Promise<Response> {
    keys += 1
    return gateway.post('/v1/orders', body, {
      ...(as === undefined ? {} : { as }),
      headers: key === '' ? {} : { 'idempotency-key': key ?? `key-${keys}` },
    })
  }

  return {
    ...{ world, allow, post, close: world.close },
    /** A gateway that has just started: it remembers no rate and no account. */
    restart(gateways = 1): void {
      gateway = gatewayOf(world, gateways)
    },
    async clear(): Promise<void> {
      await world.clear()
      await allow('all', account)
      gateway = gatewayOf(world, 1)
    },
    request: (...asked: Parameters<typeof gateway.request>) => gateway.request(...asked),
    place: async (body: unknown = limitOrder, init: Init = {}) =>
      orderDocumentSchema.parse(await (await post(body, init)).json()),
    cancel: (id: string, as?: string) =>
      gateway.request(`/v1/orders/${id}`, {
        method: 'DELETE',
        ...(as === undefined ? {} : { as }),
      }),
    patch: (id: string, body: unknown) =>
      gateway.request(`/v1/orders/${id}`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
  }
}

function gatewayOf({ desk, intake, requests, now }: DeskWorld, gateways: number) {
  const directory = accountDirectory(desk.sql, now)
  const routes = orderRoutes({ intake, requests, directory, now, liveGateways: () => gateways })
  return memoryGateway({ overrides: { routes, access: orderAccess() } })
}

/** All but the token `none` may write orders. */
function orderAccess() {
  const { access } = memoryGateway()
  return {
    ...access,
    async authenticate(authorization: string | undefined) {
      const principal = await access.authenticate(authorization)
      const scopes = new Set(['orders:write'])
      return principal.subject === 'none' ? principal : { ...principal, scopes }
    },
  }
}
