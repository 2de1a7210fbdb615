import { niceScale, numberText, type Scale } from './chart-scale.ts'
import { clockText, dayText, spanText, timeTicks } from './chart-time.ts'
import { escapeMarkup } from './escape-markup.ts'
import type { ReplayResult } from './replay-result.ts'
import { type Panel, page, placeOf, plotWidth, unitText } from './report-layout.ts'
import { areaPath, bandPath, heightIn, linePath } from './report-lines.ts'
import { drawHalts, drawLevels, drawTrades, markersMax } from './report-marks.ts'
import { chartStyle, palette } from './report-style.ts'

type Draw = { readonly result: ReplayResult; readonly top: number }

const gap = 46
const heights = { price: 220, equity: 200, drawdown: 116, exposure: 84 } as const
/** Hover targets: finer than a pointer can be aimed. */
const probesMax = 240
const headingHeight = 124

/** A picture that stands alone, with its heading and both themes. */
export function reportSvg(result: ReplayResult): string {
  const { body, height } = drawCharts({ result, top: headingHeight })
  const facts = `${result.symbol} · ${result.strategy} · ${spanText(result)} · seed ${result.seed}`
  const heading = [
    `<rect class="paper" width="${page.width}" height="${height}"/>`,
    `<text class="heading" x="32" y="46">${escapeMarkup(result.title)}</text>`,
    `<text class="under" x="32" y="70">${escapeMarkup(facts)}</text>`,
  ].join('')
  return `<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 ${page.width} ${height}" role="img" aria-label="${escapeMarkup(result.title)}"><style>${palette}${chartStyle}</style>${heading}${body}</svg>\n`
}

/** The same charts for a page that has heading and style of its own. */
export function inlineCharts(result: ReplayResult): string {
  const { body, height } = drawCharts({ result, top: 26 })
  return `<svg class="chart" viewBox="0 0 ${page.width} ${height}" role="img" aria-label="Price, equity, drawdown and exposure over time">${body}</svg>`
}

function drawCharts({ result, top }: Draw): { readonly body: string; readonly height: number } {
  const { risk, account } = result
  const price: Panel = {
    title: `Price of ${result.symbol}`,
    note: tradesNote(result),
    top,
    height: heights.price,
  }
  const equity: Panel = {
    title: 'Equity',
    note: `from ${numberText(Number(account.cashStart), 0)} to ${numberText(Number(account.equity), 0)}`,
    top: price.top + price.height + gap,
    height: heights.equity,
  }
  const drawdown: Panel = {
    title: 'Drawdown from the running peak',
    note: `at most ${numberText(risk.maxDrawdownPercent, 2)} %`,
    top: equity.top + equity.height + gap,
    height: heights.drawdown,
  }
  const exposure: Panel = {
    title: 'Exposure, part of equity',
    note: `at most ${numberText(risk.maxExposurePercent, 0)} %`,
    top: drawdown.top + drawdown.height + gap,
    height: heights.exposure,
  }
  const foot = exposure.top + exposure.height
  const body = [
    drawHalts(result, [price, equity, drawdown, exposure]),
    drawPrice(result, price),
    drawEquity(result, equity),
    drawDrawdown(result, drawdown),
    drawExposure(result, exposure),
    drawTimes(result, [price, equity, drawdown, exposure]),
    drawProbes(result, { top, foot }),
  ].join('')
  return { body, height: foot + 52 }
}

function tradesNote({ trades, halts }: ReplayResult): string {
  const feed = halts.total > 0 ? 'dotted: the feed while nobody could trade' : ''
  if (trades.total === 0) return feed
  const traded =
    trades.total > markersMax ? `${numberText(trades.total, 0)} trades` : '▲ bought, ▼ sold'
  return feed === '' ? traded : `${traded} · ${feed}`
}

type Frame = {
  readonly scale: Scale
  readonly text: (value: number) => string
}

function drawFrame(panel: Panel, { scale, text }: Frame): string {
  const height = heightIn(panel, scale)
  const lines = scale.ticks.map((tick) => {
    const y = unitText(height(tick))
    return `<path class="grid" d="M${page.left} ${y}H${page.width - page.right}"/><text x="${page.left - 12}" y="${y}" dy="4" text-anchor="end">${text(tick)}</text>`
  })
  const right = page.width - page.right
  return `<text class="name" x="${page.left}" y="${panel.top - 12}">${escapeMarkup(panel.title)}</text><text class="note" x="${right}" y="${panel.top - 12}" text-anchor="end">${escapeMarkup(panel.note)}</text>${lines.join('')}`
}

function drawPrice(result: ReplayResult, panel: Panel): string {
  const { chart } = result
  const prices = [...chart.priceMin, ...chart.priceMax, ...chart.feedLast]
  const scale = niceScale(Math.min(...prices), Math.max(...prices), 5)
  const height = heightIn(panel, scale)
  const band = { min: chart.priceMin, max: chart.priceMax }
  return [
    drawFrame(panel, { scale, text: (value) => numberText(value, scale.places) }),
    drawLevels(result, { panel, scale }),
    `<path class="feed" d="${linePath(chart, chart.feedLast, height)}"/>`,
    `<path class="price-band" d="${bandPath(chart, band, height)}"/>`,
    `<path class="price" d="${linePath(chart, chart.priceLast, height)}"/>`,
    drawTrades(result, height),
  ].join('')
}

