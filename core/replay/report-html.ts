import { numberText, signedPercent } from './chart-scale.ts'
import { clockText, lengthText, momentText, spanText } from './chart-time.ts'
import { escapeMarkup } from './escape-markup.ts'
import type { ReplayResult } from './replay-result.ts'
import { chartStyle, pageStyle, palette } from './report-style.ts'
import { inlineCharts } from './report-svg.ts'
import { sessionMinutes } from './scenario.ts'

/** A table shows so many; the JSON has more. */
const tradesShownMax = 40
const haltsShownMax = 20

/** One file without scripts or anything from elsewhere: it opens offline, and under a strict policy. */
export function reportHtml(result: ReplayResult): string {
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    `<title>${escapeMarkup(result.title)} · Postern backtest</title>`,
    `<style>${reportStyle}</style></head><body><main>`,
    header(result),
    figures(result),
    `<figure>${inlineCharts(result)}</figure>`,
    `<div class="tables">${ordersTable(result)}${haltsTable(result)}${tradesTable(result)}</div>`,
    manifest(result),
    `<footer>Generated data, simulated fills. Seed ${result.seed}; bars sha256 ${escapeMarkup(result.manifest.sha256)}.</footer>`,
    '</main></body></html>\n',
  ].join('')
}

/** The only style of the page; a policy may name its hash. */
export const reportStyle = `${palette}${pageStyle}${chartStyle}`

function header(result: ReplayResult): string {
  const facts: readonly (readonly [string, string])[] = [
    ['Traded', `${result.symbol} (${result.series})`],
    ['Strategy', result.strategy],
    ['Period', spanText(result)],
    ['Bars', `${numberText(result.bars, 0)} of ${lengthText(result.barSeconds)}`],
    ['Seed', String(result.seed)],
  ]
  const list = facts.map(
    ([name, value]) => `<li>${escapeMarkup(name)} <b>${escapeMarkup(value)}</b></li>`,
  )
  return `<h1>${escapeMarkup(result.title)}</h1><p class="summary">${escapeMarkup(result.summary)}</p><ul class="facts">${list.join('')}</ul>`
}

type Figure = {
  readonly name: string
  readonly value: string
  readonly note: string
  readonly tone?: 'good' | 'bad' | ''
}

function figures(result: ReplayResult): string {
  const { account, risk, orders, halts } = result
  const denied = orders.byStatus['denied'] ?? 0
  const cells: readonly Figure[] = [
    {
      name: 'Return',
      value: signedPercent(account.returnPercent),
      note: `equity ${numberText(Number(account.equity), 2)}`,
      tone: account.returnPercent < 0 ? 'bad' : 'good',
    },
    {
      name: 'Largest drawdown',
      value: `${numberText(risk.maxDrawdownPercent, 2)} %`,
      note: risk.troughAt === null ? 'nothing lost' : `met ${momentText(risk.troughAt)}`,
    },
    { name: 'Recovery', ...recoveryFigure(risk) },
    {
      name: 'Largest exposure',
      value: `${numberText(risk.maxExposurePercent, 0)} %`,
      note: 'of equity',
    },
    {
      name: 'Orders',
      value: numberText(orders.total, 0),
      note: `${orders.byStatus['filled'] ?? 0} filled, ${denied} denied`,
    },
    {
      name: 'Mean entry',
      value: orders.meanEntryShares === null ? '–' : numberText(orders.meanEntryShares, 0),
      note: `shares; ${orders.entriesReduced} of ${orders.entries} reduced`,
    },
    {
      name: 'Halts',
      value: numberText(halts.total, 0),
      note:
        halts.listed.length === 0
          ? 'none'
          : [...new Set(halts.listed.map(({ kind }) => kind))].join(', '),
    },
  ]
  return `<dl class="figures">${cells.map(figure).join('')}</dl>`
}

function figure({ name, value, note, tone = '' }: Figure): string {
  return `<div class="figure"><dt>${escapeMarkup(name)}</dt><dd class="${tone}">${escapeMarkup(value)}</dd><small>${escapeMarkup(note)}</small></div>`
}

/** Of the largest drawdown. One that is still open is no recovery, however short others were. */
function recoveryFigure(risk: ReplayResult['risk']) {
  const { recoveryMinutes, longestRecoveryMinutes, underwaterSince } = risk
  const value = recoveryMinutes === null ? 'open' : durationText(recoveryMinutes)
  if (underwaterSince !== null) {
    return { value, note: `under water since ${momentText(underwaterSince)}` }
  }
  const longest = longestRecoveryMinutes ?? 0
  return { value, note: `peak to regain; longest ${durationText(longest)}` }
}

/** In minutes of trading, of which a day has 390. */
function durationText(minutes: number): string {
  const days = minutes / sessionMinutes
  if (days < 3) return `${numberText(minutes, 0)} min`
  return days < 100 ? `${numberText(days, 1)} days` : `${numberText(days, 0)} d`
}

type Table = {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** Columns from here on are numbers. */
  readonly numbersFrom: number
}

function table({ title, head, rows, numbersFrom }: Table): string {
  const kind = (at: number) => (at >= numbersFrom ? ' class="number"' : '')
  const cells = (row: readonly string[], tag: string) =>
    `<tr>${row.map((cell, at) => `<${tag}${kind(at)}>${escapeMarkup(cell)}</${tag}>`).join('')}</tr>`
  const body = rows.map((row) => cells(row, 'td')).join('')
  return `<section><h2>${escapeMarkup(title)}</h2><table><thead>${cells(head, 'th')}</thead><tbody>${body}</tbody></table></section>`
}

function ordersTable({ orders }: ReplayResult): string {
  const rows = [
    ...Object.entries(orders.byStatus).map(([status, count]) => [status, numberText(count, 0)]),
    ...Object.entries(orders.byRejectCode).map(([code, count]) => [
      `  by ${code}`,
      numberText(count, 0),
    ]),
  ]
  return table({ title: 'Orders by outcome', head: ['Outcome', 'Orders'], rows, numbersFrom: 1 })
}

function haltsTable({ halts }: ReplayResult): string {
  if (halts.total === 0) return ''
  const rows = halts.listed
    .slice(0, haltsShownMax)
    .map(({ kind, from, until }) => [kind, momentText(from), clockText(Date.parse(until))])
  const title = halts.total > rows.length ? `First ${rows.length} of ${halts.total} halts` : 'Halts'
  return table({ title, head: ['Halt', 'From', 'Until'], rows, numbersFrom: 3 })
}

function tradesTable({ trades }: ReplayResult): string {
  if (trades.total === 0) return ''
  const shown = trades.listed.slice(0, tradesShownMax)
  const rows = shown.map(({ time, side, quantity, price }) => [
    momentText(time),
    side,
    quantity,
    price.replace(
      /^(\d+)(?:\.(\d?))?$/,
      (_, whole, tenth = '') => `${whole}.${tenth.padEnd(2, '0')}`,
    ),
  ])
  const title =
    trades.total > shown.length ? `First ${shown.length} of ${trades.total} trades` : 'Trades'
  return table({ title, head: ['Time', 'Side', 'Quantity', 'Price'], rows, numbersFrom: 2 })
}

function manifest({ manifest: data }: ReplayResult): string {
  return `<details><summary>How these bars were made</summary><pre>${escapeMarkup(JSON.stringify(data, undefined, 2))}</pre></details>`
}
