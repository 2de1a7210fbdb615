import type { Scale } from './chart-scale.ts'
import { clockText } from './chart-time.ts'
import { escapeMarkup } from './escape-markup.ts'
import type { ReplayResult } from './replay-result.ts'
import { type Panel, page, placeOfTime, unitText } from './report-layout.ts'
import { type Height, heightIn } from './report-lines.ts'

/** More markers than this are a smear. */
export const markersMax = 120

/** Bought below the price, sold above it. */
export function drawTrades(result: ReplayResult, height: Height): string {
  if (result.trades.total > markersMax) return ''
  return result.trades.listed.map((trade) => drawTrade(result, trade, height)).join('')
}

function drawTrade(
  result: ReplayResult,
  trade: ReplayResult['trades']['listed'][number],
  height: Height,
): string {
  const x = placeOfTime(result, Date.parse(trade.time))
  const isBuy = trade.side === 'buy'
  const y = height(Number(trade.price)) + (isBuy ? 5 : -5)
  const tail = isBuy ? 9 : -9
  const told = `${isBuy ? 'Bought' : 'Sold'} ${trade.quantity} at ${trade.price}`
  return `<path class="${trade.side}" d="M${unitText(x)} ${unitText(y)}l-5 ${tail}h10z"><title>${escapeMarkup(told)}</title></path>`
}

type Place = { readonly panel: Panel; readonly scale: Scale }

/** A day with less room has the lines without their names. */
const levelNameWidth = 44

/** The breaker's levels of each day, where the price comes near enough to show them. */
export function drawLevels(result: ReplayResult, { panel, scale }: Place): string {
  const height = heightIn(panel, scale)
  const lines = result.breakerLevels.flatMap(({ from, until, levels }) => {
    const left = placeOfTime(result, Date.parse(from))
    const right = placeOfTime(result, Date.parse(until))
    const shown = levels.filter(({ index }) => index >= scale.low && index <= scale.high)
    return shown.map(({ percent, index }) => {
      const y = unitText(height(index))
      const line = `<path class="level" d="M${unitText(left)} ${y}H${unitText(right)}"/>`
      if (right - left < levelNameWidth) return line
      return `${line}<text class="level-name" x="${unitText(right - 4)}" y="${y}" dy="-4" text-anchor="end">\u2212${percent} %</text>`
    })
  })
  return lines.join('')
}

/** Room for a name with its times, for the name alone, and between two names. */
const nameWidths = { full: 104, short: 18, gap: 8 } as const

/** With more halts than this their times are in the table only. */
const fullNamesMax = 6

/** One shade through all charts, named within the first where there is room. */
export function drawHalts(result: ReplayResult, panels: readonly Panel[]): string {
  const places = result.halts.listed.map(({ from, until }) => {
    const left = placeOfTime(result, Date.parse(from))
    return { left, right: Math.max(left + 1.5, placeOfTime(result, Date.parse(until))) }
  })
  let taken = 0
  return result.halts.listed
    .map((halt, index) => {
      const { left, right } = places[index] ?? { left: 0, right: 0 }
      const shade = drawShade(panels, { left, right })
      const x = right - left > nameWidths.full ? left + 6 : right + 5
      const room = (places[index + 1]?.left ?? page.width - page.right) - x
      if (x < taken || room < nameWidths.short) return shade
      const isFull = places.length <= fullNamesMax && room > nameWidths.full + nameWidths.gap
      taken = x + (isFull ? nameWidths.full : nameWidths.short) + nameWidths.gap
      return `${shade}<text class="halt-name" x="${unitText(x)}" y="${(panels[0]?.top ?? 0) + 14}">${nameOf(halt, isFull)}</text>`
    })
    .join('')
}

function drawShade(
  panels: readonly Panel[],
  { left, right }: { readonly left: number; readonly right: number },
): string {
  const shades = panels.map(
    ({ top, height }) =>
      `<rect class="halt" x="${unitText(left)}" y="${top}" width="${unitText(right - left)}" height="${height}"/><path class="halt-edge" d="M${unitText(left)} ${top}v${height}"/>`,
  )
  return shades.join('')
}

type Halt = ReplayResult['halts']['listed'][number]

function nameOf({ kind, from, until }: Halt, isFull: boolean): string {
  return isFull ? `${kind} ${clockText(Date.parse(from))}–${clockText(Date.parse(until))}` : kind
}
