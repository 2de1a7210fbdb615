import { invariant } from '../invariant.ts'

/** Values in the order of time, the newest last. */
export type Series = {
  /** Holds them side by side; what else is in it says nothing. */
  readonly values: Float64Array
  /** The place in `values` behind the newest. */
  readonly end: number
  readonly size: number
  /** `ago(0)` is the newest. Only below `size`. */
  readonly ago: (steps: number) => number
}

export type RollingWindow = Series & {
  readonly push: (value: number) => void
}

/**
 * The last `capacity` values in constant memory; changes in place, for a replay of millions of
 * bars. Each value is written twice, `capacity` apart, so that the newest never lie in two pieces.
 */
export function rollingWindow(capacity: number): RollingWindow {
  invariant(Number.isSafeInteger(capacity) && capacity > 0, 'a window holds at least one value')
  const values = new Float64Array(2 * capacity)
  const window = {
    values,
    end: capacity,
    size: 0,
    ago: (steps: number) => valueAt(window, steps),
    push(value: number): void {
      const at = window.end === 2 * capacity ? 0 : window.end - capacity
      values[at] = value
      values[at + capacity] = value
      window.end = at + capacity + 1
      if (window.size < capacity) window.size += 1
    },
  }
  return window
}

export function seriesOf(values: Iterable<number>): Series {
  const held = Float64Array.from(values)
  const size = held.length
  const series = { values: held, end: size, size, ago: (steps: number) => valueAt(series, steps) }
  return series
}

function valueAt({ values, end, size }: Omit<Series, 'ago'>, steps: number): number {
  invariant(steps >= 0 && steps < size, 'a series is read within its size')
  return values[end - 1 - steps] ?? Number.NaN
}

/** Mean of the newest `count` values; undefined when there are fewer. */
export function meanOf({ values, end, size }: Series, count: number): number | undefined {
  if (count < 1 || size < count) return undefined
  let sum = 0
  for (let at = end - 1; at >= end - count; at -= 1) sum += values[at] ?? Number.NaN
  return sum / count
}

/**
 * Mean and sample standard deviation (ddof 1) of the newest `count` values, in two passes: sums of
 * squares cancel where prices are large and moves are small. Undefined below two values.
 */
export function momentsOf(
  series: Series,
  count: number,
): { readonly mean: number; readonly deviation: number } | undefined {
  const mean = meanOf(series, count)
  if (mean === undefined || count < 2) return undefined
  const { values, end } = series
  let squares = 0
  for (let at = end - 1; at >= end - count; at -= 1) {
    const distance = (values[at] ?? Number.NaN) - mean
    squares += distance * distance
  }
  return { mean, deviation: Math.sqrt(squares / (count - 1)) }
}
