import type { Quantity } from '../order/amount.ts'

/** At this VIX an order keeps its size: about the long-run mean of the index. */
const targetVolatilityPercent = 20

/**
 * The part of a request that volatility leaves: `clamp(target / estimate, floor, 1)`, in annualised
 * percent. Exactly one half at VIX 40 and below one half at every point above. An estimate that is
 * negative or no number leaves nothing.
 */
export function volatilityScale(
  estimatePercent: number,
  { targetPercent = targetVolatilityPercent, floor = 0 }: SizingTarget = {},
): number {
  if (!(estimatePercent >= 0)) return 0
  return Math.min(1, Math.max(floor, targetPercent / estimatePercent))
}

export type SizingTarget = { readonly targetPercent?: number; readonly floor?: number }

/**
 * The part that the age of the data leaves: 1 for data of this moment, falling in a line to 0 at
 * the freshness limit. What is decided on old prices is decided smaller. Data from the future
 * count as far off as data from the past.
 */
export function dataAgeScale(ageMs: number, limitMs: number): number {
  if (!(limitMs > 0 && Number.isFinite(ageMs))) return 0
  // One division, so that a round part is the double of its decimal.
  return Math.max(0, (limitMs - Math.abs(ageMs)) / limitMs)
}

/** Below it a double is written with an exponent; so little of an order is nothing. */
const scaleMin = 1e-6

/**
 * The scaled request floored to the lot; never above the request. 0 is `SIZE_ZERO`: nothing is
 * left, or scale or lot are no part and no lot. The scale is taken by its shortest text, as any
 * number of ours: 0.6 of 1,000 is 600, and what is below one half by the last digit stays below.
 */
export function sizeOrder(requested: Quantity, scale: number, lot: Quantity): Quantity {
  if (!(scale >= scaleMin) || requested <= 0n || lot <= 0n) return 0n
  const scaled = scale >= 1 ? requested : partOf(requested, scale)
  return scaled - (scaled % lot)
}

function partOf(requested: Quantity, scale: number): Quantity {
  const [, digits = '0'] = String(scale).split('.')
  return (requested * BigInt(digits)) / 10n ** BigInt(digits.length)
}
