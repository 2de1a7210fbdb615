/** Losses of a growth index against its running peak; the index begins above 0. */
export type Drawdown = {
  /** Lowest value of index / peak - 1; 0 or negative, -1 = everything lost. */
  readonly depth: number
  /** Percentage points. */
  readonly ulcerIndex: number
  /** Longest time from a peak to its first regain, in periods; undefined when none was regained. */
  readonly recoveryPeriodsMax: number | undefined
  /** Index of the last point at the peak that was not regained; undefined when none is open. */
  readonly underwaterFrom: number | undefined
}

/** The peak starts at the first value. */
export function drawdownOf(index: readonly number[]): Drawdown | undefined {
  const [start] = index
  if (start === undefined) return undefined
  let peak = start
  let peakAt = 0
  let depth = 0
  let squares = 0
  let recovery = 0
  for (const [at, value] of index.entries()) {
    if (value >= peak) {
      // From the last point at the peak: a plateau is no time under water.
      if (at - peakAt > 1) recovery = Math.max(recovery, at - peakAt)
      peak = value
      peakAt = at
    }
    const loss = value / peak - 1
    depth = Math.min(depth, loss)
    squares += (100 * loss) ** 2
  }
  const isOpen = peakAt < index.length - 1
  return {
    depth,
    ulcerIndex: Math.sqrt(squares / index.length),
    recoveryPeriodsMax: isOpen && recovery === 0 ? undefined : recovery,
    underwaterFrom: isOpen ? peakAt : undefined,
  }
}
