import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import { PosternError } from '../../errors.ts'
import { invariant } from '../../invariant.ts'
import { dayMs } from '../../market/calendar-day.ts'
import { readMarkets } from '../../market/postgres-market-store.ts'
import { exchangeDay } from '../../market/session.ts'
import { groupReads, rowsByKey } from '../../postgres/group-reads.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import { amountOf, type Money, moneyOf } from '../amount.ts'
import type { CostMethod, DailyPnl } from '../pnl.ts'
import { readDayMarks } from './day-marks.ts'
import { type MarketClock, marketClocks } from './desk-view.ts'
import { foldFifo } from './fold-fifo.ts'
import type { PositionDay } from './ledger.ts'
import { type PerformanceReport, performanceReport } from './performance-report.ts'
import {
  type DayRange,
  dayBefore,
  daysIn,
  type PnlReport,
  pnlDays,
  pnlReport,
  reportedDays,
  type SymbolDay,
  wantedMarks,
} from './pnl-report.ts'
import { refuseMore } from './refuse-more.ts'
import { accountNotFound, type Trader } from './traded-accounts.ts'

/** Five years: what a report holds on a screen, and a fold in a moment. */
const rangeDaysMax = 1_830
/** Ends of positions in a range, and marks looked up for them: about a second each. */
const endsMax = 100_000
const marksMax = 50_000

export type PnlQuery = {
  readonly account: string | undefined
  readonly start: string | undefined
  readonly end: string | undefined
  readonly method: CostMethod
  /** Without `start`: so many of the last days that have any fill, and all between. */
  readonly daysDefault: number
}

/**
 * Profit and loss of all accounts that a caller may trade, or of one of them. Both throw
 * `account.not_found`, `request.query_invalid` for what is too much, `database.unavailable`.
 */
export type PnlReads = {
  report(trader: Trader, query: PnlQuery): Promise<PnlReport>
  performance(trader: Trader, query: PnlQuery): Promise<PerformanceReport>
}

type Deps = { readonly sql: Sql; readonly now: () => Date }
type Asked = Trader & PnlQuery
type Found = {
  readonly accounts: readonly string[]
  readonly range: DayRange
  readonly rows: readonly DailyPnl[]
}

/** Days that a report may be asked for and still share its reads with others. */
const sharedDaysMax = 31
/** Reports of one transaction. */
const keysMax = 32

export function pnlReads(deps: Deps): PnlReads {
  const together = groupReads<Asked, Found>({
    read: (asked) => findTogether(deps, asked),
    textOf: ({ issuer, subject, account, start, end, method, daysDefault }) =>
      JSON.stringify([issuer, subject, account, start, end, method, daysDefault]),
    keysMax,
  })

  async function find({ issuer, subject }: Trader, query: PnlQuery): Promise<Found> {
    const asked = { issuer, subject, ...query }
    if (isShort(query)) return await together(asked).catch(rethrowAsOutage)
    const [found] = await findTogether(deps, [asked]).catch(rethrowAsOutage)
    invariant(found !== undefined, 'each report that is asked for is found')
    return found
  }

  return {
    async report(trader, query) {
      const { rows, ...about } = await find(trader, query)
      return pnlReport(rows, { ...about, method: query.method })
    },
    async performance(trader, query) {
      const { rows, ...about } = await find(trader, query)
      return performanceReport(rows, about)
    },
  }
}

/** A long report, or one that folds all fills, keeps nobody else waiting. */
function isShort({ method, start, end, daysDefault }: PnlQuery): boolean {
  if (method !== 'average') return false
  if (start === undefined) return daysDefault <= sharedDaysMax
  return end !== undefined && daysIn({ start, end }) <= sharedDaysMax
}

/**
 * Days and fills as of one moment, or a fill between two reads would be in one of them only. What is
 * refused to one is thrown for all of them: each is then asked for alone.
 */
async function findTogether(deps: Deps, asked: readonly Asked[]): Promise<readonly Found[]> {
  const found = Promise.withResolvers<readonly Found[]>()
  deps.sql
    .begin('isolation level repeatable read read only', async (transaction) => {
      found.resolve(await readFound(transaction, asked, deps.now()))
    })
    // Nothing was written: how it ends is nobody's concern once the answer is there.
    .catch(found.reject)
  return await found.promise
}

