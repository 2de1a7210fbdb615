import { z } from 'zod'
import { formatAmount, type Price } from './amount.ts'
import type { DeskOrder } from './desk/desk-view.ts'
import { orderStatuses, orderTypes, sides, timesInForce } from './order.ts'
import { averagePriceText } from './position.ts'

const textOf = (value: Price | undefined) => (value === undefined ? undefined : formatAmount(value))
const timeOf = (timeMs: number | undefined) =>
  timeMs === undefined ? undefined : new Date(timeMs).toISOString()

/** An order as callers see it: decimal strings, RFC 3339 times, what does not apply is absent. */
export function orderDocument(
  order: Pick<DeskOrder, 'state' | 'requested' | 'receivedAt'>,
  updatedAt: Date,
) {
  const { state, requested, receivedAt } = order
  const { terms, replacement } = state
  return {
    id: terms.id,
    account: terms.account,
    client_order_id: terms.clientOrderId,
    symbol: terms.symbol,
    side: terms.side,
    type: terms.type,
    time_in_force: terms.timeInForce,
    quantity: formatAmount(terms.quantity),
    requested_quantity: formatAmount(requested),
    limit_price: textOf(terms.limitPrice),
    stop_price: textOf(terms.stopPrice),
    expire_at: timeOf(terms.expireAt),
    strategy: terms.strategy,
    reduce_only: terms.reduceOnly,
    status: state.status,
    filled_quantity: formatAmount(state.cumQuantity),
    leaves_quantity: formatAmount(state.leavesQuantity),
    filled_average_price: averagePriceText({ quantity: state.cumQuantity, cost: state.cumMoney }),
    venue_order_id: state.venueOrderId,
    reject_code: state.rejectCode,
    reject_details: state.rejectDetails,
    warnings: state.warnings,
    replaces: state.replaces,
    replaced_by: state.replacedBy ?? replacement?.successor,
    late_fill: state.lateFill,
    received_at: receivedAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  }
}

export const orderDocumentSchema = z.object({
  id: z.uuid(),
  account: z.string(),
  client_order_id: z.string(),
  symbol: z.string(),
  side: z.enum(sides),
  type: z.enum(orderTypes),
  time_in_force: z.enum(timesInForce),
  quantity: z.string().meta({ description: 'After sizing' }),
  requested_quantity: z.string(),
  limit_price: z.string().optional(),
  stop_price: z.string().optional(),
  expire_at: z.string().optional(),
  strategy: z.string().optional(),
  reduce_only: z.boolean(),
  status: z.enum(orderStatuses),
  filled_quantity: z.string(),
  leaves_quantity: z.string(),
  filled_average_price: z.string().optional(),
  venue_order_id: z.string().optional(),
  reject_code: z.string().optional().meta({ description: 'The first check that failed' }),
  reject_details: z.array(z.string()).meta({ description: 'Every check that failed' }),
  warnings: z.array(z.string()),
  replaces: z.string().optional(),
  replaced_by: z.string().optional(),
  late_fill: z.boolean(),
  received_at: z.string(),
  updated_at: z.string(),
})
orderDocumentSchema.register(z.globalRegistry, { title: 'Order' })

export type OrderDocument = ReturnType<typeof orderDocument>

export const replaceAnswerSchema = z.object({
  order: orderDocumentSchema,
  replacement: z.union([
    z.object({ status: z.literal('pending'), order_id: z.uuid() }),
    z.object({
      status: z.literal('denied'),
      reject_code: z.string(),
      reject_details: z.array(z.string()),
    }),
  ]),
})
replaceAnswerSchema.register(z.globalRegistry, { title: 'OrderReplacement' })
