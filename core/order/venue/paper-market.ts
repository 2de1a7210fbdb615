import type { Bar, Nanos, Quote } from '../../market/bar.ts'
import { isOpen, nextSession, sessionOf } from '../../market/session.ts'
import type { Price, Quantity } from '../amount.ts'
import type { OrderTerms } from '../order.ts'
import type { VenueClock } from '../venue.ts'

/**
 * `alpaca` follows that broker's simulator: an order fills in whole where it is marketable, now and
 * then in part, without impact. `strict` works a bar from its open, takes no more than a part of
 * its volume and pays for what it takes.
 */
export type PaperOptions = {
  readonly mode: 'alpaca' | 'strict'
  /** The part of a bar's volume that all fills of a symbol may take, in 1/10,000. */
  readonly participationBasisPoints: number
  /** From entry until the venue works the order. */
  readonly latencyMs: number
  /** Older data than this, by the market clock, are no market. */
  readonly dataAgeMaxMs: number
  /** Price units a share. */
  readonly feePerShare: Price
  /** Of the notional, in 1/10,000. */
  readonly feeBasisPoints: number
}

export const paperDefaults = {
  mode: 'alpaca',
  participationBasisPoints: 250,
  latencyMs: 0,
  dataAgeMaxMs: 5_000,
  feePerShare: 0n,
  feeBasisPoints: 0,
} as const satisfies PaperOptions

/** What a venue knows of an order when it holds it against the market. */
export type WorkedOrder = Pick<
  OrderTerms,
  'side' | 'type' | 'limitPrice' | 'stopPrice' | 'timeInForce'
> & {
  readonly leaves: Quantity
  /** Its stop price has traded. */
  readonly isTriggered: boolean
  /** Milliseconds from which it is worked; a bar that ended by then is its past. */
  readonly activeAtMs: number
}

export type PaperMarket = {
  /** Milliseconds of the market clock. */
  readonly clockMs: number
  readonly quote: Quote | undefined
  readonly bar: Bar | undefined
  readonly isHalted: boolean
  /** What earlier fills have taken of this bar, or of the sizes of this quote. */
  readonly barVolumeUsed: Quantity
}

/** The best prices that a market may trade at, seen from either side; undefined: none. */
export type PriceReach = { readonly buy: Price | undefined; readonly sell: Price | undefined }

/**
 * A limit order that is not immediate only waits for its price: under no rules and at no time does
 * `matchOrder` change a buy below `buy`, or a sell above `sell`.
 */
export function reachOf({ quote, bar }: PaperMarket): PriceReach {
  const ofQuote = (price: Nanos | undefined) => (price === 0 ? undefined : price)
  const lows = [ofQuote(quote?.ask), bar?.low].filter((price) => price !== undefined)
  const highs = [ofQuote(quote?.bid), bar?.high].filter((price) => price !== undefined)
  return {
    buy: lows.length === 0 ? undefined : BigInt(Math.min(...lows)),
    sell: highs.length === 0 ? undefined : BigInt(Math.max(...highs)),
  }
}

/** The exchange's hours, seen from a moment of the market clock (milliseconds). */
export function venueClockAt(nowMs: number): VenueClock {
  const session = sessionOf(nowMs)
  const next = nextSession(nowMs)
  const isToday = session !== undefined && nowMs <= session.closeMs
  return {
    nowMs,
    isOpen: isOpen(nowMs),
    nextOpenMs: next?.openMs ?? nowMs,
    nextCloseMs: isToday ? session.closeMs : (next?.closeMs ?? nowMs),
  }
}

/** Mixed comparisons are exact in JavaScript, and spare a replay the conversion of every bar. */
export type AnyPrice = Nanos | Price

export function hasStop({ type }: WorkedOrder): boolean {
  return type === 'stop' || type === 'stop_limit' || type === 'trailing_stop'
}

export function isImmediate({ timeInForce }: WorkedOrder): boolean {
  return timeInForce === 'ioc' || timeInForce === 'fok'
}

export function isWithinLimit({ side, limitPrice }: WorkedOrder, price: AnyPrice): boolean {
  if (limitPrice === undefined) return true
  return side === 'buy' ? price <= limitPrice : price >= limitPrice
}

/** Somewhere in the bar the limit was touched; the open counts. */
export function isLimitInRange({ side, limitPrice }: WorkedOrder, bar: Bar): boolean {
  if (limitPrice === undefined) return true
  return side === 'buy' ? bar.low <= limitPrice : bar.high >= limitPrice
}

/** Nobody stands on the side that the order would trade with. */
export function isSideEmpty({ side }: WorkedOrder, quote: Quote): boolean {
  return side === 'buy' ? !hasOffer(quote) : !hasBid(quote)
}

/**
 * Where a bar first meets the order: its open, or for a stop that the open does not reach the stop
 * price itself. Undefined: the stop has not traded.
 */
export function firstPrice(order: WorkedOrder, bar: Bar): AnyPrice | undefined {
  if (order.isTriggered || !hasStop(order)) return bar.open
  const { side, stopPrice } = order
  if (stopPrice === undefined) return undefined
  const isGap = side === 'buy' ? bar.open >= stopPrice : bar.open <= stopPrice
  if (isGap) return bar.open
  const isThrough = side === 'buy' ? bar.high >= stopPrice : bar.low <= stopPrice
  return isThrough ? stopPrice : undefined
}

/** Of a bar that the order did not see whole, only the last trade is known to be the market's. */
export function isStopTraded({ side, stopPrice, activeAtMs }: WorkedOrder, bar: Bar): boolean {
  if (stopPrice === undefined || bar.volume <= 0) return false
  const isOwn = bar.time > activeAtMs
  if (side === 'buy') return (isOwn ? bar.high : bar.close) >= stopPrice
  return (isOwn ? bar.low : bar.close) <= stopPrice
}

/** The near side has reached the stop: whatever trades next is through it. */
export function isStopQuoted({ side, stopPrice }: WorkedOrder, quote: Quote): boolean {
  if (stopPrice === undefined) return false
  if (side === 'buy') return hasBid(quote) && quote.bid >= stopPrice
  return hasOffer(quote) && quote.ask <= stopPrice
}

function hasOffer(quote: Quote): boolean {
  return quote.ask > 0 && quote.askSize > 0
}

function hasBid(quote: Quote): boolean {
  return quote.bid > 0 && quote.bidSize > 0
}
