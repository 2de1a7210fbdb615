import type { Money, Quantity } from './amount.ts'
import { ownFilled } from './book-trade.ts'
import { type OrderState, type OrderStatus, terminalStatuses } from './order.ts'

const unfilled: ReadonlySet<OrderStatus> = new Set([
  'received',
  'denied',
  'accepted',
  'held',
  'pending_new',
  'new',
])

/**
 * What is wrong with an order in itself; empty when nothing is. `carried` is what a successor was
 * given by its predecessor, `sequence` the numbers of its stored events in order.
 */
export function orderFaults(
  state: OrderState,
  beside: {
    readonly carried?: { readonly cumQuantity: Quantity; readonly cumMoney: Money }
    readonly sequence?: readonly number[]
  } = {},
): readonly string[] {
  const { cumQuantity: cum, leavesQuantity: leaves, status, terms } = state
  const isEnded = terminalStatuses.has(status)
  const own = ownFilled(state)
  const carried = beside.carried ?? { cumQuantity: 0n, cumMoney: 0n }
  const { sequence } = beside
  const isContiguous =
    sequence === undefined ||
    (sequence.length === state.seq && sequence.every((number, at) => number === at))
  const holds: Readonly<Record<string, boolean>> = {
    'cum quantity is between 0 and the quantity': cum >= 0n && cum <= terms.quantity,
    'quantity = cum + leaves while open': isEnded || cum + leaves === terms.quantity,
    'nothing is left of an ended order': !isEnded || leaves === 0n,
    'the trades add up to cum quantity': own.cumQuantity + carried.cumQuantity === cum,
    'the trades add up to cum money': own.cumMoney + carried.cumMoney === state.cumMoney,
    'a full order is filled': isFilledRight(state),
    'an unfilled status has no fills': !unfilled.has(status) || cum === 0n,
    'a partial fill is one': status !== 'partially_filled' || cum > 0n,
    'a replacement pends in pending_replace only':
      (state.replacement !== undefined) === (status === 'pending_replace'),
    'a replaced order names its successor':
      (state.replacedBy !== undefined) === (status === 'replaced'),
    'a refusal has a code':
      (state.rejectCode !== undefined) === (status === 'denied' || status === 'rejected'),
    'no trade has a negative quantity': state.trades
      .values()
      .every(({ quantity }) => quantity >= 0n),
    'events are numbered from 0 without a gap': isContiguous,
  }
  return Object.keys(holds).filter((rule) => holds[rule] === false)
}

/** A replaced order can be full by a late trade, and keeps pointing at its successor. */
function isFilledRight({ status, cumQuantity, terms }: OrderState): boolean {
  const isFull = cumQuantity === terms.quantity
  return status === 'replaced' || isFull === (status === 'filled')
}
