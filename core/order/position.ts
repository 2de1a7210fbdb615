import { absoluteOf, formatAmount, type Money, type Price, type Quantity } from './amount.ts'
import type { Side } from './order.ts'

/** What of an execution moves a position. */
export type Fill = {
  readonly side: Side
  readonly quantity: Quantity
  readonly price: Price
  readonly fee: Money
}

/**
 * Carries its cost, never an average price: what a division rounds stays in the cost and is
 * realised later, so that realised + unrealised - fees = change of cash + market value, exactly.
 */
export type Position = {
  /** Negative when short. */
  readonly quantity: Quantity
  /** What was paid for what is held; negative when short: what was received for it. */
  readonly cost: Money
  /** Since the position began, before fees. */
  readonly realised: Money
  readonly fees: Money
}

export const flat: Position = { quantity: 0n, cost: 0n, realised: 0n, fees: 0n }

/** By average cost. A fill that crosses zero closes all, and opens the remainder at its price. */
export function applyFill(position: Position, fill: Fill): Position {
  const { closing, opening } = splitFill(position.quantity, fill)
  // All of it takes all of the cost, whatever was rounded before.
  const held = absoluteOf(position.quantity)
  const removed = closing === 0n ? 0n : divideHalfEven(position.cost * absoluteOf(closing), held)
  return {
    quantity: position.quantity + closing + opening,
    cost: position.cost - removed + opening * fill.price,
    realised: position.realised - closing * fill.price - removed,
    fees: position.fees + fill.fee,
  }
}

/** The signed parts of a fill that reduce a position and that open one. */
export function splitFill(
  held: Quantity,
  fill: Pick<Fill, 'side' | 'quantity'>,
): { readonly closing: Quantity; readonly opening: Quantity } {
  const signed = fill.side === 'buy' ? fill.quantity : -fill.quantity
  if (held === 0n || held > 0n === signed > 0n) return { closing: 0n, opening: signed }
  const closing = absoluteOf(signed) < absoluteOf(held) ? signed : -held
  return { closing, opening: signed - closing }
}

/** What the fill does to cash, its fee included. */
export function cashEffect({ side, quantity, price, fee }: Fill): Money {
  return (side === 'buy' ? -quantity * price : quantity * price) - fee
}

export function marketValue({ quantity }: Pick<Position, 'quantity'>, mark: Price): Money {
  return quantity * mark
}

export function unrealised(position: Pick<Position, 'quantity' | 'cost'>, mark: Price): Money {
  return marketValue(position, mark) - position.cost
}

/** For presentation: half-even to nine decimals; undefined when flat. */
export function averagePriceText({
  quantity,
  cost,
}: Pick<Position, 'quantity' | 'cost'>): string | undefined {
  if (quantity === 0n) return undefined
  return formatAmount(divideHalfEven(absoluteOf(cost), absoluteOf(quantity)))
}

/** The quotient rounded half to even; the divisor is above 0. */
function divideHalfEven(dividend: bigint, divisor: bigint): bigint {
  if (dividend < 0n) return -divideHalfEven(-dividend, divisor)
  const quotient = dividend / divisor
  const twice = (dividend % divisor) * 2n
  const isUp = twice > divisor || (twice === divisor && quotient % 2n === 1n)
  return isUp ? quotient + 1n : quotient
}
