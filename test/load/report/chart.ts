import { niceScale, numberText } from '#core/replay/chart-scale.ts'
import { escapeMarkup } from '#core/replay/escape-markup.ts'

export type Line = {
  readonly name: string
  /** One of the colours of the palette. */
  readonly colour: 'money' | 'price' | 'loss' | 'exposure' | 'halt'
  readonly points: readonly (readonly [number, number])[]
  /** Dots beside the line, for a few points that are read one by one. */
  readonly hasDots?: boolean
}

export type Chart = {
  readonly title: string
  readonly note?: string
  readonly xUnit: string
  readonly yUnit: string
  readonly lines: readonly Line[]
}

const size = { width: 1_120, height: 260, left: 70, right: 16, top: 46, bottom: 34 } as const

/** An SVG that needs nothing but the page's palette; what it shows is in its title for readers too. */
export function chartSvg({ title, note = '', xUnit, yUnit, lines }: Chart): string {
  const points = lines.flatMap((line) => line.points)
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)]
  const xScale = niceScale(least(xs, 0), most(xs, 1), 10)
  const yScale = niceScale(0, Math.max(most(ys, 1), 1e-9), 4)
  const across = scale(xScale, size.left, size.width - size.right)
  const up = scale(yScale, size.height - size.bottom, size.top)
  const rows = yScale.ticks.map(
    (tick) =>
      `<path class="grid" d="M${size.left} ${fixed(up(tick))}H${size.width - size.right}"/>` +
      `<text x="${size.left - 8}" y="${fixed(up(tick) + 4)}" text-anchor="end">${numberText(tick, yScale.places)}</text>`,
  )
  const columns = xScale.ticks.map(
    (tick) =>
      `<text x="${fixed(across(tick))}" y="${size.height - 12}" text-anchor="middle">${numberText(tick, xScale.places)}</text>`,
  )
  const label = `${title}: ${lines.map(({ name }) => name).join(', ')}`
  return `<svg class="chart" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escapeMarkup(label)}">
<text class="name" x="${size.left}" y="18">${escapeMarkup(title)}</text>
<text class="note" x="${size.left}" y="36">${escapeMarkup(`${yUnit} over ${xUnit}${note === '' ? '' : ` · ${note}`}`)}</text>
${legend(lines)}
${rows.join('')}${columns.join('')}
${lines.map((line) => lineSvg(line, across, up)).join('\n')}
</svg>`
}

type Place = (value: number) => number

function scale(of: { low: number; high: number }, from: number, to: number): Place {
  return (value) => from + ((value - of.low) / (of.high - of.low)) * (to - from)
}

function lineSvg(
  { name, colour, points, hasDots = false }: Line,
  across: Place,
  up: Place,
): string {
  const path = points
    .map(([x, y], at) => `${at === 0 ? 'M' : 'L'}${fixed(across(x))} ${fixed(up(y))}`)
    .join('')
  const dots = points.map(
    ([x, y]) =>
      `<circle cx="${fixed(across(x))}" cy="${fixed(up(y))}" r="4" fill="var(--${colour})"><title>${escapeMarkup(name)}: ${numberText(x, 1)}, ${numberText(y, 1)}</title></circle>`,
  )
  const line = `<path d="${path}" fill="none" stroke="var(--${colour})" stroke-width="1.75" stroke-linejoin="round"/>`
  return points.length === 0 ? '' : `${line}${hasDots ? dots.join('') : ''}`
}

function legend(lines: readonly Line[]): string {
  const width = 150
  return lines
    .map(({ name, colour }, at) => {
      const x = size.width - size.right - (lines.length - at) * width
      return `<path d="M${x} 14h18" stroke="var(--${colour})" stroke-width="3"/><text x="${x + 24}" y="18">${escapeMarkup(name)}</text>`
    })
    .join('')
}

const fixed = (value: number) => value.toFixed(1)

/** Spreading an hour's samples into Math.max would overflow the stack. */
function most(values: readonly number[], otherwise: number): number {
  return values.reduce((high, value) => Math.max(high, value), values[0] ?? otherwise)
}

function least(values: readonly number[], otherwise: number): number {
  return values.reduce((low, value) => Math.min(low, value), values[0] ?? otherwise)
}
