import { z } from 'zod'
import type { VenueReport } from '../venue.ts'
import { alpacaAmount, alpacaOrderSchema, tradeIdOf } from './alpaca-order.ts'

/** Characters of a rejection that are kept. */
const rawCharsMax = 1_000

const updateSchema = z.object({
  event: z.string(),
  order: alpacaOrderSchema,
  price: alpacaAmount.nullish(),
  qty: alpacaAmount.nullish(),
  timestamp: z.string().nullish(),
})
type Update = z.infer<typeof updateSchema>

/** A report whose successor is named by the venue's id; nobody but the venue knows the other. */
export type AlpacaReport = Omit<VenueReport, 'event'> & {
  readonly event:
    | Exclude<VenueReport['event'], { readonly type: 'replaced' }>
    | { readonly type: 'replaced'; readonly venueOrderId: string }
}

/** `unreadable`: it may have told of anything. `nothing`: it told of nothing that concerns a desk. */
export type ReadUpdate = AlpacaReport | 'nothing' | 'unreadable'

/** The `data` of a `trade_updates` message. */
export function reportOfUpdate(data: unknown, account: string): ReadUpdate {
  const parsed = updateSchema.safeParse(data)
  if (!parsed.success) return 'unreadable'
  const event = eventOf(parsed.data)
  if (event === 'nothing' || event === 'unreadable') return event
  return { account, clientOrderId: parsed.data.order.client_order_id, event }
}

function eventOf(update: Update): AlpacaReport['event'] | 'nothing' | 'unreadable' {
  const { order } = update
  switch (update.event) {
    case 'new':
    case 'accepted':
      return { type: 'ack', venueOrderId: order.id }
    case 'fill':
    case 'partial_fill':
      return tradeOf(update)
    case 'canceled':
      return { type: 'canceled', reason: order.status }
    case 'expired':
    case 'done_for_day':
    case 'suspended':
      return { type: update.event }
    case 'replaced':
      if (typeof order.replaced_by !== 'string') return 'unreadable'
      return { type: 'replaced', venueOrderId: order.replaced_by }
    case 'rejected':
      return { type: 'reject', code: 'rejected', raw: rawOf(update) }
    case 'order_cancel_rejected':
      return { type: 'cancel_rejected', code: update.event }
    case 'order_replace_rejected':
      return { type: 'replace_rejected', code: update.event }
    // pending_new, pending_cancel, pending_replace, stopped, calculated: the next event says it.
    default:
      return 'nothing'
  }
}

function tradeOf({ order, price, qty, timestamp }: Update): AlpacaReport['event'] | 'unreadable' {
  const at = Date.parse(timestamp ?? '')
  if (price == null || qty == null || Number.isNaN(at)) return 'unreadable'
  const tradeId = tradeIdOf(order.id, order.filled_qty)
  return { type: 'trade', trade: { tradeId, quantity: qty, price, fee: 0n, at } }
}

function rawOf({ event, order }: Update): string {
  return `${event}: ${order.symbol} ${order.status}`.slice(0, rawCharsMax)
}
