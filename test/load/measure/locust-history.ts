import { type Cell, figures, parts, percentileCells } from './locust-figures.ts'
import { emptyTally, mergeTally, type Record, sortedEntries, type Tally } from './record.ts'

/** Locust's mean is of ten seconds, the newest of them two seconds ago. */
const meanSeconds = 10
const lateSeconds = 2

type Series = {
  readonly method: string
  readonly name: string
  readonly seconds: ReadonlyMap<number, Tally>
  /** Up to the second that is told. */
  readonly sum: Tally
  lastSecond: number | undefined
}

/** One row a second, with what came before it; a row for each name too where `isFull`. */
export function historyRows(record: Record, startMs: number, isFull: boolean): Cell[][] {
  const startSecond = Math.floor(startMs / 1_000)
  const total = series('', 'Aggregated', totalSeconds(record))
  const named = sortedEntries(record).map(({ method, name, seconds }) =>
    series(method, name, seconds),
  )
  const lastSecond = Math.max(startSecond, ...total.seconds.keys())
  const rows: Cell[][] = []
  for (let second = startSecond; second <= lastSecond + 1; second += 1) {
    for (const one of [...named, total]) advance(one, second - 1)
    const seen = named.filter(({ sum }) => sum.count > 0)
    const users = record.users.get(second - 1) ?? record.users.get(second) ?? 0
    for (const one of isFull ? [...seen, total] : [total]) {
      rows.push([second, users, ...rowOf(one, { second, startSecond, isFull })])
    }
  }
  return rows
}

function series(method: string, name: string, seconds: ReadonlyMap<number, Tally>): Series {
  return { method, name, seconds, sum: emptyTally(), lastSecond: undefined }
}

export function totalSeconds(record: Pick<Record, 'entries'>): Map<number, Tally> {
  const all = new Map<number, Tally>()
  for (const { seconds } of sortedEntries(record)) {
    for (const [second, tally] of seconds) {
      const sum = all.get(second) ?? emptyTally()
      mergeTally(sum, tally)
      all.set(second, sum)
    }
  }
  return all
}

function advance(one: Series, second: number): void {
  const tally = one.seconds.get(second)
  if (tally === undefined || tally.count === 0) return
  mergeTally(one.sum, tally)
  one.lastSecond = second
}

type Now = { readonly second: number; readonly startSecond: number; readonly isFull: boolean }

function rowOf(one: Series, now: Now): Cell[] {
  const { counts, times } = figures(one.sum)
  return [
    one.method,
    one.name,
    meanRate(one, now, ({ count }) => count).toFixed(6),
    meanRate(one, now, ({ failures }) => failures).toFixed(6),
    ...percentilesNow(one, now),
    ...counts,
    ...times,
  ]
}

function meanRate(
  { seconds, lastSecond }: Series,
  { startSecond }: Now,
  of: (tally: Tally) => number,
): number {
  if (lastSecond === undefined) return 0
  const end = lastSecond - lateSeconds
  const from = Math.max(end - meanSeconds, startSecond)
  let sum = 0
  for (let second = from; second < end; second += 1) {
    const tally = seconds.get(second)
    sum += tally === undefined ? 0 : of(tally)
  }
  return sum / Math.max(1, end - from)
}

function percentilesNow({ sum, seconds }: Series, { second, isFull }: Now): Cell[] {
  if (sum.count === 0) return parts.map(() => 'N/A')
  if (!isFull) return percentileCells(sum)
  const window = emptyTally()
  for (let at = second - meanSeconds; at < second; at += 1) {
    const tally = seconds.get(at)
    if (tally !== undefined) mergeTally(window, tally)
  }
  return percentileCells(window)
}
