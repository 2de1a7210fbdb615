import { parseAmount } from '#core/order/amount.ts'
import { foldOrder } from '#core/order/fold-order.ts'
import type { OrderEvent, OrderEventType, OrderState, OrderStatus } from '#core/order/order.ts'
import { transition } from '#core/order/transition.ts'
import { orderTerms, succession, trade } from './order-generator.ts'

export const submit: OrderEvent = {
  type: 'submit',
  requested: parseAmount('12'),
  replaces: 'predecessor',
}
export const fill = (id: string, quantity: string, price?: string): OrderEvent => ({
  type: 'trade',
  trade: trade(id, quantity, price),
})
export const ack: OrderEvent = { type: 'venue.ack', venueOrderId: 'V1' }
export const canceled: OrderEvent = { type: 'venue.canceled', reason: 'ioc' }

/** One of each. The order is of 10 and is a successor, so that none is refused by what it says. */
export const events: Readonly<Record<OrderEventType, OrderEvent>> = {
  submit,
  'risk.deny': { type: 'risk.deny', code: 'MAX_ORDER_SIZE', details: ['too large'] },
  'risk.pass': { type: 'risk.pass', warnings: [] },
  halt: { type: 'halt', reason: 'level 1' },
  resume: { type: 'resume' },
  'cancel.request': { type: 'cancel.request' },
  expire: { type: 'expire' },
  'worker.sent': { type: 'worker.sent', attempt: 2 },
  'venue.ack': ack,
  'venue.reject': { type: 'venue.reject', code: 'halted', raw: '{}' },
  trade: fill('T9', '1'),
  'venue.canceled': canceled,
  timeout: { type: 'timeout' },
  'replace.request': { type: 'replace.request', successor: 'successor', patch: {} },
  replaced: { type: 'replaced', successor: 'successor' },
  'replace.reject': { type: 'replace.reject', code: 'late' },
  'cancel.reject': { type: 'cancel.reject', code: 'late' },
  done_for_day: { type: 'done_for_day' },
  next_session: { type: 'next_session' },
  suspend: { type: 'suspend' },
  unsuspend: { type: 'unsuspend' },
  trade_cancel: { type: 'trade_cancel', tradeId: 'T1' },
  trade_correct: { type: 'trade_correct', tradeId: 'T1', trade: trade('T1', '3') },
  succeed: succession('1'),
}

export const accepted = [submit, events['risk.pass']]
export const pending: OrderEvent[] = [...accepted, { type: 'worker.sent', attempt: 1 }]
const open = [...pending, ack]
export const partly = [...open, fill('T1', '4')]

/** Ways into the statuses; past `new` with a fill of 4, but where none can be. */
export const ways: Readonly<Record<OrderStatus, readonly OrderEvent[]>> = {
  received: [submit],
  denied: [submit, events['risk.deny']],
  accepted,
  held: [...accepted, events.halt],
  pending_new: pending,
  new: open,
  partially_filled: partly,
  filled: [...partly, fill('T2', '6')],
  done_for_day: [...partly, events.done_for_day],
  suspended: [...partly, events.suspend],
  pending_cancel: [...partly, events['cancel.request']],
  pending_replace: [...partly, events['replace.request']],
  canceled: [...partly, canceled],
  expired: [...partly, events.expire],
  replaced: [...partly, events['replace.request'], events.replaced],
  rejected: [...open, events['venue.reject']],
}

export const stateIn = (status: OrderStatus): OrderState => foldOrder(orderTerms(), ways[status])

/** Where an event leads, `=` when it says nothing new, or the code of its refusal. */
export function outcomeOf(state: OrderState, event: OrderEvent): string {
  const next = transition(state, event)
  if (next.kind === 'moved') return next.state.status
  return next.kind === 'unchanged' ? '=' : next.code
}