function drawEquity(result: ReplayResult, panel: Panel): string {
  const { chart } = result
  const scale = niceScale(Math.min(...chart.equityMin), Math.max(...chart.equityMax), 4)
  const height = heightIn(panel, scale)
  const start = unitText(height(Number(result.account.cashStart)))
  const band = { min: chart.equityMin, max: chart.equityMax }
  return [
    drawFrame(panel, { scale, text: (value) => numberText(value, scale.places) }),
    `<path class="money-area" d="${areaPath(chart, chart.equityLast, { base: scale.low, height })}"/>`,
    `<path class="start" d="M${page.left} ${start}H${page.width - page.right}"/>`,
    `<path class="money-band" d="${bandPath(chart, band, height)}"/>`,
    `<path class="money" d="${linePath(chart, chart.equityLast, height)}"/>`,
  ].join('')
}

function drawDrawdown(result: ReplayResult, panel: Panel): string {
  const { chart } = result
  const values = chart.drawdown.map((loss) => -100 * loss)
  const deepest = Math.min(0, ...values)
  const scale = niceScale(Math.min(deepest, -0.1), 0, 3)
  const height = heightIn(panel, scale)
  const at = values.indexOf(deepest)
  const mark =
    deepest < 0
      ? `<circle class="mark" cx="${unitText(placeOf(chart, at))}" cy="${unitText(height(deepest))}" r="4.5"/>`
      : ''
  return [
    drawFrame(panel, { scale, text: (value) => `${numberText(value, scale.places)} %` }),
    `<path class="loss-area" d="${areaPath(chart, values, { base: 0, height })}"/>`,
    `<path class="loss" d="${linePath(chart, values, height)}"/>`,
    mark,
  ].join('')
}

function drawExposure(result: ReplayResult, panel: Panel): string {
  const { chart } = result
  const values = chart.exposure.map((part) => 100 * part)
  const scale = niceScale(0, Math.max(10, ...values), 2)
  const height = heightIn(panel, scale)
  return [
    drawFrame(panel, { scale, text: (value) => `${numberText(value, scale.places)} %` }),
    `<path class="exposure-area" d="${areaPath(chart, values, { base: 0, height })}"/>`,
    `<path class="exposure" d="${linePath(chart, values, height)}"/>`,
  ].join('')
}

function drawTimes(result: ReplayResult, panels: readonly Panel[]): string {
  const { chart } = result
  const foot = (panels.at(-1)?.top ?? 0) + (panels.at(-1)?.height ?? 0)
  const ticks = timeTicks(chart.from).map(({ at, label, isStrong }) => {
    const x = unitText(placeOf(chart, at))
    const lines = panels.map(({ top, height }) => `M${x} ${top}v${height}`).join('')
    return `<path class="${isStrong ? 'axis' : 'grid'}" d="${lines}"/><text${isStrong ? ' class="strong"' : ''} x="${x}" y="${foot + 20}" text-anchor="middle">${escapeMarkup(label)}</text>`
  })
  const axes = panels.map(({ top, height }) => `M${page.left} ${top + height}h${plotWidth}`)
  return `${ticks.join('')}<path class="axis" d="${axes.join('')}"/><text x="${page.width - page.right}" y="${foot + 40}" text-anchor="end">Exchange time, New York; nights left out</text>`
}

type Range = { readonly top: number; readonly foot: number }

/** The figures of a moment, where the pointer rests: no script is needed. */
function drawProbes({ chart }: ReplayResult, { top, foot }: Range): string {
  const count = chart.from.length
  const step = Math.max(1, Math.ceil(count / probesMax))
  const probes: string[] = []
  for (let index = 0; index < count; index += step) {
    const width = (plotWidth * Math.min(step, count - index)) / count
    const x = page.left + (index / count) * plotWidth
    const told = probeText(chart, index)
    probes.push(
      `<rect class="probe" x="${unitText(x)}" y="${top}" width="${unitText(width)}" height="${foot - top}"><title>${told}</title></rect>`,
    )
  }
  return probes.join('')
}

function probeText(chart: ReplayResult['chart'], index: number): string {
  const timeMs = chart.to[index] ?? 0
  return [
    `${dayText(timeMs)} ${clockText(timeMs)}`,
    `Price ${numberText(chart.priceLast[index] ?? 0, 2)}`,
    `Equity ${numberText(chart.equityLast[index] ?? 0, 2)}`,
    `Drawdown ${numberText(100 * (chart.drawdown[index] ?? 0), 2)} %`,
    `Exposure ${numberText(100 * (chart.exposure[index] ?? 0), 0)} %`,
  ].join('\n')
}
