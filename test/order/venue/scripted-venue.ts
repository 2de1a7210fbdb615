import { PosternError } from '#core/errors.ts'
import { formatAmount, type Price, type Quantity } from '#core/order/amount.ts'
import type { OrderTerms } from '#core/order/order.ts'
import { paperDefaults } from '#core/order/venue/paper-market.ts'
import {
  cancelOrder,
  enterOrder,
  expireOrder,
  isOpen,
  type PaperOrder,
  type PaperStep,
  refusalOf,
  replaceOrder,
  replaceRefusalOf,
  viewOf,
  workTogether,
} from '#core/order/venue/paper-order.ts'
import { deliverReports, type ReportDelivery } from '#core/order/venue/report-delivery.ts'
import type {
  StreamHandlers,
  SubmitResult,
  Venue,
  VenueFill,
  VenueReport,
} from '#core/order/venue.ts'

/** What the next `submit` comes to; without one it is accepted. */
export type SubmitFault =
  /** The order is placed; its answer and its acknowledgement are lost. */
  | { readonly kind: 'lose-answer' }
  /** Nothing is placed and nobody knows. */
  | { readonly kind: 'lose-order' }
  /** Limited, or away: nothing was sent. */
  | { readonly kind: 'unavailable'; readonly retryAfterSeconds?: number }
  | { readonly kind: 'reject'; readonly code: string }

export type ScriptedVenue = Venue & {
  /** Every order it has, the ended ones too. */
  readonly orders: ReadonlyMap<string, PaperOrder>
  /** How often a client order id was placed; more than once is what must never happen. */
  readonly submits: ReadonlyMap<string, number>
  script(...faults: readonly SubmitFault[]): void
  /** So many shares of the symbol trade at the price, the oldest open orders first. */
  trade(symbol: string, quantity: Quantity, price: Price): void
  expire(clientOrderId: string): void
  /** Any report, true or not, such as a duplicate, a bust or one of an order that nobody has. */
  tell(report: VenueReport): void
  /** Reports are lost until `reconnect`. */
  disconnect(): void
  reconnect(): void
}

const rules = { ...paperDefaults, mode: 'strict', seed: 1 } as const
const hourMs = 3_600_000

