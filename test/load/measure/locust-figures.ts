import type { Tally } from './record.ts'
import { roundedMedian, roundedPercentile } from './response-times.ts'

/** The parts that Locust's tables tell, and their headings. */
export const parts = [0.5, 0.66, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999, 1] as const

export type Cell = string | number

/** Python's text of a floating-point number. */
export function float(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value)
}

/** Count, failures and times of a tally, as they stand in both tables. */
export function figures(tally: Tally): { readonly counts: Cell[]; readonly times: Cell[] } {
  const { count, failures, sumMs, minMs, maxMs, bytes } = tally
  const median = Math.min(Math.max(roundedMedian(tally.rounded), minMs), maxMs)
  return {
    counts: [count, failures],
    times:
      count === 0
        ? [0, '0.0', 0, 0, 0]
        : [median, float(sumMs / count), float(minMs), float(maxMs), float(bytes / count)],
  }
}

export function percentileCells(tally: Pick<Tally, 'rounded'>): Cell[] {
  return parts.map((part) => roundedPercentile(tally.rounded, part))
}
