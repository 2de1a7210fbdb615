import type { Quantity } from '../amount.ts'
import type { OrderTerms } from '../order.ts'
import type { VenueOrderView } from '../venue.ts'
import type { PaperMarket, PaperOptions } from './paper-market.ts'
import { type Match, matchOrder } from './paper-match.ts'
import { feeOf } from './paper-price.ts'
import { seededRandom, seedOf } from './seeded-random.ts'
import type { VenueEvent } from './venue-report-json.ts'

/** An order as the paper venue keeps it. */
export type PaperOrder = Pick<
  OrderTerms,
  | 'account'
  | 'clientOrderId'
  | 'symbol'
  | 'side'
  | 'type'
  | 'timeInForce'
  | 'quantity'
  | 'limitPrice'
  | 'stopPrice'
> & {
  readonly venueOrderId: string
  readonly status: Exclude<VenueOrderView['status'], 'pending' | 'rejected'>
  readonly isTriggered: boolean
  /** Milliseconds of the market clock, as of a match or of entry and latency. */
  readonly activeAtMs: number
  /** Milliseconds: the end of the session, or the time that a GTD order names. */
  readonly expireAtMs: number | undefined
  /** Filled, with what a predecessor had filled. */
  readonly cum: Quantity
  /** What a predecessor had filled. */
  readonly carried: Quantity
  readonly trades: number
  /** Counts its changes: a change is stored only on the version that it was decided on. */
  readonly version: number
  readonly replacedBy: string | undefined
}

export type PaperRules = PaperOptions & {
  /** With an order's id and its trades so far, all that chance has to say of it. */
  readonly seed: number
}

/** An order after a step, and what the venue tells of it. */
export type PaperStep = { readonly order: PaperOrder; readonly events: readonly VenueEvent[] }

/** Why the paper venue has no way to work such an order, or undefined. */
export function refusalOf(terms: OrderTerms): string | undefined {
  if (terms.type === 'trailing_stop') return 'UNSUPPORTED_ORDER_TYPE'
  if (terms.timeInForce === 'opg' || terms.timeInForce === 'cls') return 'UNSUPPORTED_TIME_IN_FORCE'
  const needsLimit = terms.type === 'limit' || terms.type === 'stop_limit'
  const needsStop = terms.type === 'stop' || terms.type === 'stop_limit'
  if (needsLimit !== (terms.limitPrice !== undefined)) return 'LIMIT_PRICE_INVALID'
  if (needsStop !== (terms.stopPrice !== undefined)) return 'STOP_PRICE_INVALID'
  // A day order may name the close of its session, which the venue knows by itself.
  if (terms.timeInForce === 'gtd' && terms.expireAt === undefined) return 'EXPIRE_TIME_INVALID'
  return terms.quantity > 0n ? undefined : 'QUANTITY_INVALID'
}

export function enterOrder(
  terms: OrderTerms,
  entry: {
    readonly venueOrderId: string
    readonly clockMs: number
    readonly sessionCloseMs: number
    readonly latencyMs: number
    readonly carried?: Quantity
  },
): PaperOrder {
  const { account, clientOrderId, symbol, side, type, timeInForce, quantity } = terms
  const { limitPrice, stopPrice } = terms
  const { venueOrderId, carried = 0n } = entry
  return {
    ...{ account, clientOrderId, symbol, side, type, timeInForce, quantity, limitPrice, stopPrice },
    venueOrderId,
    status: carried > 0n ? 'partially_filled' : 'new',
    isTriggered: false,
    activeAtMs: entry.clockMs + entry.latencyMs,
    expireAtMs: expiryOf(terms, entry.sessionCloseMs),
    cum: carried,
    carried,
    trades: 0,
    version: 0,
    replacedBy: undefined,
  }
}

function expiryOf(terms: OrderTerms, sessionCloseMs: number): number | undefined {
  if (terms.timeInForce === 'gtc') return undefined
  return terms.timeInForce === 'gtd' ? terms.expireAt : sessionCloseMs
}

