import { amountOf } from '../order/amount.ts'

/**
 * Market data in safe integers of 10^-9, so that a replay of millions of bars needs no objects of
 * arithmetic: exact up to `priceNanosMax`. `BigInt(nanos)` is the `Price` of an order.
 */
export type Nanos = number

/** 2^53 − 1 hundred-millionths of a cent: beyond it a double no longer holds every nano. */
export const priceNanosMax = 9_000_000_000_000_000
export const nanosPerUnit = 1_000_000_000
export const nanosPerCent = 10_000_000

/** Of a decimal text, or of a column that pads it with zeros, within `priceNanosMax`. */
export function nanosOf(text: string): Nanos {
  return Number(amountOf(text))
}

/** One interval of trading. */
export type Bar = {
  /** Milliseconds: the END of the interval, when its close is known; a day ends at its session's close. */
  readonly time: number
  readonly open: Nanos
  readonly high: Nanos
  readonly low: Nanos
  readonly close: Nanos
  /** Whole or fractional shares; a statistic, so a double. */
  readonly volume: number
}

/** Best bid and offer. */
export type Quote = {
  readonly time: number
  readonly bid: Nanos
  readonly ask: Nanos
  readonly bidSize: number
  readonly askSize: number
}
