import { changesOf, type Refused, refused, type Unchanged, unchanged } from './event-changes.ts'
import {
  type OrderEvent,
  type OrderState,
  type OrderStatus,
  type OrderTerms,
  terminalStatuses,
} from './order.ts'
import { type Outcome, transitionTable } from './transition-table.ts'

/**
 * `moved`: the event belongs in the log, also where the status stands. `unchanged`: it says
 * nothing new and is not logged. `refused`: a request is answered with 409, a report quarantined.
 */
export type Transition =
  | { readonly kind: 'moved'; readonly state: OrderState }
  | Unchanged
  | Refused

/** The order before its first event, which must be `submit`. */
export function newOrder(terms: OrderTerms): OrderState {
  return {
    terms,
    seq: 0,
    status: 'received',
    previous: undefined,
    cumQuantity: 0n,
    cumMoney: 0n,
    leavesQuantity: terms.quantity,
    attempts: 0,
    venueOrderId: undefined,
    rejectCode: undefined,
    rejectDetails: [],
    warnings: [],
    replaces: undefined,
    replacedBy: undefined,
    replacement: undefined,
    lateFill: false,
    trades: new Map(),
  }
}

/** What one event does to an order. A request that an ended order had pending failed: too late. */
export function transition(state: OrderState, event: OrderEvent): Transition {
  if (event.type === 'trade' && state.trades.has(event.trade.tradeId)) {
    return unchanged(`trade ${event.trade.tradeId} is known`)
  }
  const outcome = transitionTable[event.type][state.status]
  if (outcome === undefined || isBeforeItsTime(state, event)) return invalid(state, event)
  if (outcome === 'awaits_replace') {
    return refused('ORDER_PENDING_REPLACE', 'a replacement of the order is under way')
  }
  const change = changesOf(state, event)
  if (change.kind !== 'changes') return change
  if (outcome === 'nothing') return unchanged(`${event.type} says nothing new in ${state.status}`)
  return { kind: 'moved', state: move(state, change.changes, outcome) }
}

/** `submit` comes first and once; no venue tells of an order that ended before it was sent. */
function isBeforeItsTime(state: OrderState, event: OrderEvent): boolean {
  if ((event.type === 'submit') !== (state.seq === 0)) return true
  return (
    terminalStatuses.has(state.status) && state.attempts === 0 && state.venueOrderId === undefined
  )
}

function move(state: OrderState, changes: Partial<OrderState>, outcome: Settled): OrderState {
  const next = { ...state, ...changes }
  const status = statusAfter(next, outcome)
  const isEnded = terminalStatuses.has(status)
  return {
    ...next,
    seq: state.seq + 1,
    status,
    previous: status === state.status ? state.previous : previousAfter(state, status, outcome),
    leavesQuantity: isEnded ? 0n : next.terms.quantity - next.cumQuantity,
    replacement: status === 'pending_replace' ? next.replacement : undefined,
  }
}

type Settled = Exclude<Outcome, 'nothing' | 'awaits_replace'>

function statusAfter(next: OrderState, outcome: Settled): OrderStatus {
  switch (outcome) {
    case 'stays':
      return next.status
    case 'by_quantity':
      return statusByQuantity(next)
    case 'returns':
      return next.previous === 'done_for_day' || next.previous === 'suspended'
        ? next.previous
        : openStatus(next)
    default:
      return outcome
  }
}

/** A full order is filled, over whatever was pending; a part that is filled changes only new ones. */
function statusByQuantity(next: OrderState): OrderStatus {
  // The successor goes on with the rest, so the predecessor cannot be filled any more.
  if (next.status === 'replaced') return 'replaced'
  if (next.cumQuantity === next.terms.quantity) return 'filled'
  switch (next.status) {
    case 'received':
    case 'accepted':
    case 'pending_new':
    case 'new':
    case 'partially_filled':
      return openStatus(next)
    case 'filled':
      // A bust raises LeavesQty again, unless the order had ended before a late trade filled it.
      return next.previous ?? openStatus(next)
    default:
      return next.status
  }
}

function openStatus(state: OrderState): OrderStatus {
  return state.cumQuantity === 0n ? 'new' : 'partially_filled'
}

const remembering: ReadonlySet<OrderStatus> = new Set([
  'pending_cancel',
  'pending_replace',
  'done_for_day',
  'suspended',
])

function previousAfter(
  state: OrderState,
  status: OrderStatus,
  outcome: Settled,
): OrderStatus | undefined {
  if (outcome === 'returns') return undefined
  const isFilledLate = status === 'filled' && terminalStatuses.has(state.status)
  return remembering.has(status) || isFilledLate ? state.status : undefined
}

function invalid(state: OrderState, event: OrderEvent): Refused {
  return refused('INVALID_TRANSITION', `${event.type} is not possible in ${state.status}`)
}
