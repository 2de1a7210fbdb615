import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import { PosternError } from '../../errors.ts'
import { invariant } from '../../invariant.ts'
import { dayMs } from '../../market/calendar-day.ts'
import { readMarkets } from '../../market/postgres-market-store.ts'
import { exchangeDay } from '../../market/session.ts'
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
  wantedMarks,
} from './pnl-report.ts'
import { refuseMore } from './refuse-more.ts'
import { type Trader, tradedAccounts } from './traded-accounts.ts'

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
type Found = {
  readonly accounts: readonly string[]
  readonly range: DayRange
  readonly rows: readonly DailyPnl[]
}

export function pnlReads(deps: Deps): PnlReads {
  /** Days and fills as of one moment, or a fill between two reads would be in one of them only. */
  async function find(trader: Trader, query: PnlQuery): Promise<Found> {
    let found: Found | undefined
    await deps.sql
      .begin('isolation level repeatable read read only', async (transaction) => {
        found = await readRows(transaction, { trader, query, at: deps.now() })
      })
      .catch(rethrowAsOutage)
    invariant(found !== undefined, 'a transaction that has ended has run')
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

async function readRows(
  sql: TransactionSql,
  about: { readonly trader: Trader; readonly query: PnlQuery; readonly at: Date },
): Promise<Found> {
  const { trader, query, at } = about
  const accounts = await readAccounts(sql, await tradedAccounts(sql, trader, query.account))
  const ids = accounts.map(({ id }) => id)
  const range = await rangeOf(sql, { accounts, query, at })
  const ends =
    query.method === 'fifo' ? await foldFifo(sql, ids, range) : await readEnds(sql, ids, range)
  const booked = new Set(ends.map(({ day }) => day))
  const days = [dayBefore(range.start), ...reportedDays(range, booked)]
  const wanted = wantedMarks(ends, days)
  refuseMore(wanted.length, marksMax, 'marks; ask for fewer days, or for one account')
  const startingCash = accounts.reduce((sum, account) => sum + account.startingCash, 0n)
  const markOf = await readDayMarks(sql, wanted)
  return { accounts: ids, range, rows: pnlDays(ends, { days, startingCash, markOf }) }
}

const accountsSchema = z.array(
  z.object({
    id: z.string(),
    clock: z.enum(marketClocks),
    startingCash: z.string().transform(moneyOf),
  }),
)
type Account = { readonly id: string; readonly clock: MarketClock; readonly startingCash: Money }

async function readAccounts(
  sql: TransactionSql,
  ids: readonly string[],
): Promise<readonly Account[]> {
  const rows = await sql`
    select id, clock, starting_cash::text as "startingCash" from postern_account
    where id = any(${[...ids]}::text[]) order by id`
  return accountsSchema.parse(rows)
}

type Ranging = {
  readonly accounts: readonly Account[]
  readonly query: PnlQuery
  readonly at: Date
}

/** Up to the latest day of the accounts' clocks: no day is reported before it has come. */
async function rangeOf(sql: TransactionSql, { accounts, query, at }: Ranging): Promise<DayRange> {
  const ids = accounts.map(({ id }) => id)
  const until = query.end ?? '9999-12-31'
  const [{ replay }, rows] = await Promise.all([
    readMarkets(sql),
    sql<{ day: string }[]>`
      select distinct day::text from postern_position_day
      where account = any(${ids}::text[]) and day <= ${until}::date
      order by day desc limit ${query.daysDefault}`,
  ])
  const clocks = accounts.flatMap(({ clock }) => {
    const timeMs = clock === 'live' ? at.getTime() : replay.timeMs
    return timeMs === undefined ? [] : [exchangeDay(timeMs)]
  })
  const booked = rows.map(({ day }) => day)
  const today = [...clocks, ...booked].toSorted().at(-1) ?? exchangeDay(at.getTime())
  const end = query.end === undefined || query.end > today ? today : query.end
  const start = query.start ?? booked.at(-1) ?? end
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
      account: z.string(),
      symbol: z.string(),
      day: z.string(),
      quantity: z.string().transform(amountOf),
      cost: z.string().transform(moneyOf),
      realised: z.string().transform(moneyOf),
      fees: z.string().transform(moneyOf),
    })
    .transform(({ account, symbol, day, ...position }) => ({ account, symbol, day, position })),
)

/** Ends of days in the range, and the last one before it of each position. */
async function readEnds(
  sql: TransactionSql,
  accounts: readonly string[],
  { start, end }: DayRange,
): Promise<readonly PositionDay[]> {
  const ids = [...accounts]
  const columns = sql`account, symbol, day::text, quantity::text, cost::text, realised::text,
    fees::text`
  const rows = await sql`
    (select ${columns} from postern_position_day
      where account = any(${ids}::text[]) and day >= ${start}::date and day <= ${end}::date)
    union all
    (select distinct on (account, symbol) ${columns} from postern_position_day
      where account = any(${ids}::text[]) and day < ${start}::date
      order by account, symbol, postern_position_day.day desc)
    limit ${endsMax + 1}`
  refuseMore(
    rows.length,
    endsMax,
    "ends of positions' days; ask for fewer days, or for one account",
  )
  return endsSchema.parse(rows)
}
