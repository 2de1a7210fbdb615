import { writeFileSync } from 'node:fs'
import { type Cell, figures, float, parts, percentileCells } from './locust-figures.ts'
import { historyRows } from './locust-history.ts'
import { type Entry, type Record, sortedEntries, type Tally, totalOf } from './record.ts'

const headings = parts.map((part) => `${Number((part * 100).toFixed(2))}%`)

const statsColumns = [
  ...['Type', 'Name', 'Request Count', 'Failure Count', 'Median Response Time'],
  ...['Average Response Time', 'Min Response Time', 'Max Response Time', 'Average Content Size'],
  ...['Requests/s', 'Failures/s', ...headings],
]
const historyColumns = [
  ...['Timestamp', 'User Count', 'Type', 'Name', 'Requests/s', 'Failures/s', ...headings],
  ...['Total Request Count', 'Total Failure Count', 'Total Median Response Time'],
  ...['Total Average Response Time', 'Total Min Response Time', 'Total Max Response Time'],
  'Total Average Content Size',
]
const failureColumns = ['Method', 'Name', 'Error', 'Occurrences', 'First Seen', 'Last Seen']
const exceptionColumns = ['Count', 'Message', 'Traceback', 'Nodes']

function csvText(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(quoted).join(',')}\r\n`).join('')
}

function quoted(cell: Cell): string {
  const text = String(cell)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

type Timed = Tally & { readonly lastMs: number }

function statsRow(name: readonly [string, string], tally: Timed, startMs: number): Cell[] {
  const { counts, times } = figures(tally)
  const seconds = (tally.lastMs - startMs) / 1_000
  const perSecond = (count: number) => float(seconds > 0 ? count / seconds : 0)
  return [
    ...name,
    ...counts,
    ...times,
    perSecond(tally.count),
    perSecond(tally.failures),
    ...percentileCells(tally),
  ]
}

/** `startMs` is that of the run: rates count from it. */
export function statsCsv(record: Record, startMs: number): string {
  const rows = sortedEntries(record).map((entry) =>
    statsRow([entry.method, entry.name], entry, startMs),
  )
  const total = totalOf(record)
  return csvText([statsColumns, ...rows, statsRow(['', 'Aggregated'], total, startMs)])
}

export function historyCsv(record: Record, startMs: number, isFull: boolean): string {
  return csvText([historyColumns, ...historyRows(record, startMs, isFull)])
}

export function failuresCsv(record: Record): string {
  const rows = sortedEntries(record).flatMap(failureRows)
  return csvText([failureColumns, ...rows])
}

function failureRows({ method, name, failed }: Entry): Cell[][] {
  const seen = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z/, 'Z')
  return [...failed].map(([status, { count, firstMs, lastMs }]) => [
    ...[method, name, `CatchResponseError('Status: ${status}')`],
    ...[count, seen(firstMs), seen(lastMs)],
  ])
}

export function exceptionsCsv(exceptions: number): string {
  const row = [exceptions, 'a task threw', 'k6 has told it above\n', 'local']
  return csvText([exceptionColumns, ...(exceptions === 0 ? [] : [row])])
}

export function writeLocustCsv(
  prefix: string,
  run: { readonly record: Record; readonly startMs: number; readonly exceptions: number },
  isFull: boolean,
): void {
  const { record, startMs, exceptions } = run
  writeFileSync(`${prefix}_stats.csv`, statsCsv(record, startMs))
  writeFileSync(`${prefix}_stats_history.csv`, historyCsv(record, startMs, isFull))
  writeFileSync(`${prefix}_failures.csv`, failuresCsv(record))
  writeFileSync(`${prefix}_exceptions.csv`, exceptionsCsv(exceptions))
}

/** Per name, without a sum, as Locust's `--json` tells it on stdout. */
export function statsJson(record: Record, startMs: number): string {
  const entries = sortedEntries(record).map((entry) => ({
    name: entry.name,
    method: entry.method,
    last_request_timestamp: entry.lastMs / 1_000,
    start_time: startMs / 1_000,
    num_requests: entry.count,
    num_none_requests: 0,
    num_failures: entry.failures,
    total_response_time: entry.sumMs,
    max_response_time: entry.maxMs,
    min_response_time: entry.minMs,
    total_content_length: entry.bytes,
    response_times: Object.fromEntries(entry.rounded),
    num_reqs_per_sec: bySecond(entry, ({ count }) => count),
    num_fail_per_sec: bySecond(entry, ({ failures }) => failures),
  }))
  return JSON.stringify(entries, undefined, 4)
}

function bySecond(entry: Entry, of: (tally: Tally) => number) {
  const counted = [...entry.seconds].map(([second, tally]) => [second, of(tally)] as const)
  return Object.fromEntries(counted.filter(([, count]) => count > 0))
}
