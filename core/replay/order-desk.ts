import { invariant } from '../invariant.ts'
import type { Bar, Quote } from '../market/bar.ts'
import type { Money, Quantity } from '../order/amount.ts'
import type { CheckResult } from '../order/check-input.ts'
import { checkOrder } from '../order/check-order.ts'
import type { OrderEvent, OrderState, OrderTerms, Side } from '../order/order.ts'
import { applyFill, cashEffect, flat, type Position } from '../order/position.ts'
import { newOrder, transition } from '../order/transition.ts'
import { matchOrder } from '../order/venue/paper-match.ts'
import { feeOf } from '../order/venue/paper-price.ts'
import {
  type AskedOrder,
  type DeskMarket,
  entryOf,
  type RecentOrders,
  recentOrders,
} from './order-entry.ts'
import type { OrderTally } from './order-tally.ts'
import { type ReplayRules, replayAccount } from './replay-rules.ts'

/** An order that the desk has to look after. */
export type DeskOrder = {
  state: OrderState
  /** Before sizing; what a held order is checked with again. */
  readonly requested: Quantity
  readonly buyingPower: Money
  isTriggered: boolean
  readonly activeAtMs: number
}

/** The account and its live orders. */
export type Desk = {
  cash: Money
  position: Position
  /** With the venue. */
  open: DeskOrder[]
  /** With us, until trading goes on. */
  held: DeskOrder[]
  entered: number
  readonly recent: RecentOrders
  readonly rules: ReplayRules
  readonly tally: OrderTally
  readonly symbol: string
}

export function openDesk(options: {
  readonly cash: Money
  readonly symbol: string
  readonly rules: ReplayRules
  readonly tally: OrderTally
}): Desk {
  return { ...options, position: flat, open: [], held: [], entered: 0, recent: recentOrders() }
}

/** A transition that the desk itself asks for can only be refused by a bug. */
function move(state: OrderState, event: OrderEvent): OrderState {
  const result = transition(state, event)
  invariant(result.kind === 'moved', `${event.type} moves an order in ${state.status}`)
  return result.state
}

/** Checks an order and enters it, passed, held or denied. */
export function enterOrder(desk: Desk, asked: AskedOrder, market: DeskMarket): CheckResult {
  desk.entered += 1
  const terms = termsOf(desk, asked)
  const result = checkOrder(entryOf(desk, terms, market))
  desk.recent.entered(terms, result, market.clockMs)
  const quantity = result.verdict === 'deny' ? terms.quantity : result.quantity
  const state = move(newOrder({ ...terms, quantity }), {
    type: 'submit',
    requested: terms.quantity,
  })
  if (result.verdict === 'deny') {
    const { code, details } = result
    desk.tally.end(move(state, { type: 'risk.deny', code, details }))
    return result
  }
  const passed = move(state, { type: 'risk.pass', warnings: result.warnings })
  const order = { requested: terms.quantity, buyingPower: result.reservation.buyingPower }
  if (result.verdict === 'pass') {
    send(desk, { ...order, state: passed, isTriggered: false, activeAtMs: activeAt(desk, market) })
    return result
  }
  const held = move(passed, { type: 'halt', reason: result.reason ?? '' })
  desk.held.push({
    ...order,
    state: held,
    isTriggered: false,
    activeAtMs: Number.POSITIVE_INFINITY,
  })
  return result
}

function activeAt({ rules }: Desk, { clockMs }: DeskMarket): number {
  return clockMs + rules.paper.latencyMs
}

function termsOf({ symbol, entered }: Desk, asked: AskedOrder): OrderTerms {
  return {
    id: `replay-${entered}`,
    account: replayAccount,
    clientOrderId: `replay-${entered}`,
    symbol,
    side: asked.side,
    type: 'market',
    timeInForce: asked.timeInForce,
    quantity: asked.quantity,
    limitPrice: undefined,
    stopPrice: undefined,
    expireAt: undefined,
    strategy: asked.strategy,
    reduceOnly: false,
  }
}

/** The paper venue acknowledges at once; from then on it works the order. */
function send(desk: Desk, order: DeskOrder): void {
  const { terms } = order.state
  const sent = move(order.state, { type: 'worker.sent', attempt: 1 })
  order.state = move(sent, { type: 'venue.ack', venueOrderId: `paper-${terms.id}` })
  if (opens(desk.position.quantity, terms.side)) {
    desk.tally.entry(terms.quantity, order.requested)
  }
  desk.open.push(order)
}

