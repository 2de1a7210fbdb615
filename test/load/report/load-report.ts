import { parts } from '../measure/locust-figures.ts'
import { totalSeconds } from '../measure/locust-history.ts'
import {
  type Entry,
  exactTimes,
  type Record,
  sortedEntries,
  type Tally,
  totalOf,
} from '../measure/record.ts'
import { exactPercentile, roundedPercentile } from '../measure/response-times.ts'
import type { Chart, Line } from './chart.ts'
import type { Table } from './page.ts'

type Run = { readonly record: Record; readonly startMs: number; readonly endMs: number }

/** Requests and failures, response times and users, second by second. */
export function loadCharts({ record, startMs, endMs }: Run): readonly Chart[] {
  const seconds = totalSeconds(record)
  const first = Math.floor(startMs / 1_000)
  const last = Math.max(first, Math.floor(endMs / 1_000) - 1)
  const line = (name: string, colour: Line['colour'], of: (tally: Tally) => number): Line => {
    const points = Array.from({ length: last - first + 1 }, (_, at) => {
      const tally = seconds.get(first + at)
      return [at, tally === undefined || tally.count === 0 ? 0 : of(tally)] as const
    })
    return { name, colour, points }
  }
  const xUnit = 'seconds'
  const users = [...record.users]
    .sort(([one], [other]) => one - other)
    .map(([second, count]) => [second - first, count] as const)
    .filter(([second]) => second >= 0)
  return [
    {
      ...{ title: 'Requests', xUnit, yUnit: 'per second' },
      lines: [
        line('requests', 'money', ({ count }) => count),
        line('failures', 'loss', ({ failures }) => failures),
      ],
    },
    {
      ...{ title: 'Response times', xUnit, yUnit: 'milliseconds' },
      lines: [
        line('median', 'exposure', ({ rounded }) => roundedPercentile(rounded, 0.5)),
        line('95 %', 'halt', ({ rounded }) => roundedPercentile(rounded, 0.95)),
        line('99 %', 'loss', ({ rounded }) => roundedPercentile(rounded, 0.99)),
      ],
    },
    {
      ...{ title: 'Users', xUnit, yUnit: 'at work' },
      lines: [{ name: 'users', colour: 'price', points: users }],
    },
  ]
}

const ms = (value: number) => value.toFixed(1)

/** Locust's rounded percentiles, and beside them what they are exactly. */
export function loadTables({ record, startMs }: Run): readonly Table[] {
  const entries = sortedEntries(record)
  return [
    {
      title: 'Requests',
      columns: ['Name', 'Requests', 'Failures', 'Average', 'Min', 'Max', 'Bytes', 'Requests/s'],
      rows: [...entries.map((entry) => requestRow(entry, startMs)), totalRow(record, startMs)],
    },
    {
      title: 'Response times, as Locust rounds them (ms)',
      columns: ['Name', ...parts.map(partText)],
      rows: [
        ...entries.map((entry) => [
          nameOf(entry),
          ...parts.map((part) => roundedPercentile(entry.rounded, part)),
        ]),
        ['All', ...parts.map((part) => roundedPercentile(totalOf(record).rounded, part))],
      ],
    },
    {
      title: 'Response times, exact (ms)',
      columns: ['Name', ...parts.map(partText)],
      rows: [
        ...entries.map((entry) => exactRow(nameOf(entry), entry.exact.sorted())),
        exactRow('All', exactTimes(entries)),
      ],
    },
    {
      title: 'Failures',
      columns: ['Name', 'Status', 'Occurrences', 'First', 'Last'],
      rows: entries.flatMap((entry) =>
        [...entry.failed].map(([status, { count, firstMs, lastMs }]) => [
          ...[nameOf(entry), status, count],
          ...[new Date(firstMs).toISOString(), new Date(lastMs).toISOString()],
        ]),
      ),
    },
  ]
}

const partText = (part: number) => `${Number((part * 100).toFixed(2))} %`
const nameOf = ({ method, name }: Entry) => `${method} ${name}`

function exactRow(name: string, sorted: Float64Array): (string | number)[] {
  return [name, ...parts.map((part) => ms(exactPercentile(sorted, part)))]
}

function requestRow(entry: Entry, startMs: number): (string | number)[] {
  return tallyRow(nameOf(entry), entry, (entry.lastMs - startMs) / 1_000)
}

function totalRow(record: Record, startMs: number): (string | number)[] {
  const total = totalOf(record)
  return tallyRow('All', total, (total.lastMs - startMs) / 1_000)
}

function tallyRow(name: string, tally: Tally, seconds: number): (string | number)[] {
  const { count, failures, sumMs, minMs, maxMs, bytes } = tally
  const each = (sum: number) => (count === 0 ? '–' : ms(sum / count))
  const rate = seconds > 0 ? ms(count / seconds) : '–'
  return [name, count, failures, each(sumMs), ms(minMs), ms(maxMs), each(bytes), rate]
}

/** For a terminal: each name with its exact percentiles beside the rounded one. */
export function loadLines(record: Record): readonly string[] {
  const entries = sortedEntries(record)
  const width = Math.max(12, ...entries.map((entry) => nameOf(entry).length))
  const head = ['name'.padEnd(width), ...columns.map((column) => column.padStart(10))].join(' ')
  const row = (name: string, tally: Tally, sorted: Float64Array) => {
    const exact = (part: number) => exactPercentile(sorted, part).toFixed(1)
    const cells = [
      ...[tally.count, tally.failures, exact(0.5), exact(0.95), exact(0.99)],
      ...[roundedPercentile(tally.rounded, 0.99), exact(1)],
    ]
    return [name.padEnd(width), ...cells.map((cell) => String(cell).padStart(10))].join(' ')
  }
  return [
    head,
    ...entries.map((entry) => row(nameOf(entry), entry, entry.exact.sorted())),
    row('all', totalOf(record), exactTimes(entries)),
  ]
}

const columns = ['requests', 'failures', 'p50 ms', 'p95 ms', 'p99 ms', 'rounded', 'max ms']
