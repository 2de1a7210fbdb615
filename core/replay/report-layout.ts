import type { ReplayResult } from './replay-result.ts'

/** User units of the drawing; an SVG scales as a whole. */
export const page = { width: 1_120, left: 84, right: 24 } as const
export const plotWidth = page.width - page.left - page.right

/** One chart of the report; all share the axis of time. */
export type Panel = {
  readonly title: string
  readonly note: string
  readonly top: number
  readonly height: number
}

/** Stretches stand side by side with equal width: nights and weekends take no room. */
export function placeOf(chart: ReplayResult['chart'], index: number): number {
  return page.left + ((index + 0.5) / Math.max(1, chart.from.length)) * plotWidth
}

/** Where a moment lies on the axis; one outside of all stretches at the nearest end. */
export function placeOfTime({ chart, barSeconds }: ReplayResult, timeMs: number): number {
  const { from, to } = chart
  const count = from.length
  let index = to.findIndex((end) => end >= timeMs)
  if (index === -1) index = count - 1
  const start = (from[index] ?? 0) - barSeconds * 1_000
  const span = (to[index] ?? 0) - start
  const share = span > 0 ? (timeMs - start) / span : 0
  return page.left + ((index + Math.min(1, Math.max(0, share))) / Math.max(1, count)) * plotWidth
}

/** A tenth of a unit is finer than a screen; a digit more makes a picture a sixth larger. */
export function unitText(value: number): string {
  return String(Math.round(value * 10) / 10)
}
