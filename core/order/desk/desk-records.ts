import { type AuditRecord, type AuditType, systemRecord } from '../../audit/record.ts'
import { formatAmount } from '../amount.ts'
import type { DeskChanges, DeskEvent } from './desk.ts'
import type { DeskOrder } from './desk-view.ts'

/** One record for each order that moved, with all that moved it in this transaction. */
export function changeRecords(changes: DeskChanges, at: Date): AuditRecord[] {
  const byOrder = Map.groupBy(
    changes.events.filter(({ order }) => !changes.entered.has(order)),
    ({ order }) => order,
  )
  return [
    ...[...byOrder].map(([order, events]) => changeRecord(order, events, at)),
    ...changes.quarantined.map(({ account, orderId, code, report }) =>
      systemRecord({
        id: Bun.randomUUIDv7(),
        type: 'order.quarantined',
        at,
        target: orderId === undefined ? `account/${account}` : `order/${orderId}`,
        outcome: 'failed',
        reason: code,
        details: { account, report },
      }),
    ),
  ]
}

function changeRecord(order: DeskOrder, events: readonly DeskEvent[], at: Date): AuditRecord {
  const { state, origin } = order
  const type: AuditType = state.status === 'held' ? 'order.held' : 'order.changed'
  return systemRecord({
    id: Bun.randomUUIDv7(),
    type,
    at,
    target: `order/${state.terms.id}`,
    outcome: 'ok',
    requestId: origin.requestId,
    traceparent: origin.traceparent,
    details: {
      account: state.terms.account,
      events: events.map(({ event }) => event.type),
      status: state.status,
      cumQuantity: formatAmount(state.cumQuantity),
      trades: events.flatMap(({ event }) =>
        event.type === 'trade'
          ? [
              {
                id: event.trade.tradeId,
                quantity: formatAmount(event.trade.quantity),
                price: formatAmount(event.trade.price),
              },
            ]
          : [],
      ),
    },
  })
}
