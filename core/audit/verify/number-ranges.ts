/** Whole numbers as ranges, both ends included. */
export type NumberRange = readonly [from: number, to: number]

/** A set of whole numbers that costs memory per hole, not per number. */
export type NumberRanges = {
  /** Returns those of the numbers that were in the set already. */
  add(from: number, to: number): readonly NumberRange[]
  list(): readonly NumberRange[]
}

const none: readonly NumberRange[] = []

export function numberRanges(): NumberRanges {
  const ranges: [number, number][] = []

  /** Position of the first range that ends at or behind `number`. */
  function positionOf(number: number): number {
    let [low, high] = [0, ranges.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((ranges[middle]?.[1] ?? 0) < number) low = middle + 1
      else high = middle
    }
    return low
  }

  function insert(from: number, to: number): NumberRange[] {
    // A range that ends just before is grown, so the search is for the number before.
    const first = positionOf(from - 1)
    const overlaps: NumberRange[] = []
    let [start, end, next] = [from, to, first]
    for (let range = ranges[next]; range !== undefined && range[0] <= to + 1; ) {
      const overlap = [Math.max(from, range[0]), Math.min(to, range[1])] as const
      if (overlap[0] <= overlap[1]) overlaps.push(overlap)
      start = Math.min(start, range[0])
      end = Math.max(end, range[1])
      range = ranges[++next]
    }
    ranges.splice(first, next - first, [start, end])
    return overlaps
  }

  return {
    add(from, to) {
      const last = ranges.at(-1)
      // Numbers come in order almost always.
      if (last !== undefined && from === last[1] + 1) {
        last[1] = to
        return none
      }
      return insert(from, to)
    },
    list: () => ranges,
  }
}

/** What lies in `from … to` and in none of the sets' ranges. */
export function holesIn(
  [from, to]: NumberRange,
  sets: readonly (readonly NumberRange[])[],
): NumberRange[] {
  const holes: NumberRange[] = []
  let next = from
  for (const [start, end] of sets.flat().toSorted(([a], [b]) => a - b)) {
    if (start > to) break
    if (start > next) holes.push([next, start - 1])
    next = Math.max(next, end + 1)
  }
  if (next <= to) holes.push([next, to])
  return holes
}

/** How many numbers the ranges hold. */
export function countNumbers(ranges: readonly NumberRange[]): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0)
}
