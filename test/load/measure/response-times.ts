/** Counts of response times by rounded millisecond, as Locust keeps them. */
export type RoundedTimes = Map<number, number>

/** Below 100 ms to 1, below 1,000 to 10, below 10,000 to 100, else to 1,000; halves go to the even one. */
export function roundMs(ms: number): number {
  if (ms < 100) return halfEven(ms)
  if (ms < 1_000) return halfEven(ms / 10) * 10
  if (ms < 10_000) return halfEven(ms / 100) * 100
  return halfEven(ms / 1_000) * 1_000
}

function halfEven(value: number): number {
  const low = Math.floor(value)
  const part = value - low
  if (part !== 0.5) return part < 0.5 ? low : low + 1
  return low % 2 === 0 ? low : low + 1
}

export function addRounded(times: RoundedTimes, ms: number): void {
  const rounded = roundMs(ms)
  times.set(rounded, (times.get(rounded) ?? 0) + 1)
}

export function mergeRounded(into: RoundedTimes, from: ReadonlyMap<number, number>): void {
  for (const [ms, count] of from) into.set(ms, (into.get(ms) ?? 0) + count)
}

/** The value at index `count * part` of all in order, at most the last; 0 of none. */
export function roundedPercentile(times: ReadonlyMap<number, number>, part: number): number {
  const sorted = [...times].sort(([one], [other]) => one - other)
  const count = sorted.reduce((sum, [, times]) => sum + times, 0)
  let left = Math.min(Math.floor(count * part), count - 1)
  for (const [ms, times] of sorted) {
    if (left < times) return ms
    left -= times
  }
  return 0
}

/** The lower one of the two in the middle. */
export function roundedMedian(times: ReadonlyMap<number, number>): number {
  const sorted = [...times].sort(([one], [other]) => one - other)
  let left = (sorted.reduce((sum, [, count]) => sum + count, 0) - 1) / 2
  for (const [ms, count] of sorted) {
    if (left < count) return ms
    left -= count
  }
  return 0
}

/** Of values in order, by the same rule, without rounding. */
export function exactPercentile(sorted: Float64Array, part: number): number {
  if (sorted.length === 0) return 0
  return sorted[Math.min(Math.floor(sorted.length * part), sorted.length - 1)] ?? 0
}

/** Millions of numbers without an object for each. */
export function numberList(): {
  add(value: number): void
  /** In the order in which they came. */
  values(): Float64Array
  sorted(): Float64Array
} {
  let values = new Float64Array(1_024)
  let length = 0
  return {
    add(value) {
      if (length === values.length) {
        const longer = new Float64Array(length * 2)
        longer.set(values)
        values = longer
      }
      values[length] = value
      length += 1
    },
    values: () => values.subarray(0, length),
    sorted: () => values.slice(0, length).sort(),
  }
}
