import type { DrawdownState } from '../../market/drawdown-breaker.ts'
import type { Money, Quantity } from '../amount.ts'
import type { OrderState } from '../order.ts'
import { terminalStatuses } from '../order.ts'
import type { Position } from '../position.ts'
import type { NotionalWindow } from './notional-window.ts'

export const marketClocks = ['live', 'replay'] as const
export type MarketClock = (typeof marketClocks)[number]

/** An account as its locked row says. Changed by `Desk.move` alone. */
export type DeskAccount = {
  readonly id: string
  readonly venue: string
  readonly clock: MarketClock
  readonly isShortAllowed: boolean
  readonly drawdown: DrawdownState | undefined
  cash: Money
  reserved: Money
  openOrders: number
  readonly notionalWindow: NotionalWindow
}

export type OrderOrigin = {
  readonly issuer: string
  readonly subject: string
  readonly requestId: string
  readonly traceparent: string | undefined
}

export type DeskOrder = {
  readonly origin: OrderOrigin
  /** Before sizing. */
  readonly requested: Quantity
  readonly receivedAt: Date
  readonly twin: bigint
  state: OrderState
  /** Buying power of the whole order; `heldBy` says what of it is still held. */
  reserved: Money
  /** The same for the successor of a replacement under way. */
  replacementReserved: Money
}

export type DeskPosition = { position: Position; openBuy: Quantity; openSell: Quantity }

/** What an order takes from its account. */
export type Held = { readonly money: Money; readonly quantity: Quantity; readonly orders: number }

const nothingHeld: Held = { money: 0n, quantity: 0n, orders: 0 }

/**
 * What an order holds of its account: buying power for what it may still fill, the larger of the
 * two while a replacement is under way. Nothing before it has passed and after it has ended.
 */
export function heldBy({ state, reserved, replacementReserved }: DeskOrder): Held {
  const { status, terms, leavesQuantity, replacement, cumQuantity } = state
  if (status === 'received' || terminalStatuses.has(status)) return nothingHeld
  const own = ceilingPart(reserved, leavesQuantity, terms.quantity)
  const next = replacement?.patch.quantity ?? terms.quantity
  const isReplacing = replacement !== undefined
  const nextLeaves = isReplacing ? next - cumQuantity : 0n
  const other = isReplacing ? ceilingPart(replacementReserved, nextLeaves, next) : 0n
  return {
    money: own > other ? own : other,
    quantity: leavesQuantity > nextLeaves ? leavesQuantity : nextLeaves,
    orders: 1,
  }
}

/** Rounded up: what is held is never too little. */
function ceilingPart(whole: Money, part: Quantity, of: Quantity): Money {
  if (of === 0n) return 0n
  return (whole * part + of - 1n) / of
}

export function isOpenOrder({ status }: OrderState): boolean {
  return status !== 'received' && !terminalStatuses.has(status)
}

/** An account and a symbol have no space; the pair is a key without ambiguity. */
export function positionKey(account: string, symbol: string): string {
  return `${account} ${symbol}`
}
