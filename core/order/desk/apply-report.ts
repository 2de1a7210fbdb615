import type { OrderEvent, OrderTerms } from '../order.ts'
import { newOrder } from '../transition.ts'
import type { VenueReport } from '../venue.ts'
import type { DeskWork } from './desk-transaction.ts'
import type { DeskOrder } from './desk-view.ts'
import type { RefusedReport } from './report-quarantine.ts'

/** `moved`: what was refused before may be possible now. */
export type Applied = 'moved' | 'unchanged' | RefusedReport

export function applyReport(work: DeskWork, report: VenueReport): Applied {
  const { desk } = work
  const order = desk.orderByClientId(report.account, report.clientOrderId)
  if (order === undefined) {
    return { report, orderId: undefined, symbol: undefined, code: 'UNKNOWN_ORDER' }
  }
  if (report.event.type === 'replaced') return replaceOrder(work, order, report)
  const result = desk.move(order, eventOf(report.event))
  if (result.kind === 'unchanged') return 'unchanged'
  if (result.kind === 'refused') return refusedReport(order, report, result.code)
  // A fill that comes late takes from the successor's quantity too.
  return tellSuccessor(work, order, report) ?? 'moved'
}

function refusedReport({ state }: DeskOrder, report: VenueReport, code: string): RefusedReport {
  return { report, orderId: state.terms.id, symbol: state.terms.symbol, code }
}

type ReportEvent = VenueReport['event']

function eventOf(event: Exclude<ReportEvent, { type: 'replaced' }>): OrderEvent {
  switch (event.type) {
    case 'ack':
      return { type: 'venue.ack', venueOrderId: event.venueOrderId }
    case 'reject':
      return { type: 'venue.reject', code: event.code, raw: event.raw }
    case 'trade':
      return { type: 'trade', trade: event.trade }
    case 'canceled':
      return { type: 'venue.canceled', reason: event.reason }
    case 'cancel_rejected':
      return { type: 'cancel.reject', code: event.code }
    case 'replace_rejected':
      return { type: 'replace.reject', code: event.code }
    case 'expired':
      return { type: 'expire' }
    case 'done_for_day':
      return { type: 'done_for_day' }
    case 'suspended':
      return { type: 'suspend' }
    case 'trade_cancel':
      return { type: 'trade_cancel', tradeId: event.tradeId }
    case 'trade_correct':
      return { type: 'trade_correct', tradeId: event.tradeId, trade: event.trade }
  }
}

type ReplacedReport = VenueReport & {
  readonly event: Extract<ReportEvent, { type: 'replaced' }>
}

function isReplaced(report: VenueReport): report is ReplacedReport {
  return report.event.type === 'replaced'
}

/** The old order ends, and its successor begins where it stood: one step, never half of it. */
function replaceOrder(work: DeskWork, order: DeskOrder, report: VenueReport): Applied {
  const { desk, at } = work
  const { replacement, terms } = order.state
  const reserved = order.replacementReserved
  const successor = replacement?.successor ?? order.state.replacedBy
  if (successor === undefined || !isReplaced(report)) {
    return refusedReport(order, report, 'INVALID_TRANSITION')
  }
  const result = desk.move(order, { type: 'replaced', successor })
  if (result.kind === 'unchanged') return 'unchanged'
  if (result.kind === 'refused') return refusedReport(order, report, result.code)
  if (replacement === undefined) return 'moved'
  const next: DeskOrder = {
    origin: order.origin,
    requested: replacement.patch.quantity ?? terms.quantity,
    receivedAt: at,
    twin: order.twin,
    state: newOrder(successorTerms(terms, replacement, report.event.successorClientOrderId)),
    reserved,
    replacementReserved: 0n,
  }
  desk.enter(next)
  desk.move(next, { type: 'submit', requested: next.requested, replaces: terms.id })
  return succeed(work, { order, next, venueOrderId: report.event.venueOrderId, report })
}

type Succession = {
  readonly order: DeskOrder
  readonly next: DeskOrder
  readonly venueOrderId: string
  readonly report: VenueReport
}

function succeed(work: DeskWork, { order, next, venueOrderId, report }: Succession): Applied {
  const { terms, cumQuantity, cumMoney } = order.state
  const result = work.desk.move(next, {
    type: 'succeed',
    replaces: terms.id,
    venueOrderId,
    cumQuantity,
    cumMoney,
  })
  return result.kind === 'refused' ? refusedReport(next, report, result.code) : 'moved'
}

function tellSuccessor(
  work: DeskWork,
  order: DeskOrder,
  report: VenueReport,
): RefusedReport | undefined {
  const { replacedBy } = order.state
  const next = replacedBy === undefined ? undefined : work.desk.order(replacedBy)
  const venueOrderId = next?.state.venueOrderId
  if (next === undefined || venueOrderId === undefined) return undefined
  const applied = succeed(work, { order, next, venueOrderId, report })
  if (typeof applied !== 'string') return applied
  return tellSuccessor(work, next, report)
}

export function successorTerms(
  terms: OrderTerms,
  { successor, patch }: NonNullable<DeskOrder['state']['replacement']>,
  clientOrderId: string,
): OrderTerms {
  const { timeInForce = terms.timeInForce } = patch
  return {
    ...terms,
    id: successor,
    clientOrderId,
    quantity: patch.quantity ?? terms.quantity,
    limitPrice: patch.limitPrice ?? terms.limitPrice,
    stopPrice: patch.stopPrice ?? terms.stopPrice,
    timeInForce,
    // A day's end is none of an order for several days.
    expireAt: timeInForce === terms.timeInForce ? terms.expireAt : undefined,
  }
}
