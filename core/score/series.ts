/** Plain statistics of doubles; each answers undefined where it is not defined, never NaN. */

function sum(values: readonly number[]): number {
  let total = 0
  for (const value of values) total += value
  return total
}

export function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : sum(values) / values.length
}

/** Sample standard deviation, divisor n - 1. */
export function deviation(values: readonly number[]): number | undefined {
  const average = mean(values)
  if (average === undefined || values.length < 2) return undefined
  let squares = 0
  for (const value of values) squares += (value - average) ** 2
  return Math.sqrt(squares / (values.length - 1))
}

/**
 * Whether a series does not vary but for rounding. The deviation of a constant series is a residue,
 * not 0, so that `deviation === 0` would miss it.
 */
export function isConstant(values: readonly number[], excess: readonly number[]): boolean {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  let largest = 0
  for (const value of values) {
    low = Math.min(low, value)
    high = Math.max(high, value)
    largest = Math.max(largest, Math.abs(value))
  }
  for (const value of excess) largest = Math.max(largest, Math.abs(value))
  return high - low <= 4 * Number.EPSILON * largest
}

/** Skewness and plain kurtosis (3 = normal) by population moments, divisor n. */
export function shape(
  values: readonly number[],
): { readonly skewness: number; readonly kurtosis: number } | undefined {
  const average = mean(values)
  if (average === undefined) return undefined
  let second = 0
  let third = 0
  let fourth = 0
  for (const value of values) {
    const distance = value - average
    second += distance ** 2
    third += distance ** 3
    fourth += distance ** 4
  }
  const count = values.length
  const variance = second / count
  if (variance === 0) return undefined
  return { skewness: third / count / variance ** 1.5, kurtosis: fourth / count / variance ** 2 }
}
