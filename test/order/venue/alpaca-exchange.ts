import { z } from 'zod'
import { formatAmount, parseAmount } from '#core/order/amount.ts'
import { type OrderTerms, sides, timesInForce } from '#core/order/order.ts'
import type { PaperOrder } from '#core/order/venue/paper-order.ts'
import type { VenueReport } from '#core/order/venue.ts'
import { noSignal, orderTerms, testAccount } from './order-terms.ts'
import { scriptedVenue } from './scripted-venue.ts'

const prices = z.object({ limit_price: z.string().optional(), stop_price: z.string().optional() })
const replacement = prices.extend({
  time_in_force: z.enum(timesInForce),
  qty: z.string(),
  client_order_id: z.string(),
})
const placement = replacement.extend({
  symbol: z.string(),
  side: z.enum(sides),
  type: z.enum(['market', 'limit', 'stop', 'stop_limit']),
})

/** Alpaca's words for what a venue in memory tells. */
const eventNames = new Map<VenueReport['event']['type'], string>([
  ['ack', 'new'],
  ['canceled', 'canceled'],
  ['expired', 'expired'],
  ['replaced', 'replaced'],
])

/** What Alpaca's documented requests come to, on a venue in memory. */
export function alpacaExchange() {
  const venue = scriptedVenue()
  const { orders } = venue

  /** Alpaca's order: every amount is text, and more fields than anybody reads. */
  function documentOf(order: PaperOrder) {
    const successor = order.replacedBy === undefined ? undefined : orders.get(order.replacedBy)
    const text = (amount: bigint | undefined) =>
      amount === undefined ? null : formatAmount(amount)
    return {
      id: order.venueOrderId,
      client_order_id: order.clientOrderId,
      submitted_at: new Date(order.activeAtMs).toISOString(),
      replaced_by: successor?.venueOrderId ?? null,
      replaces: null,
      asset_class: 'us_equity',
      symbol: order.symbol,
      qty: formatAmount(order.quantity),
      notional: null,
      filled_qty: formatAmount(order.cum),
      filled_avg_price: null,
      type: order.type,
      side: order.side,
      time_in_force: order.timeInForce,
      limit_price: text(order.limitPrice),
      stop_price: text(order.stopPrice),
      status: order.status,
      extended_hours: false,
      legs: null,
    }
  }

  /** The fills of all orders, each with what its order had filled by then. */
  async function fills() {
    const cums = new Map<string, bigint>()
    return (await Array.fromAsync(venue.listFills(testAccount, undefined))).map((fill) => {
      const cum = (cums.get(fill.clientOrderId) ?? 0n) + fill.trade.quantity
      cums.set(fill.clientOrderId, cum)
      return { ...fill, cum }
    })
  }

  /** The `data` of the update that tells of it. */
  async function updateOf({ clientOrderId, event }: VenueReport): Promise<object | undefined> {
    const order = orders.get(clientOrderId)
    if (order === undefined) return undefined
    const base = { execution_id: crypto.randomUUID(), order: documentOf(order) }
    if (event.type !== 'trade') {
      const timestamp = '2026-11-24T15:00:05.024916716Z'
      return { ...base, event: eventNames.get(event.type) ?? 'calculated', timestamp }
    }
    const { trade } = event
    const cum = (await fills()).find((fill) => fill.trade.tradeId === trade.tradeId)?.cum ?? 0n
    return {
      ...base,
      order: { ...base.order, filled_qty: formatAmount(cum) },
      event: cum === order.quantity ? 'fill' : 'partial_fill',
      price: formatAmount(trade.price),
      qty: formatAmount(trade.quantity),
      timestamp: new Date(trade.at).toISOString(),
      position_qty: '0',
    }
  }

  const orderAt = (url: URL) => {
    const id = url.pathname.slice('/v2/orders/'.length)
    return [...orders.values()].find((order) => order.venueOrderId === id)
  }
  const referenceOf = ({ clientOrderId }: PaperOrder) => {
    return { account: testAccount, clientOrderId, venueOrderId: undefined }
  }

  async function placed(terms: OrderTerms, place: () => Promise<{ kind: string }>) {
    const { clientOrderId } = terms
    if (orders.has(clientOrderId)) return fault(422, 40010001, 'client_order_id must be unique')
    const { kind } = await place()
    const order = orders.get(clientOrderId)
    if (kind === 'accepted' && order !== undefined) return Response.json(documentOf(order))
    return fault(422, 42210000, 'order cannot be placed')
  }

  async function place(request: Request): Promise<Response> {
    const asked = placement.parse(await request.json())
    const { symbol, side, type } = asked
    const terms = orderTerms({ symbol, side, type, ...termsOf(asked) })
    return await placed(terms, () => venue.submit(terms, noSignal))
  }

  async function replace(request: Request, url: URL): Promise<Response> {
    const order = orderAt(url)
    if (order === undefined) return notFound()
    const terms = orderTerms({ ...order, ...termsOf(replacement.parse(await request.json())) })
    return await placed(terms, () => venue.replace(referenceOf(order), terms, noSignal))
  }

  async function cancel(_request: Request, url: URL): Promise<Response> {
    const order = orderAt(url)
    if (order === undefined) return notFound()
    const canceled = await venue.cancel(referenceOf(order), noSignal)
    if (canceled === 'accepted') return new Response(null, { status: 204 })
    return fault(422, 42210000, `order is already in "${order.status}" state`)
  }

  function show(order: PaperOrder | undefined): Response {
    return order === undefined ? notFound() : Response.json(documentOf(order))
  }

  async function list(_request: Request, url: URL): Promise<Response> {
    const after = url.searchParams.get('after') ?? ''
    const open = (await venue.listOpen(testAccount))
      .flatMap(({ clientOrderId }) => orders.get(clientOrderId) ?? [])
      .map(documentOf)
      .filter(({ submitted_at }) => submitted_at > after)
    return Response.json(open.slice(0, Number(url.searchParams.get('limit') ?? 50)))
  }

  async function activities(_request: Request, url: URL): Promise<Response> {
    const all = (await fills()).map(({ clientOrderId, symbol, side, trade, cum }, at) => ({
      id: `20261124150000${String(at).padStart(3, '0')}::${trade.tradeId}`,
      activity_type: 'FILL',
      transaction_time: new Date(trade.at).toISOString(),
      type: 'fill',
      price: formatAmount(trade.price),
      qty: formatAmount(trade.quantity),
      side,
      symbol,
      order_id: orders.get(clientOrderId)?.venueOrderId,
      cum_qty: formatAmount(cum),
    }))
    const token = url.searchParams.get('page_token')
    const start = token === null ? 0 : all.findIndex(({ id }) => id === token) + 1
    return Response.json(all.slice(start, start + Number(url.searchParams.get('page_size'))))
  }

  async function positions(): Promise<Response> {
    const held = await venue.positions(testAccount)
    const shown = held.map(({ symbol, quantity }) => {
      const side = quantity < 0n ? 'short' : 'long'
      return { symbol, qty: formatAmount(quantity), side, avg_entry_price: '100' }
    })
    return Response.json(shown)
  }

  const routes: readonly (readonly [RegExp, (request: Request, url: URL) => unknown])[] = [
    [/^POST \/v2\/orders$/, place],
    [/^GET \/v2\/orders$/, list],
    [
      /^GET \/v2\/orders:by_client_order_id$/,
      (_request, url) => show(orders.get(url.searchParams.get('client_order_id') ?? '')),
    ],
    [/^GET \/v2\/orders\//, (_request, url) => show(orderAt(url))],
    [/^PATCH \/v2\/orders\//, replace],
    [/^DELETE \/v2\/orders\//, cancel],
    [/^GET \/v2\/account\/activities\/FILL$/, activities],
    [/^GET \/v2\/positions$/, positions],
    [/^GET \/v2\/account$/, () => Response.json({ cash: '-99123.45', currency: 'USD' })],
    [
      /^GET \/v2\/clock$/,
      () =>
        Response.json({
          timestamp: '2026-11-24T10:00:00.123456789-05:00',
          is_open: true,
          next_open: '2026-11-25T09:30:00-05:00',
          next_close: '2026-11-24T16:00:00-05:00',
        }),
    ],
  ]

  return {
    venue,
    updateOf,
    async serve(request: Request): Promise<Response> {
      const url = new URL(request.url)
      const asked = `${request.method} ${url.pathname}`
      const route = routes.find(([pattern]) => pattern.test(asked))
      const answer = await route?.[1](request, url)
      return answer instanceof Response ? answer : notFound()
    },
  }
}

function termsOf(asked: z.infer<typeof replacement>) {
  const {
    client_order_id: clientOrderId,
    time_in_force: timeInForce,
    limit_price,
    stop_price,
  } = asked
  const amount = (text: string | undefined) => (text === undefined ? text : parseAmount(text))
  return {
    clientOrderId,
    timeInForce,
    quantity: parseAmount(asked.qty),
    limitPrice: amount(limit_price),
    stopPrice: amount(stop_price),
  }
}

function notFound(): Response {
  return fault(404, 40410000, 'order not found')
}

/** A refusal as Alpaca documents it. */
export function fault(status: number, code: number, message: string): Response {
  return Response.json({ code, message }, { status })
}
