import { numberText, signedPercent } from '#core/replay/chart-scale.ts'
import { clockText, lengthText, momentText, spanText } from '#core/replay/chart-time.ts'
import type { ReplayResult } from '#core/replay/replay-result.ts'

const bold = '\u001b[1m'
const dim = '\u001b[2m'
const green = '\u001b[32m'
const red = '\u001b[31m'
const reset = '\u001b[0m'

export type TableOptions = { readonly seconds: number; readonly isColoured: boolean }

type Row = readonly [name: string, value: string, note: string]

/** Halts named one by one; more of them are counted. */
const haltsShownMax = 6

/** The key figures of a replay, for the eye; all of it is in the JSON. */
export function backtestTable(result: ReplayResult, options: TableOptions): string {
  const paint = (colour: string, text: string) =>
    options.isColoured ? `${colour}${text}${reset}` : text
  const rows = [
    ...accountRows(result),
    ...riskRows(result),
    ...orderRows(result),
    ...haltRows(result),
  ]
  const names = Math.max(...rows.map(([name]) => name.length))
  const values = Math.max(...rows.map(([, value]) => value.length))
  const colour = result.account.returnPercent < 0 ? red : green
  const lines = rows.map(([name, value, note], index) => {
    const shown = value.padStart(values)
    return `  ${name.padEnd(names)}  ${index === 0 ? paint(colour, shown) : shown}  ${paint(dim, note)}`.trimEnd()
  })
  const heading = `${result.title}: ${result.strategy} on ${result.symbol} (${result.series})`
  return `${[paint(bold, heading), result.summary, '', ...lines, '', ...footer(result, options)].join('\n')}\n`
}

function accountRows({ account }: ReplayResult): Row[] {
  const equity = numberText(Number(account.equity), 2)
  return [
    ['Return', signedPercent(account.returnPercent), `equity ${equity}`],
    ['Position', account.position, `realised ${account.realised}, fees ${account.fees}`],
  ]
}

function riskRows({ risk }: ReplayResult): Row[] {
  const trough = risk.troughAt === null ? 'nothing lost' : `met ${momentText(risk.troughAt)}`
  const since =
    risk.underwaterSince === null ? '' : `under water since ${momentText(risk.underwaterSince)}`
  const recovery =
    risk.recoveryMinutes === null ? 'open' : `${numberText(risk.recoveryMinutes, 0)} min`
  return [
    ['Largest drawdown', `${numberText(risk.maxDrawdownPercent, 2)} %`, trough],
    ['Recovery from it', recovery, since],
    ['Largest exposure', `${numberText(risk.maxExposurePercent, 0)} %`, 'of equity'],
  ]
}

function orderRows({ orders, trades }: ReplayResult): Row[] {
  const told = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts).map(([name, count]) => `${name} ${numberText(count, 0)}`)
  const mean = orders.meanEntryShares === null ? '-' : numberText(orders.meanEntryShares, 1)
  const reduced = `shares; ${orders.entriesReduced} of ${orders.entries} made smaller by sizing`
  const codes = told(orders.byRejectCode)
  return [
    ['Orders', numberText(orders.total, 0), told(orders.byStatus).join(', ')],
    ...(codes.length === 0 ? [] : [['Denials', '', codes.join(', ')] as const]),
    ['Mean entry', mean, reduced],
    ['Trades', numberText(trades.total, 0), ''],
  ]
}

function haltRows({ halts }: ReplayResult): Row[] {
  const shown = halts.listed
    .slice(0, haltsShownMax)
    .map(
      ({ kind, from, until }) =>
        `${kind} ${clockText(Date.parse(from))}-${clockText(Date.parse(until))}`,
    )
  const more = halts.total > shown.length ? ', …' : ''
  return [['Halts', numberText(halts.total, 0), `${shown.join(', ')}${more}`]]
}

function footer(result: ReplayResult, { seconds }: TableOptions): string[] {
  const { bars, barSeconds, barsSkipped, seed, manifest } = result
  const skipped =
    barsSkipped === 0 ? '' : `, ${numberText(barsSkipped, 0)} outside of trading hours`
  const rate = numberText(Math.round((bars + barsSkipped) / seconds), 0)
  return [
    `${numberText(bars, 0)} bars of ${lengthText(barSeconds)}${skipped}; ${spanText(result)}`,
    `${seconds.toFixed(2)} s, ${rate} bars/s`,
    `seed ${seed}; bars sha256 ${manifest.sha256}`,
  ]
}