async function readFound(
  sql: TransactionSql,
  asked: readonly Asked[],
  at: Date,
): Promise<readonly Found[]> {
  // Where all say from when to when, nothing has to be known before the days are read.
  const starts = asked.flatMap(({ start, end }) => {
    if (start === undefined || end === undefined) return []
    refuseRange({ start, end })
    return [start]
  })
  const isBounded = starts.length === asked.length
  const [accounts, booked, { replay }, early] = await Promise.all([
    readAccounts(sql, asked),
    readBooked(sql, asked),
    readMarkets(sql),
    isBounded ? readAllEnds(sql, asked, starts) : undefined,
  ])
  const ranged = asked.map((query, index) => {
    const own = accounts[index] ?? []
    if (query.account !== undefined && own.length === 0) throw accountNotFound()
    const clocks = { live: at.getTime(), replay: replay.timeMs }
    const days = (booked[index] ?? []).map(({ day }) => day)
    return { accounts: own, range: rangeOf(query, { accounts: own, days, clocks }) }
  })
  const ends =
    early ??
    (await readAllEnds(
      sql,
      asked,
      ranged.map(({ range }) => range.start),
    ))
  const reports = ranged.map((one, index) => {
    const own = ends[index] ?? []
    const days = [
      dayBefore(one.range.start),
      ...reportedDays(one.range, new Set(own.map(({ day }) => day))),
    ]
    return { ...one, days, ends: own, wanted: wantedMarks(own, days) }
  })
  const wanted = unique(reports.flatMap((report) => report.wanted))
  refuseMore(wanted.length, marksMax, 'marks; ask for fewer days, or for one account')
  const markOf = await readDayMarks(sql, wanted)
  return reports.map((report) => {
    const startingCash = report.accounts.reduce((sum, account) => sum + account.startingCash, 0n)
    const rows = pnlDays(report.ends, { days: report.days, startingCash, markOf })
    return { accounts: report.accounts.map(({ id }) => id), range: report.range, rows }
  })
}

function unique(wanted: readonly SymbolDay[]): readonly SymbolDay[] {
  return [...new Map(wanted.map((one) => [`${one.symbol} ${one.day}`, one])).values()]
}

const accountsSchema = z.array(
  z.object({
    n: z.number(),
    id: z.string(),
    clock: z.enum(marketClocks),
    startingCash: z.string().transform(moneyOf),
  }),
)
type Account = { readonly id: string; readonly clock: MarketClock; readonly startingCash: Money }
const lastDay = '9999-12-31'

/** Who asks for which account, '' for all that he may trade, as `w` with its number `n`. */
function askedRows(sql: TransactionSql, asked: readonly Asked[]) {
  return sql`unnest(${asked.map(({ issuer }) => issuer)}::text[],
      ${asked.map(({ subject }) => subject)}::text[],
      ${asked.map(({ account }) => account ?? '')}::text[],
      ${asked.map(({ end }) => end ?? lastDay)}::text[]::date[],
      ${asked.map(({ daysDefault }) => String(daysDefault))}::text[]::integer[])
      with ordinality as w(issuer, subject, account, until, most, n)`
}

async function readAccounts(
  sql: TransactionSql,
  asked: readonly Asked[],
): Promise<readonly (readonly Account[])[]> {
  const rows = await sql`
    select w.n::integer, a.id, a.clock, a.starting_cash::text as "startingCash"
    from ${askedRows(sql, asked)}
    join postern_account_trader t on t.issuer = w.issuer and t.subject = w.subject
      and (w.account = '' or t.account = w.account)
    join postern_account a on a.id = t.account
    order by w.n, a.id`
  return rowsByKey(asked, accountsSchema.parse(rows))
}

/** The last days on which anything was booked, the latest first. */
async function readBooked(
  sql: TransactionSql,
  asked: readonly Asked[],
): Promise<readonly (readonly { readonly day: string }[])[]> {
  const rows = await sql<{ n: number; day: string }[]>`
    select w.n::integer, d.day::text from ${askedRows(sql, asked)}
    cross join lateral (
      select distinct p.day from postern_account_trader t
      join postern_position_day p on p.account = t.account and p.day <= w.until
      where t.issuer = w.issuer and t.subject = w.subject
        and (w.account = '' or t.account = w.account)
      order by p.day desc limit w.most) as d
    order by w.n, d.day desc`
  return rowsByKey(asked, rows)
}

