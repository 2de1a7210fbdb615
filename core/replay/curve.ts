/** A value at a place in the scenario: trading minutes since the first session's open. */
export type Point = { readonly at: number; readonly value: number }

/**
 * Reads a curve at places that never go back: straight in the logarithm between two points (a
 * spread that doubles twice takes the same time for each), constant before the first and after the
 * last. All values are above 0.
 */
export function curveReader(points: readonly Point[]): (at: number) => number {
  // As doubles in an array of their own: whole numbers among them make compiled code give up.
  const places = Float64Array.from(points, ({ at }) => at)
  const values = Float64Array.from(points, ({ value }) => value)
  let next = 0
  return (at) => {
    while ((places[next] ?? Number.POSITIVE_INFINITY) <= at) next += 1
    const after = values[next]
    const before = next === 0 ? after : values[next - 1]
    if (before === undefined) return 1
    if (after === undefined || after === before) return before
    const from = places[next - 1] ?? 0
    const share = (at - from) / ((places[next] ?? 0) - from)
    return before * (after / before) ** share
  }
}
