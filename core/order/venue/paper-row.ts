import { z } from 'zod'
import { amountOf, formatAmount } from '../amount.ts'
import { orderTypes, sides, timesInForce } from '../order.ts'
import type { VenueReport } from '../venue.ts'
import type { PaperOrder } from './paper-order.ts'
import { storedEvent, venueEventSchema } from './venue-report-json.ts'

/** `numeric(38,18)` comes as text padded with zeros. */
const amount = z.string().transform(amountOf)
const optionalAmount = amount.nullable().transform((value) => value ?? undefined)
/** `bigint` comes as text; a time in milliseconds is a safe integer. */
const time = z.string().transform(Number)

const rowSchema = z
  .object({
    account: z.string(),
    client_order_id: z.string(),
    venue_order_id: z.string(),
    symbol: z.string(),
    side: z.enum(sides),
    type: z.enum(orderTypes),
    tif: z.enum(timesInForce),
    quantity: amount,
    limit_price: optionalAmount,
    stop_price: optionalAmount,
    is_triggered: z.boolean(),
    active_at_ms: time,
    expire_at_ms: time.nullable().transform((value) => value ?? undefined),
    carried: amount,
    cum: amount,
    trades: z.number(),
    status: z.enum(['new', 'partially_filled', 'filled', 'canceled', 'expired', 'replaced']),
    version: z.number(),
    replaced_by: z.string().nullable(),
  })
  .transform(
    (row): PaperOrder => ({
      account: row.account,
      clientOrderId: row.client_order_id,
      venueOrderId: row.venue_order_id,
      symbol: row.symbol,
      side: row.side,
      type: row.type,
      timeInForce: row.tif,
      quantity: row.quantity,
      limitPrice: row.limit_price,
      stopPrice: row.stop_price,
      isTriggered: row.is_triggered,
      activeAtMs: row.active_at_ms,
      expireAtMs: row.expire_at_ms,
      carried: row.carried,
      cum: row.cum,
      trades: row.trades,
      status: row.status,
      version: row.version,
      replacedBy: row.replaced_by ?? undefined,
    }),
  )

export function paperOrderOf(row: unknown): PaperOrder {
  return rowSchema.parse(row)
}

/** As `jsonb_to_recordset` reads it; `replaces` makes it a successor. */
export function rowOf(order: PaperOrder, replaces?: string): object {
  const { limitPrice, stopPrice } = order
  return {
    account: order.account,
    client_order_id: order.clientOrderId,
    venue_order_id: order.venueOrderId,
    symbol: order.symbol,
    side: order.side,
    type: order.type,
    tif: order.timeInForce,
    quantity: formatAmount(order.quantity),
    limit_price: limitPrice === undefined ? null : formatAmount(limitPrice),
    stop_price: stopPrice === undefined ? null : formatAmount(stopPrice),
    is_triggered: order.isTriggered,
    active_at_ms: order.activeAtMs,
    expire_at_ms: order.expireAtMs ?? null,
    carried: formatAmount(order.carried),
    cum: formatAmount(order.cum),
    trades: order.trades,
    status: order.status,
    version: order.version,
    replaced_by: order.replacedBy ?? null,
    replaces: replaces ?? null,
  }
}

export type ReportRow = {
  readonly id: string
  readonly account: string
  readonly clientOrderId: string
  readonly body: string
}

export function reportOf({ account, clientOrderId, body }: ReportRow): VenueReport {
  return { account, clientOrderId, event: venueEventSchema.parse(JSON.parse(body)) }
}

/** `n` keeps the order of what one statement tells. */
export function reportRowOf({ account, clientOrderId, event }: VenueReport, n: number): object {
  return { n, account, client_order_id: clientOrderId, body: storedEvent(event) }
}