/** Up to the latest day of the accounts' clocks: no day is reported before it has come. */
function rangeOf(
  query: PnlQuery,
  known: {
    readonly accounts: readonly Account[]
    readonly days: readonly string[]
    readonly clocks: { readonly live: number; readonly replay: number | undefined }
  },
): DayRange {
  const { accounts, days, clocks } = known
  const todays = accounts.flatMap(({ clock }) => {
    const timeMs = clocks[clock]
    return timeMs === undefined ? [] : [exchangeDay(timeMs)]
  })
  const today = [...todays, ...days].toSorted().at(-1) ?? exchangeDay(clocks.live)
  const end = query.end === undefined || query.end > today ? today : query.end
  const start = query.start ?? days.at(-1) ?? end
  if (query.start === undefined) return { start: latestStart({ start, end }), end }
  refuseRange({ start, end: query.end ?? laterDay(start, end) })
  return { start, end }
}

/** Days are text, so that there is no larger of two for `Math.max`. */
function laterDay(a: string, b: string): string {
  return a.localeCompare(b) > 0 ? a : b
}

/** A range that was not asked for is cut to what may be asked for. */
function latestStart({ start, end }: DayRange): string {
  const earliest = new Date(Date.parse(end) - (rangeDaysMax - 1) * dayMs).toISOString().slice(0, 10)
  return start < earliest ? earliest : start
}

function refuseRange(range: DayRange): void {
  const days = daysIn(range)
  if (days < 1) {
    throw new PosternError('request.query_invalid', { detail: 'start_date is after end_date.' })
  }
  if (days > rangeDaysMax) {
    throw new PosternError('request.query_invalid', {
      detail: `From start_date to end_date are ${days} days; at most ${rangeDaysMax} may be asked for.`,
    })
  }
}

const endsSchema = z.array(
  z
    .object({
      n: z.number(),
      account: z.string(),
      symbol: z.string(),
      day: z.string(),
      quantity: z.string().transform(amountOf),
      cost: z.string().transform(moneyOf),
      realised: z.string().transform(moneyOf),
      fees: z.string().transform(moneyOf),
    })
    .transform(({ n, account, symbol, day, ...position }) => ({
      n,
      account,
      symbol,
      day,
      position,
    })),
)

/** The ends of days from each start on; no day is booked before it has come, so the last ones are the end. */
async function readAllEnds(
  sql: TransactionSql,
  asked: readonly Asked[],
  starts: readonly string[],
): Promise<readonly (readonly PositionDay[])[]> {
  const [first] = asked
  if (first === undefined || first.method === 'average') return await readEnds(sql, asked, starts)
  // Its lots are folded alone.
  const accounts = (await readAccounts(sql, [first]))[0] ?? []
  const range = { start: starts[0] ?? '', end: first.end ?? lastDay }
  return [
    await foldFifo(
      sql,
      accounts.map(({ id }) => id),
      range,
    ),
  ]
}

/** Ends of days in each range, and the last one before it of each position. */
async function readEnds(
  sql: TransactionSql,
  asked: readonly Asked[],
  starts: readonly string[],
): Promise<readonly (readonly PositionDay[])[]> {
  const columns = sql`p.account, p.symbol, p.day::text, p.quantity::text, p.cost::text,
    p.realised::text, p.fees::text`
  const rows = await sql`
    select w.n::integer, d.* from ${askedRows(sql, asked)}
    join unnest(${[...starts]}::text[]::date[]) with ordinality as s(first, n) on s.n = w.n
    join postern_account_trader t on t.issuer = w.issuer and t.subject = w.subject
      and (w.account = '' or t.account = w.account)
    cross join lateral (
      (select ${columns} from postern_position_day p
        where p.account = t.account and p.day >= s.first and p.day <= w.until)
      union all
      (select distinct on (p.symbol) ${columns} from postern_position_day p
        where p.account = t.account and p.day < s.first
        order by p.symbol, p.day desc)) as d
    limit ${endsMax + 1}`
  refuseMore(
    rows.length,
    endsMax,
    "ends of positions' days; ask for fewer days, or for one account",
  )
  return rowsByKey(asked, endsSchema.parse(rows))
}
