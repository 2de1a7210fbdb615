import type { Price } from '../order/amount.ts'
import type { Nanos, Quote } from './bar.ts'

/** A spread of more than one part in so many of the mid is no price. */
const sanePart = 100

/** The mid, cut to a whole nano; by their distance, because the sum may be no safe integer. */
export function midOf({ bid, ask }: Quote): Nanos {
  return bid + Math.floor((ask - bid) / 2)
}

/** In integers: the spread is at most 1 % of the mid, both ends included. */
function isSane({ bid, ask }: Quote): boolean {
  if (!(bid > 0 && ask >= bid)) return false
  return BigInt(ask - bid) * BigInt(sanePart) * 2n <= BigInt(ask) + BigInt(bid)
}

export type Reference = {
  readonly price: Price
  readonly atMs: number
  readonly source: 'mid' | 'last'
}
export type LastTrade = { readonly price: Price; readonly atMs: number }

/** What an order is measured by: the mid of a sane quote as new as the last price, else that price. */
export function referenceOf(
  last: LastTrade | undefined,
  quote: Quote | undefined,
): Reference | undefined {
  const isNewest = quote !== undefined && (last === undefined || quote.time >= last.atMs)
  if (quote !== undefined && isNewest && isSane(quote)) {
    return { price: BigInt(midOf(quote)), atMs: quote.time, source: 'mid' }
  }
  return last === undefined ? undefined : { ...last, source: 'last' }
}
