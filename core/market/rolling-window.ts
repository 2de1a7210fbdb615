import { invariant } from '../invariant.ts'

/** Values in the order of time, the newest last. */
export type Series = {
  readonly size: number
  /** `ago(0)` is the newest. Only below `size`. */
  readonly ago: (steps: number) => number
}

export type RollingWindow = Series & {
  readonly push: (value: number) => void
}

/** The last `capacity` values in constant memory; changes in place, for a replay of millions of bars. */
export function rollingWindow(capacity: number): RollingWindow {
  invariant(Number.isSafeInteger(capacity) && capacity > 0, 'a window holds at least one value')
  const values = new Float64Array(capacity)
  let size = 0
  let next = 0
  return {
    get size() {
      return size
    },
    ago(steps) {
      invariant(steps >= 0 && steps < size, 'a window is read within its size')
      const at = next - 1 - steps
      return values[at < 0 ? at + capacity : at] ?? Number.NaN
    },
    push(value) {
      values[next] = value
      next = next + 1 === capacity ? 0 : next + 1
      if (size < capacity) size += 1
    },
  }
}

export function seriesOf(values: readonly number[]): Series {
  return {
    size: values.length,
    ago: (steps) => values[values.length - 1 - steps] ?? Number.NaN,
  }
}

/** Mean of the newest `count` values; undefined when there are fewer. */
export function meanOf(series: Series, count: number): number | undefined {
  if (count < 1 || series.size < count) return undefined
  let sum = 0
  for (let steps = 0; steps < count; steps += 1) sum += series.ago(steps)
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
  let squares = 0
  for (let steps = 0; steps < count; steps += 1) squares += (series.ago(steps) - mean) ** 2
  return { mean, deviation: Math.sqrt(squares / (count - 1)) }
}
