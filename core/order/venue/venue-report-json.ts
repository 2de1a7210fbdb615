import { z } from 'zod'
import { formatAmount, formatMoney, moneyOf, parseAmount } from '../amount.ts'
import type { Trade } from '../order.ts'
import type { VenueReport } from '../venue.ts'

export type VenueEvent = VenueReport['event']

const text = z.string()
const amount = z.string().regex(/^\d+(?:\.\d+)?$/)
const trade = z
  .object({
    tradeId: text,
    quantity: amount,
    price: amount,
    fee: z.string().regex(/^-?\d+(?:\.\d+)?$/),
    at: z.number(),
  })
  .transform(
    (stored): Trade => ({
      tradeId: stored.tradeId,
      quantity: parseAmount(stored.quantity),
      price: parseAmount(stored.price),
      fee: moneyOf(stored.fee),
      at: stored.at,
    }),
  )

/** An event as it is stored: amounts are text, everything else is as it was. */
export const venueEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ack'), venueOrderId: text }),
  z.object({ type: z.literal('reject'), code: text, raw: text }),
  z.object({ type: z.literal('trade'), trade }),
  z.object({ type: z.literal('canceled'), reason: text }),
  z.object({ type: z.literal('cancel_rejected'), code: text }),
  z.object({ type: z.literal('replaced'), successorClientOrderId: text, venueOrderId: text }),
  z.object({ type: z.literal('replace_rejected'), code: text }),
  z.object({ type: z.literal('expired') }),
  z.object({ type: z.literal('done_for_day') }),
  z.object({ type: z.literal('suspended') }),
  z.object({ type: z.literal('trade_cancel'), tradeId: text }),
  z.object({ type: z.literal('trade_correct'), tradeId: text, trade }),
]) satisfies z.ZodType<VenueEvent>

/** What `venueEventSchema` reads back as the same event. */
export function storedEvent(event: VenueEvent): object {
  if (event.type !== 'trade' && event.type !== 'trade_correct') return event
  return { ...event, trade: storedTrade(event.trade) }
}

function storedTrade({ tradeId, quantity, price, fee, at }: Trade): object {
  return {
    tradeId,
    quantity: formatAmount(quantity),
    price: formatAmount(price),
    fee: formatMoney(fee),
    at,
  }
}
