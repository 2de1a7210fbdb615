import type { Nanos } from './bar.ts'

/** Quotes whose spreads are kept, for their median. */
export const spreadsMax = 100

/** The last spreads, oldest first, with those of newer quotes behind them. */
export function addSpreads(known: readonly Nanos[], newer: readonly Nanos[]): readonly Nanos[] {
  return [...known, ...newer].slice(-spreadsMax)
}

/** The lower one of the two in the middle, so that it is a spread that was quoted. */
export function medianSpread(spreads: Iterable<Nanos>): Nanos | undefined {
  const sorted = Float64Array.from(spreads).sort()
  return sorted[Math.floor((sorted.length - 1) / 2)]
}