/** A venue in memory that fails as it is told to; orders rest until `trade`. */
export function scriptedVenue(options: { readonly name?: string } = {}): ScriptedVenue {
  const orders = new Map<string, PaperOrder>()
  const submits = new Map<string, number>()
  const fills: VenueFill[] = []
  const faults: SubmitFault[] = []
  const streams = new Set<{
    readonly handlers: StreamHandlers
    readonly delivery: ReportDelivery
  }>()
  let isConnected = true
  /** Milliseconds; moves with every trade, so that the order of things shows in their times. */
  let clockMs = Date.UTC(2026, 10, 24, 15)

  function tell(report: VenueReport): void {
    if (!isConnected) return
    for (const { delivery } of streams) delivery.tell(report)
  }

  function store({ order, events }: PaperStep): void {
    const { account, clientOrderId, symbol, side } = order
    orders.set(clientOrderId, order)
    for (const event of events) {
      if (event.type === 'trade') {
        const cursor = String(fills.length + 1)
        fills.push({ account, clientOrderId, symbol, side, trade: event.trade, cursor })
      }
      tell({ account, clientOrderId, event })
    }
  }

  function enter(terms: OrderTerms, carried = 0n): PaperOrder {
    const venueOrderId = Bun.randomUUIDv7()
    const sessionCloseMs = clockMs + hourMs
    return enterOrder(terms, { venueOrderId, clockMs, sessionCloseMs, latencyMs: 0, carried })
  }

  function place(terms: OrderTerms, isSilent: boolean): SubmitResult {
    const { clientOrderId } = terms
    submits.set(clientOrderId, (submits.get(clientOrderId) ?? 0) + 1)
    const order = orders.get(clientOrderId) ?? enter(terms)
    const { venueOrderId } = order
    if (!orders.has(clientOrderId)) {
      store({ order, events: isSilent ? [] : [{ type: 'ack', venueOrderId }] })
    }
    return isSilent ? lost : { kind: 'accepted', venueOrderId }
  }

  function answer(terms: OrderTerms): SubmitResult {
    const refusal = refusalOf(terms)
    if (refusal !== undefined) return rejected(refusal)
    const fault = faults.shift()
    if (fault?.kind === 'reject') return rejected(fault.code)
    if (fault?.kind === 'lose-order') return lost
    if (fault?.kind !== 'unavailable') return place(terms, fault?.kind === 'lose-answer')
    const { retryAfterSeconds = 1 } = fault
    throw new PosternError('venue.unavailable', { reason: 'scripted', retryAfterSeconds })
  }

  function replace(predecessor: string, successor: OrderTerms): SubmitResult {
    const present = orders.get(successor.clientOrderId)
    if (present !== undefined) return { kind: 'accepted', venueOrderId: present.venueOrderId }
    const order = orders.get(predecessor)
    if (order === undefined) return rejected('ORDER_NOT_FOUND')
    const refusal = refusalOf(successor) ?? replaceRefusalOf(order, successor)
    if (refusal !== undefined) return rejected(refusal)
    const entered = enter(successor, order.cum)
    store({ order: entered, events: [] })
    store(replaceOrder(order, entered))
    return { kind: 'accepted', venueOrderId: entered.venueOrderId }
  }

  const openOf = (account: string) =>
    [...orders.values()].filter((order) => order.account === account && isOpen(order))

  return {
    name: options.name ?? 'scripted',
    capabilities: {
      types: ['market', 'limit', 'stop', 'stop_limit'],
      timesInForce: ['day', 'gtc', 'gtd', 'ioc', 'fok'],
      isFractional: true,
      replace: true,
      shorting: true,
    },
    orders,
    submits,
    script: (...scripted) => {
      faults.push(...scripted)
    },
    tell,
    async submit(terms, signal) {
      if (signal.aborted) throw new PosternError('venue.unavailable', { reason: 'given up' })
      return answer(terms)
    },
    async cancel({ clientOrderId }) {
      const order = orders.get(clientOrderId)
      if (order === undefined) return 'not_found'
      if (!isOpen(order)) return 'not_cancelable'
      store(cancelOrder(order, 'requested'))
      return 'accepted'
    },
    replace: async ({ clientOrderId }, successor) => replace(clientOrderId, successor),
    async findByClientOrderId(_account, id) {
      const order = orders.get(id)
      return order === undefined ? undefined : viewOf(order)
    },
    listOpen: async (account) => openOf(account).map(viewOf),
    async *listFills(account, since) {
      yield* fills.slice(Number(since ?? 0)).filter((fill) => fill.account === account)
    },
    async positions(account) {
      const held = new Map<string, Quantity>()
      for (const fill of fills.filter((entry) => entry.account === account)) {
        const { quantity } = fill.trade
        const signed = fill.side === 'buy' ? quantity : -quantity
        held.set(fill.symbol, (held.get(fill.symbol) ?? 0n) + signed)
      }
      return [...held].flatMap(([symbol, quantity]) =>
        quantity === 0n ? [] : { symbol, quantity },
      )
    },
    account: async () => ({ cash: undefined }),
    clock: async () => ({
      nowMs: clockMs,
      isOpen: true,
      nextOpenMs: clockMs + 24 * hourMs,
      nextCloseMs: clockMs + hourMs,
    }),
    async stream(handlers) {
      const ended = new AbortController()
      const stream = { handlers, delivery: deliverReports(handlers.onReport, ended.signal) }
      streams.add(stream)
      return {
        async close() {
          streams.delete(stream)
          ended.abort()
          await stream.delivery.settled()
        },
      }
    },
    trade(symbol, quantity, price) {
      clockMs += 1_000
      const shares = Number(formatAmount(quantity))
      const nanos = Number(price)
      const quote = { time: clockMs, bid: nanos, ask: nanos, bidSize: shares, askSize: shares }
      const market = { clockMs, quote, bar: undefined, isHalted: false, barVolumeUsed: 0n }
      const resting = [...orders.values()].filter(
        (order) => order.symbol === symbol && isOpen(order),
      )
      for (const step of workTogether(resting, market, rules)) if (step !== undefined) store(step)
    },
    expire(clientOrderId) {
      const order = orders.get(clientOrderId)
      if (order !== undefined && isOpen(order)) store(expireOrder(order))
    },
    disconnect() {
      isConnected = false
      for (const { handlers } of streams) handlers.onDisconnect()
    },
    reconnect() {
      isConnected = true
      for (const { handlers } of streams) handlers.onReconnect()
    },
  }
}

const lost: SubmitResult = { kind: 'unknown', reason: 'scripted' }

function rejected(code: string): SubmitResult {
  return { kind: 'rejected', code, raw: code }
}
