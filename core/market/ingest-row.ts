import { z } from 'zod'
import { amountSchema, parseAmount } from '../order/amount.ts'
import { priceNanosMax } from './bar.ts'

/** What is ingested: prices are decimal texts, sizes and volumes are statistics. */
export type MarketRow = MarketBar | MarketQuote

export type MarketBar = {
  readonly type: 'bar'
  readonly symbol: string
  readonly intervalMs: number
  /** Milliseconds: the end of the interval. */
  readonly time: number
  readonly open: string
  readonly high: string
  readonly low: string
  readonly close: string
  readonly volume: number
}

export type MarketQuote = {
  readonly type: 'quote'
  readonly symbol: string
  readonly time: number
  readonly bid: string
  readonly ask: string
  readonly bidSize: number
  readonly askSize: number
  readonly levels: Levels | undefined
}

export const symbolSchema = z
  .string('must be text')
  .regex(/^[A-Z0-9.^_-]{1,16}$/, 'must be 1 to 16 of A to Z, 0 to 9 and . ^ _ -')
  .meta({ description: 'A symbol such as AAPL, BRK.B or ^GSPC', example: 'AAPL' })

/** Price levels of a side: more is no book that an order is judged by. */
const levelsMax = 20
/** A volume is a double; from here on its neighbours are more than an eighth apart. */
const sizeMax = 1e15

const priceSchema = amountSchema.refine(isPositive, 'must be above zero').refine(isHeld, {
  message: `must be at most ${priceNanosMax / 1e9}`,
})

function isPositive(text: string): boolean {
  return text !== '0'
}

function isHeld(text: string): boolean {
  return parseAmount(text) <= BigInt(priceNanosMax)
}

const sizeText = /^(?:0|[1-9]\d{0,14})(?:\.\d{1,9})?$/

const sizeSchema = z
  .union([z.string(), z.number()], 'must be a number of shares')
  .refine((size) => typeof size === 'number' || sizeText.test(size), 'must be a plain decimal')
  .transform(Number)
  .refine((size) => size >= 0 && size < sizeMax, 'must be from 0 to 10^15')

/** A start of an interval or a time of a quote. */
const timeSchema = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 time with offset' })
  .refine((text) => Date.parse(text) >= 0, 'must not lie before 1970')

const ignoredSchema = z.union([z.string().max(64), z.number(), z.null()]).optional()

export const barRowSchema = z
  .strictObject({
    symbol: symbolSchema.optional(),
    date: z.iso.date('must be a date such as 2020-03-16').optional(),
    time: timeSchema.optional(),
    open: priceSchema,
    high: priceSchema,
    low: priceSchema,
    close: priceSchema,
    adjclose: ignoredSchema,
    volume: sizeSchema,
  })
  .check(({ value, issues }) => {
    const refuse = (column: string, message: string) =>
      issues.push({ code: 'custom', path: [column], message, input: value })
    if ((value.date === undefined) === (value.time === undefined)) {
      refuse('time', 'must stand alone or be a date')
    }
    const [high, low] = [parseAmount(value.high), parseAmount(value.low)]
    if (high < low) refuse('high', 'must not be below low')
    for (const column of ['open', 'close'] as const) {
      const price = parseAmount(value[column])
      if (price < low || price > high) refuse(column, 'must lie between low and high')
    }
  })
export type BarRow = z.infer<typeof barRowSchema>

const sideSchema = z.array(z.tuple([priceSchema, sizeSchema])).max(levelsMax)

const levelsSchema = z.strictObject({ bids: sideSchema, asks: sideSchema }).check((given) => {
  const { bids, asks } = given.value
  const refuse = (side: string, message: string) =>
    given.issues.push({ code: 'custom', path: [side], message, input: given.value })
  if (!isFalling(bids)) refuse('bids', 'must fall from the best price')
  if (!isFalling(asks.toReversed())) refuse('asks', 'must rise from the best price')
  const [bid] = bids
  const [ask] = asks
  if (bid !== undefined && ask !== undefined && parseAmount(bid[0]) > parseAmount(ask[0])) {
    refuse('bids', 'must not cross the asks')
  }
})
export type Levels = z.infer<typeof levelsSchema>

function isFalling(side: readonly (readonly [string, number])[]): boolean {
  return side.every(([price], index) => {
    const before = side[index - 1]
    return before === undefined || parseAmount(price) < parseAmount(before[0])
  })
}

export const quoteRowSchema = z
  .strictObject({
    symbol: symbolSchema.optional(),
    time: timeSchema,
    bid: priceSchema,
    ask: priceSchema,
    bid_size: sizeSchema,
    ask_size: sizeSchema,
    levels: levelsSchema.optional(),
  })
  .check(({ value, issues }) => {
    if (parseAmount(value.bid) <= parseAmount(value.ask)) return
    const message = 'must not be above ask'
    issues.push({ code: 'custom', path: ['bid'], message, input: value })
  })
export type QuoteRow = z.infer<typeof quoteRowSchema>

/** One line of NDJSON: with a bid or an ask it is a quote. */
export const marketRowSchema = z.union([barRowSchema, quoteRowSchema])
