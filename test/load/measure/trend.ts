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

/** What chance does to the slope, one standard error: by how means of so much of `x` lie beside the line. */
export function slopeErrorOf(points: readonly Point[], meanOf: number): number {
  const means = [...Map.groupBy(points, ([x]) => Math.floor(x / meanOf)).values()].map(
    (near): Point => [
      near.reduce((sum, [x]) => sum + x, 0) / near.length,
      near.reduce((sum, [, y]) => sum + y, 0) / near.length,
    ],
  )
  const count = means.length
  if (count < 3) return Number.POSITIVE_INFINITY
  const slope = slopeOf(means)
  const meanX = means.reduce((sum, [x]) => sum + x, 0) / count
  const meanY = means.reduce((sum, [, y]) => sum + y, 0) / count
  const across = means.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  const beside = means.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0)
  return Math.sqrt(beside / (count - 2) / across)
}

/** What lies at and behind a moment. */
export function from(points: readonly Point[], x: number): readonly Point[] {
  return points.filter(([at]) => at >= x)
}

/** Between the least and the most, where a part of all may lie outside; Infinity of none. */
export function rangeOf(values: readonly number[], outlierPart: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  const outliers = Math.floor(sorted.length * outlierPart)
  const lows = sorted.slice(0, outliers + 1)
  return Math.min(...lows.map((low, at) => (sorted.at(at - outliers - 1) ?? low) - low))
}