function opens(position: Quantity, side: Side): boolean {
  return side === 'buy' ? position >= 0n : position <= 0n
}

/** Held orders run all checks again, with what was asked for; what fails now is denied. */
export function releaseHeld(desk: Desk, market: DeskMarket): void {
  const waiting = desk.held
  desk.held = []
  for (const order of waiting) {
    const { terms } = order.state
    const result = checkOrder(entryOf(desk, { ...terms, quantity: order.requested }, market))
    if (result.verdict === 'hold') desk.held.push(order)
    else if (result.verdict === 'deny') {
      const { code, details } = result
      desk.tally.end(move(order.state, { type: 'risk.deny', code, details }))
    } else {
      const { quantity, reservation } = result
      const sized = { ...order.state, terms: { ...terms, quantity }, leavesQuantity: quantity }
      const { buyingPower } = reservation
      const state = move(sized, { type: 'resume' })
      send(desk, { ...order, state, buyingPower, activeAtMs: activeAt(desk, market) })
    }
  }
}

export type VenueBar = {
  readonly startMs: number
  readonly bar: Bar
  readonly quote: Quote | undefined
  /** Nobody traded in some part of the bar. */
  readonly isHalted: boolean
  readonly random: () => number
}

/** Holds the open orders against a bar. */
export function matchOpen(desk: Desk, venue: VenueBar): void {
  let used = 0n
  let hasEnded = false
  for (const order of desk.open) {
    // A bar that began before the order is its past: its open is no price for it.
    if (order.activeAtMs > venue.startMs) continue
    const { state } = order
    const match = matchOrder(
      workedOrder(order),
      { ...venue, clockMs: venue.bar.time, barVolumeUsed: used },
      { ...desk.rules.paper, random: venue.random },
    )
    order.isTriggered = match.isTriggered
    if (match.trade !== undefined) {
      used += match.trade.quantity
      bookTrade(desk, order, { ...match.trade, venue })
    }
    if (match.end !== undefined && order.state === state) cancel(order, match.end)
    hasEnded ||= !isLive(order)
  }
  if (hasEnded) removeEnded(desk)
}

function workedOrder({ state, isTriggered, activeAtMs }: DeskOrder) {
  const { side, type, limitPrice, stopPrice, timeInForce } = state.terms
  const leaves = state.leavesQuantity
  return { side, type, limitPrice, stopPrice, timeInForce, leaves, isTriggered, activeAtMs }
}

function bookTrade(
  desk: Desk,
  order: DeskOrder,
  { quantity, price, venue }: { quantity: Quantity; price: bigint; venue: VenueBar },
): void {
  const { terms, trades } = order.state
  const fee = feeOf({ quantity, price }, desk.rules.paper)
  // A market order meets the open.
  const at = terms.type === 'market' ? venue.startMs : venue.bar.time
  const tradeId = `${terms.id}-${trades.size + 1}`
  order.state = move(order.state, { type: 'trade', trade: { tradeId, quantity, price, fee, at } })
  const fill = { side: terms.side, quantity, price, fee }
  desk.position = applyFill(desk.position, fill)
  desk.cash += cashEffect(fill)
  desk.recent.filled(terms.side, at)
  desk.tally.trade({ timeMs: at, side: terms.side, quantity, price })
}

function cancel(order: DeskOrder, reason: string): void {
  order.state = move(order.state, { type: 'venue.canceled', reason })
}

/** Cancels what is live on one side: a strategy that has changed its mind. */
export function cancelSide(desk: Desk, side: Side): void {
  for (const order of [...desk.open, ...desk.held]) {
    if (order.state.terms.side !== side) continue
    order.state = move(order.state, { type: 'cancel.request' })
    if (order.state.status === 'pending_cancel') cancel(order, 'requested')
  }
  removeEnded(desk)
}

/** The session is over for what was good for it only; at the end of a replay, for everything. */
export function expireOrders(desk: Desk, isLast = false): void {
  for (const order of [...desk.open, ...desk.held]) {
    if (!isLast && order.state.terms.timeInForce !== 'day') continue
    order.state = move(order.state, { type: 'expire' })
  }
  removeEnded(desk)
}

function isLive({ state }: DeskOrder): boolean {
  return state.leavesQuantity > 0n
}

function removeEnded(desk: Desk): void {
  for (const order of [...desk.open, ...desk.held]) {
    if (!isLive(order)) desk.tally.end(order.state)
  }
  desk.open = desk.open.filter(isLive)
  desk.held = desk.held.filter(isLive)
}
