import { invariant } from '../../invariant.ts'
import { formatDay, parseDay } from '../../market/calendar-day.ts'
import { sessionOfDay } from '../../market/session.ts'
import { formatMoney, type Money, type Price } from '../amount.ts'
import type { CostMethod, DailyPnl } from '../pnl.ts'
import { type Position, unrealised } from '../position.ts'
import { positionKey } from './desk-view.ts'
import type { PositionDay } from './ledger.ts'

/** First and last day, both included; `YYYY-MM-DD` of the exchange. */
export type DayRange = { readonly start: string; readonly end: string }

export function dayBefore(day: string): string {
  const number = parseDay(day)
  invariant(number !== undefined, 'a day of a checked query or of a column')
  return formatDay(number - 1)
}

/** Days between two dates, both included; 0 or less when they are the wrong way round. */
export function daysIn({ start, end }: DayRange): number {
  return (parseDay(end) ?? 0) - (parseDay(start) ?? 0) + 1
}

/** The trading days of a range, and those on which something was booked all the same. */
export function reportedDays(range: DayRange, booked: ReadonlySet<string>): readonly string[] {
  const days: string[] = []
  const last = parseDay(range.end) ?? 0
  for (let number = parseDay(range.start) ?? 0; number <= last; number += 1) {
    const day = formatDay(number)
    if (booked.has(day) || sessionOfDay(day) !== undefined) days.push(day)
  }
  return days
}

export type MarkOf = (symbol: string, day: string) => Price | undefined

/** Walks position ends through days: after each day, what is held then. */
function* heldByDay(
  ends: readonly PositionDay[],
  days: readonly string[],
): Generator<{
  readonly day: string
  readonly ended: readonly PositionDay[]
  readonly held: ReadonlyMap<string, PositionDay>
}> {
  const sorted = ends.toSorted((a, b) => (a.day < b.day ? -1 : 1))
  const held = new Map<string, PositionDay>()
  let next = 0
  for (const day of days) {
    const ended: PositionDay[] = []
    for (let end = sorted[next]; end !== undefined && end.day <= day; end = sorted[next]) {
      const key = positionKey(end.account, end.symbol)
      if (end.position.quantity === 0n) held.delete(key)
      else held.set(key, end)
      ended.push(end)
      next += 1
    }
    yield { day, ended, held }
  }
}

export type SymbolDay = { readonly symbol: string; readonly day: string }

/** Of which symbol a mark is needed on which day. */
export function wantedMarks(
  ends: readonly PositionDay[],
  days: readonly string[],
): readonly SymbolDay[] {
  const wanted: SymbolDay[] = []
  for (const { day, held } of heldByDay(ends, days)) {
    const symbols = new Set([...held.values()].map(({ symbol }) => symbol))
    for (const symbol of symbols) wanted.push({ symbol, day })
  }
  return wanted
}

/**
 * Each day's figures, from what its fills left of each position, by whatever cost. Ends are all of
 * the range and, for each position, the last one before; the first of `days` is the one before the
 * range.
 */
export function pnlDays(
  ends: readonly PositionDay[],
  options: {
    readonly days: readonly string[]
    readonly startingCash: Money
    readonly markOf: MarkOf
  },
): readonly DailyPnl[] {
  const latest = new Map<string, Position>()
  const sums = { realised: 0n, fees: 0n }
  const rows: DailyPnl[] = []
  for (const { day, ended, held } of heldByDay(ends, options.days)) {
    const before = { ...sums }
    for (const { account, symbol, position } of ended) {
      const key = positionKey(account, symbol)
      const known = latest.get(key)
      sums.realised += position.realised - (known?.realised ?? 0n)
      sums.fees += position.fees - (known?.fees ?? 0n)
      latest.set(key, position)
    }
    const { gain, unmarked } = markedGain(held.values(), (symbol) => options.markOf(symbol, day))
    rows.push({
      day,
      realised: sums.realised - before.realised,
      fees: sums.fees - before.fees,
      unrealised: gain,
      // Cash and market value less what there was at the start are exactly these three.
      equity:
        gain === undefined ? undefined : options.startingCash + sums.realised + gain - sums.fees,
      unmarked,
    })
  }
  return rows
}

function markedGain(held: Iterable<PositionDay>, markOf: (symbol: string) => Price | undefined) {
  const unmarked = new Set<string>()
  let gain = 0n
  for (const { symbol, position } of held) {
    const mark = markOf(symbol)
    if (mark === undefined) unmarked.add(symbol)
    else gain += unrealised(position, mark)
  }
  return { gain: unmarked.size === 0 ? gain : undefined, unmarked: [...unmarked] }
}

const text = (value: Money | undefined) => (value === undefined ? null : formatMoney(value))

/** The first row only says what there was before; each `total` is the day's change of equity. */
export function pnlReport(
  rows: readonly DailyPnl[],
  about: {
    readonly method: CostMethod
    readonly accounts: readonly string[]
    readonly range: DayRange
  },
) {
  const [opening] = rows
  const closing = rows.at(-1)
  const days = rows.slice(1)
  return {
    method: about.method,
    accounts: [...about.accounts],
    start_date: about.range.start,
    end_date: about.range.end,
    ...figures(days, opening, closing),
    days: days.map((row, at) => ({
      date: row.day,
      ...figures([row], rows[at], row),
      equity: text(row.equity),
      unmarked: [...row.unmarked],
    })),
  }
}

function figures(
  days: readonly DailyPnl[],
  before: DailyPnl | undefined,
  after: DailyPnl | undefined,
) {
  const realised = days.reduce((sum, day) => sum + day.realised, 0n)
  const fees = days.reduce((sum, day) => sum + day.fees, 0n)
  const opened = before === undefined ? 0n : before.unrealised
  const closed = after === undefined ? 0n : after.unrealised
  const change = opened === undefined || closed === undefined ? undefined : closed - opened
  return {
    realised: formatMoney(realised),
    fees: formatMoney(fees),
    unrealised: text(closed),
    unrealised_change: text(change),
    total: text(change === undefined ? undefined : realised + change - fees),
  }
}

export type PnlReport = ReturnType<typeof pnlReport>
