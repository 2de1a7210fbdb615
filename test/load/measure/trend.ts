export type Point = readonly [x: number, y: number]

/** By how much `y` grows with each `x`, by least squares; 0 of fewer than two points. */
export function slopeOf(points: readonly Point[]): number {
  return points.length < 2 ? 0 : lineThrough(points).slope
}

function middleOf(points: readonly Point[]): Point {
  const [x, y] = points.reduce(([xs, ys], [x, y]) => [xs + x, ys + y], [0, 0])
  return [x / points.length, y / points.length]
}

/** `across`: the squares of how far `x` lies from its mean, added up. */
function lineThrough(points: readonly Point[]) {
  const middle = middleOf(points)
  const [meanX, meanY] = middle
  const across = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  const together = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  return { middle, across, slope: across === 0 ? 0 : together / across }
}

/** What chance does to the slope, one standard error: by how means of so much of `x` lie beside the line. */
export function slopeErrorOf(points: readonly Point[], meanOf: number): number {
  const means = [...Map.groupBy(points, ([x]) => Math.floor(x / meanOf)).values()].map(middleOf)
  const count = means.length
  if (count < 3) return Number.POSITIVE_INFINITY
  const { middle, across, slope } = lineThrough(means)
  const [meanX, meanY] = middle
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
