import type { Scale } from './chart-scale.ts'
import type { ReplayResult } from './replay-result.ts'
import { type Panel, placeOf, unitText } from './report-layout.ts'

/** Where a value lies, from the top of the drawing. */
export type Height = (value: number) => number

/** A panel's, from its scale. */
export function heightIn({ top, height }: Panel, { low, high }: Scale): Height {
  return (value) => top + height * (1 - (value - low) / (high - low))
}

type Chart = ReplayResult['chart']

/** A line through the last value of each stretch. */
export function linePath(chart: Chart, values: readonly number[], height: Height): string {
  const points = values.map((value, index) => `${at(chart, index)} ${unitText(height(value))}`)
  return points.length === 0 ? '' : `M${points.join('L')}`
}

/** From the least to the greatest value of each stretch. */
export function bandPath(
  chart: Chart,
  band: { readonly min: readonly number[]; readonly max: readonly number[] },
  height: Height,
): string {
  const over = band.max.map((value, index) => `${at(chart, index)} ${unitText(height(value))}`)
  const under = band.min.map((value, index) => `${at(chart, index)} ${unitText(height(value))}`)
  return over.length === 0 ? '' : `M${[...over, ...under.toReversed()].join('L')}Z`
}

/** Between the values and a base line. */
export function areaPath(
  chart: Chart,
  values: readonly number[],
  { base, height }: { readonly base: number; readonly height: Height },
): string {
  if (values.length === 0) return ''
  const foot = unitText(height(base))
  const last = values.length - 1
  return `${linePath(chart, values, height)}L${at(chart, last)} ${foot}L${at(chart, 0)} ${foot}Z`
}

function at(chart: Chart, index: number): string {
  return unitText(placeOf(chart, index))
}
