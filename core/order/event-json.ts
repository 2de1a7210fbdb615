import { z } from 'zod'
import { amountOf, formatAmount, formatMoney, moneyOf } from './amount.ts'
import type { OrderEvent } from './order.ts'
import { timesInForce } from './order.ts'

const moneyMembers = new Set(['fee', 'cumMoney'])

/** An event as its row holds it: amounts and money are decimal text. */
export function encodeOrderEvent(event: OrderEvent): string {
  return JSON.stringify(event, (member, value: unknown) => {
    if (typeof value !== 'bigint') return value
    return moneyMembers.has(member) ? formatMoney(value) : formatAmount(value)
  })
}

const amount = z.string().transform(amountOf)
const money = z.string().transform(moneyOf)

const trade = z.object({
  tradeId: z.string(),
  quantity: amount,
  price: amount,
  fee: money,
  at: z.number(),
})

const patch = z.object({
  quantity: amount.optional(),
  limitPrice: amount.optional(),
  stopPrice: amount.optional(),
  timeInForce: z.enum(timesInForce).optional(),
})

const text = z.string()
const texts = z.array(z.string())

const eventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('submit'), requested: amount, replaces: text.optional() }),
  z.object({ type: z.literal('risk.deny'), code: text, details: texts }),
  z.object({ type: z.literal('risk.pass'), warnings: texts }),
  z.object({ type: z.literal('halt'), reason: text }),
  z.object({ type: z.literal('resume'), quantity: amount.optional() }),
  z.object({ type: z.literal('cancel.request'), reason: text.optional() }),
  z.object({ type: z.literal('expire') }),
  z.object({ type: z.literal('worker.sent'), attempt: z.number() }),
  z.object({ type: z.literal('venue.ack'), venueOrderId: text }),
  z.object({ type: z.literal('venue.reject'), code: text, raw: text }),
  z.object({ type: z.literal('trade'), trade }),
  z.object({ type: z.literal('venue.canceled'), reason: text }),
  z.object({ type: z.literal('timeout') }),
  z.object({ type: z.literal('replace.request'), successor: text, patch }),
  z.object({ type: z.literal('replaced'), successor: text }),
  z.object({ type: z.literal('replace.reject'), code: text }),
  z.object({ type: z.literal('cancel.reject'), code: text }),
  z.object({ type: z.literal('done_for_day') }),
  z.object({ type: z.literal('next_session') }),
  z.object({ type: z.literal('suspend') }),
  z.object({ type: z.literal('unsuspend') }),
  z.object({ type: z.literal('trade_cancel'), tradeId: text }),
  z.object({ type: z.literal('trade_correct'), tradeId: text, trade }),
  z.object({
    type: z.literal('succeed'),
    replaces: text,
    venueOrderId: text,
    cumQuantity: amount,
    cumMoney: money,
  }),
])

/** Throws a `ZodError` for what `encodeOrderEvent` has not written. */
export function decodeOrderEvent(value: unknown): OrderEvent {
  return withoutUndefined(eventSchema.parse(value))
}

/** `exactOptionalPropertyTypes`: zod types an absent member as one that may be undefined. */
function withoutUndefined(event: z.infer<typeof eventSchema>): OrderEvent {
  if (event.type === 'submit') {
    const { replaces, ...rest } = event
    return replaces === undefined ? rest : { ...rest, replaces }
  }
  if (event.type === 'cancel.request') {
    return event.reason === undefined ? { type: event.type } : { ...event, reason: event.reason }
  }
  if (event.type === 'resume') {
    const { quantity } = event
    return quantity === undefined ? { type: event.type } : { type: event.type, quantity }
  }
  if (event.type !== 'replace.request') return event
  return { ...event, patch: replacePatchOf(event.patch) }
}

/** A patch holds what it changes and nothing else. */
export function replacePatchOf(given: z.infer<typeof patch>) {
  const { quantity, limitPrice, stopPrice, timeInForce } = given
  return {
    ...(quantity === undefined ? {} : { quantity }),
    ...(limitPrice === undefined ? {} : { limitPrice }),
    ...(stopPrice === undefined ? {} : { stopPrice }),
    ...(timeInForce === undefined ? {} : { timeInForce }),
  }
}
