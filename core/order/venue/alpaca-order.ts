import { z } from 'zod'
import { amountOf, formatAmount } from '../amount.ts'
import type { OrderTerms } from '../order.ts'
import type { VenueOrderView } from '../venue.ts'

/** Decimal text; zeros beyond the ninth place are padding. */
export const alpacaAmount = z
  .string()
  .regex(/^\d{1,9}(?:\.\d{1,9}0*)?$/)
  .transform(amountOf)

export const alpacaOrderSchema = z.object({
  id: z.string().min(1),
  client_order_id: z.string(),
  status: z.string(),
  symbol: z.string(),
  /** Null for an order by notional, which nobody places here. */
  qty: alpacaAmount.nullable(),
  filled_qty: alpacaAmount,
  replaced_by: z.string().nullish(),
  submitted_at: z.string().nullish(),
})
export type AlpacaOrder = z.infer<typeof alpacaOrderSchema>

/** The body of `POST /v2/orders`; amounts go as text. */
export function placementOf(terms: OrderTerms): object {
  const { symbol, side, type, timeInForce, quantity, clientOrderId } = terms
  return {
    symbol,
    side,
    type,
    time_in_force: timeInForce,
    qty: formatAmount(quantity),
    ...pricesOf(terms),
    client_order_id: clientOrderId,
  }
}

/** The body of `PATCH /v2/orders/{id}`. */
export function replacementOf(successor: OrderTerms): object {
  return {
    qty: formatAmount(successor.quantity),
    time_in_force: successor.timeInForce,
    ...pricesOf(successor),
    client_order_id: successor.clientOrderId,
  }
}

function pricesOf({ limitPrice, stopPrice }: OrderTerms): object {
  return {
    ...(limitPrice === undefined ? {} : { limit_price: formatAmount(limitPrice) }),
    ...(stopPrice === undefined ? {} : { stop_price: formatAmount(stopPrice) }),
  }
}

/** Alpaca's words for orders that have ended, and for those that have not reached a market. */
const statuses: Readonly<Record<string, VenueOrderView['status']>> = {
  filled: 'filled',
  canceled: 'canceled',
  expired: 'expired',
  rejected: 'rejected',
  replaced: 'replaced',
  accepted: 'pending',
  accepted_for_bidding: 'pending',
  pending_new: 'pending',
  pending_review: 'pending',
  held: 'pending',
}

/** Whatever else it is called, suspended or about to be cancelled, it is open. */
function statusOf({ status, qty, filled_qty }: AlpacaOrder): VenueOrderView['status'] {
  const named = statuses[status]
  if (named !== undefined) return named
  if (filled_qty === 0n) return 'new'
  return filled_qty === qty ? 'filled' : 'partially_filled'
}

export function alpacaViewOf(order: AlpacaOrder, replacedBy: string | undefined): VenueOrderView {
  return {
    clientOrderId: order.client_order_id,
    venueOrderId: order.id,
    status: statusOf(order),
    symbol: order.symbol,
    quantity: order.qty ?? order.filled_qty,
    cumQuantity: order.filled_qty,
    replacedBy,
  }
}

/**
 * An execution is known by its order and what that had filled with it: the stream and the account's
 * activities both say so, while each has an execution id of its own.
 */
export function tradeIdOf(orderId: string, cumQuantity: bigint): string {
  return `${orderId}:${formatAmount(cumQuantity)}`
}
