import { formatAmount } from './amount.ts'
import { bookTrade, cancelTrade, carryOver, correctTrade, type Filled } from './book-trade.ts'
import { type OrderEvent, type OrderState, type Trade, terminalStatuses } from './order.ts'

/** `OVERFILL` and `VENUE_ORDER_MISMATCH`: the venue has more of us than we asked for. */
export type TransitionRefusal =
  | 'INVALID_TRANSITION'
  | 'ORDER_PENDING_REPLACE'
  | 'QUANTITY_BELOW_FILLED'
  | 'OVERFILL'
  | 'UNKNOWN_TRADE'
  | 'TRADE_CANCELED'
  | 'VENUE_ORDER_MISMATCH'

export type Unchanged = { readonly kind: 'unchanged'; readonly why: string }
export type Refused = {
  readonly kind: 'refused'
  readonly code: TransitionRefusal
  readonly detail: string
}
type Changes = { readonly kind: 'changes'; readonly changes: Partial<OrderState> }

/** What an event changes beside the status, or why it may not. */
export function changesOf(state: OrderState, event: OrderEvent): Changes | Unchanged | Refused {
  switch (event.type) {
    case 'submit':
      return changed({ replaces: event.replaces })
    case 'risk.deny':
      return changed({ rejectCode: event.code, rejectDetails: event.details })
    case 'risk.pass':
      return changed({ warnings: event.warnings })
    case 'resume':
      return resume(state, event.quantity)
    case 'worker.sent':
      // Two workers with the same attempt would both send.
      return event.attempt > state.attempts
        ? changed({ attempts: event.attempt })
        : refused('INVALID_TRANSITION', `attempt ${event.attempt} has been made`)
    case 'venue.ack':
      return acknowledge(state, event.venueOrderId)
    case 'venue.reject':
      return changed({ rejectCode: event.code })
    case 'trade':
    case 'trade_cancel':
    case 'trade_correct':
      return fill(state, event)
    case 'replace.request':
      return requestReplace(state, event)
    case 'replaced':
      return replaceBy(state, event.successor)
    case 'succeed':
      return succeed(state, event)
    default:
      return changed({})
  }
}

/** Nothing of it has been sent yet, so that it may be made smaller, and never larger. */
function resume(state: OrderState, quantity = state.terms.quantity): Changes | Refused {
  return quantity > 0n && quantity <= state.terms.quantity
    ? changed({ terms: { ...state.terms, quantity } })
    : refused('INVALID_TRANSITION', `cannot go on with ${formatAmount(quantity)}`)
}

function acknowledge(state: OrderState, venueOrderId: string): Changes | Unchanged | Refused {
  if (state.venueOrderId === undefined) return changed({ venueOrderId })
  return state.venueOrderId === venueOrderId
    ? unchanged('the acknowledgement is known')
    : refused('VENUE_ORDER_MISMATCH', `acknowledged as ${state.venueOrderId} before`)
}

type EventOf<T extends OrderEvent['type']> = Extract<OrderEvent, { type: T }>

function requestReplace(state: OrderState, event: EventOf<'replace.request'>): Changes | Refused {
  const quantity = event.patch.quantity ?? state.terms.quantity
  if (quantity <= state.cumQuantity) {
    return refused('QUANTITY_BELOW_FILLED', `${formatAmount(state.cumQuantity)} are filled`)
  }
  return changed({ replacement: { successor: event.successor, patch: event.patch } })
}

function replaceBy(state: OrderState, successor: string): Changes | Refused {
  const expected = state.replacedBy ?? state.replacement?.successor
  return successor === expected
    ? changed({ replacedBy: successor })
    : refused('INVALID_TRANSITION', `the successor is ${expected}, not ${successor}`)
}

function succeed(state: OrderState, event: EventOf<'succeed'>): Changes | Unchanged | Refused {
  if (state.replaces !== event.replaces) {
    return refused('INVALID_TRANSITION', `the order does not replace ${event.replaces}`)
  }
  if (state.venueOrderId !== undefined && state.venueOrderId !== event.venueOrderId) {
    return refused('VENUE_ORDER_MISMATCH', `acknowledged as ${state.venueOrderId} before`)
  }
  const filled = carryOver(state, event)
  const isNew =
    state.venueOrderId === undefined ||
    filled.cumQuantity !== state.cumQuantity ||
    filled.cumMoney !== state.cumMoney
  if (!isNew) return unchanged('the succession is known')
  return fitted(state, { ...filled, venueOrderId: event.venueOrderId })
}

function fill(
  state: OrderState,
  event: EventOf<'trade' | 'trade_cancel' | 'trade_correct'>,
): Changes | Unchanged | Refused {
  if (event.type !== 'trade_cancel' && event.trade.quantity <= 0n) {
    return refused('INVALID_TRANSITION', 'a trade has a quantity above 0')
  }
  if (event.type === 'trade') {
    const lateFill = state.lateFill || terminalStatuses.has(state.status)
    return fitted(state, { ...bookTrade(state, event.trade), lateFill })
  }
  const standing = state.trades.get(event.tradeId)
  if (standing === undefined) {
    return refused('UNKNOWN_TRADE', `no trade ${event.tradeId} of this order`)
  }
  if (event.type === 'trade_correct') return correct(state, standing, event.trade)
  // A venue may report a bust twice; there is no bust of a bust that would bring a trade back.
  if (standing.quantity === 0n) return unchanged(`trade ${event.tradeId} is canceled`)
  return fitted(state, cancelTrade(state, standing))
}

function correct(
  state: OrderState,
  standing: Trade,
  corrected: Trade,
): Changes | Unchanged | Refused {
  const known = state.trades.get(corrected.tradeId)
  const isInPlace = known === standing
  if (standing.quantity === 0n) {
    return known === undefined || isInPlace
      ? refused('TRADE_CANCELED', `trade ${standing.tradeId} is canceled for good`)
      : unchanged(`trade ${standing.tradeId} is corrected`)
  }
  const isSame =
    corrected.quantity === standing.quantity &&
    corrected.price === standing.price &&
    corrected.fee === standing.fee
  if (isInPlace && isSame) return unchanged(`trade ${standing.tradeId} is corrected`)
  return fitted(state, correctTrade(state, standing, corrected))
}

/** Never more than was ordered: that is for a person, and for reconciliation. */
function fitted(state: OrderState, changes: Filled & Partial<OrderState>): Changes | Refused {
  if (changes.cumQuantity <= state.terms.quantity) return changed(changes)
  const cum = formatAmount(changes.cumQuantity)
  return refused('OVERFILL', `${cum} filled of ${formatAmount(state.terms.quantity)}`)
}

function changed(changes: Partial<OrderState>): Changes {
  return { kind: 'changes', changes }
}

export function unchanged(why: string): Unchanged {
  return { kind: 'unchanged', why }
}

export function refused(code: TransitionRefusal, detail: string): Refused {
  return { kind: 'refused', code, detail }
}
