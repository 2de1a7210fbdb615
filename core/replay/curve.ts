/** A value at a place in the scenario: trading minutes since the first session's open. */
export type Point = { readonly at: number; readonly value: number }

/**
 * Reads a curve at places that never go back: straight in the logarithm between two points (a
 * spread that doubles twice takes the same time for each), constant before the first and after the
 * last. All values are above 0.
 */
export function curveReader(points: readonly Point[]): (at: number) => number {
  const [first] = points
  if (first === undefined || points.length === 1) return () => first?.value ?? 1
  let next = 0
  return (at) => {
    while (next < points.length && (points[next]?.at ?? 0) <= at) next += 1
    const before = points[next - 1]
    const after = points[next]
    if (before === undefined) return after?.value ?? 1
    if (after === undefined || after.value === before.value) return before.value
    const share = (at - before.at) / (after.at - before.at)
    return before.value * (after.value / before.value) ** share
  }
}