/** The order held against the market once; undefined when that changes nothing. */
function workOrder(
  order: PaperOrder,
  market: PaperMarket,
  rules: PaperRules,
): PaperStep | undefined {
  // At the very end it is still worked: a day's bar ends when its orders do.
  if (order.expireAtMs !== undefined && market.clockMs > order.expireAtMs) return undefined
  const { seed, ...options } = rules
  const random = lazyRandom(() => seedOf(seed, `${order.clientOrderId}/${order.trades}`))
  const leaves = order.quantity - order.cum
  const match = matchOrder({ ...order, leaves }, market, { ...options, random })
  const isSame = match.isTriggered === order.isTriggered && match.end === undefined
  if (match.trade === undefined && isSame) return undefined
  return { order: matched(order, match, market), events: eventsOf(order, match, { market, rules }) }
}

/** Orders of one symbol, one after another: what the first take is gone for the next. */
export function workTogether(
  orders: readonly PaperOrder[],
  market: PaperMarket,
  rules: PaperRules,
): readonly (PaperStep | undefined)[] {
  let { barVolumeUsed } = market
  return orders.map((order) => {
    const step = workOrder(order, { ...market, barVolumeUsed }, rules)
    if (step !== undefined) barVolumeUsed += step.order.cum - order.cum
    return step
  })
}

/** Most matches draw nothing. */
function lazyRandom(seed: () => number): () => number {
  let random: (() => number) | undefined
  return () => {
    random ??= seededRandom(seed())
    return random()
  }
}

function matched(order: PaperOrder, match: Match, market: PaperMarket): PaperOrder {
  const { trade, isTriggered, end } = match
  const changed = { ...order, isTriggered, version: order.version + 1 }
  if (trade === undefined) return end === undefined ? changed : { ...changed, status: 'canceled' }
  const cum = order.cum + trade.quantity
  const open = end ?? 'partially_filled'
  const status = cum === order.quantity ? 'filled' : open
  // The bar that filled it is its past: applied once more, it fills nothing.
  const activeAtMs = Math.max(order.activeAtMs, market.bar?.time ?? 0)
  return { ...changed, cum, trades: order.trades + 1, status, activeAtMs }
}

function eventsOf(
  order: PaperOrder,
  { trade, end }: Match,
  { market, rules }: { readonly market: PaperMarket; readonly rules: PaperRules },
): readonly VenueEvent[] {
  const events: VenueEvent[] = []
  if (trade !== undefined) {
    const tradeId = `${order.venueOrderId}-${order.trades + 1}`
    const fee = feeOf(trade, rules)
    events.push({ type: 'trade', trade: { ...trade, tradeId, fee, at: market.clockMs } })
  }
  if (end !== undefined) events.push({ type: 'canceled', reason: order.timeInForce })
  return events
}

export function isOpen({ status }: PaperOrder): boolean {
  return status === 'new' || status === 'partially_filled'
}

export function cancelOrder(order: PaperOrder, reason: string): PaperStep {
  return {
    order: { ...order, status: 'canceled', version: order.version + 1 },
    events: [{ type: 'canceled', reason }],
  }
}

/** IOC and FOK that waited for a market end as cancelled, as they would at once. */
export function expireOrder(order: PaperOrder): PaperStep {
  if (order.timeInForce === 'ioc' || order.timeInForce === 'fok') {
    return cancelOrder(order, order.timeInForce)
  }
  return {
    order: { ...order, status: 'expired', version: order.version + 1 },
    events: [{ type: 'expired' }],
  }
}

/** Why a successor cannot take the order's place, or undefined. */
export function replaceRefusalOf(order: PaperOrder, successor: OrderTerms): string | undefined {
  if (!isOpen(order)) return 'ORDER_NOT_REPLACEABLE'
  if (successor.quantity <= order.cum) return 'QUANTITY_NOT_ABOVE_FILLED'
  return successor.symbol === order.symbol && successor.side === order.side
    ? undefined
    : 'REPLACEMENT_INVALID'
}

export function replaceOrder(order: PaperOrder, successor: PaperOrder): PaperStep {
  const { clientOrderId: successorClientOrderId, venueOrderId } = successor
  return {
    order: {
      ...order,
      status: 'replaced',
      version: order.version + 1,
      replacedBy: successorClientOrderId,
    },
    events: [{ type: 'replaced', successorClientOrderId, venueOrderId }],
  }
}

export function viewOf(order: PaperOrder): VenueOrderView {
  return {
    clientOrderId: order.clientOrderId,
    venueOrderId: order.venueOrderId,
    status: order.status,
    symbol: order.symbol,
    quantity: order.quantity,
    cumQuantity: order.cum,
    replacedBy: order.replacedBy,
  }
}
