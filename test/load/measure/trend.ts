export type Point = readonly [x: number, y: number]

/** By how much `y` grows with each `x`, by least squares; 0 of fewer than two points. */
export function slopeOf(points: readonly Point[]): number {
  const count = points.length
  if (count < 2) return 0
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count
  const across = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  const together = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  return across === 0 ? 0 : together / across
}

/** What lies at and behind a moment. */
export function from(points: readonly Point[], x: number): readonly Point[] {
  return points.filter(([at]) => at >= x)
}

/** How far it moved from the first to the last point, by its slope: a single spike is no drift. */
export function driftOf(points: readonly Point[]): number {
  const [first] = points
  const last = points.at(-1)
  return first === undefined || last === undefined ? 0 : slopeOf(points) * (last[0] - first[0])
}
