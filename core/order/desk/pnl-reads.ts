import type { Sql } from 'postgres'
import { invariant } from '../../invariant.ts'
import { readMarkets } from '../../market/postgres-market-store.ts'
import { earlyBegin } from '../../postgres/early-begin.ts'
import { groupReads } from '../../postgres/group-reads.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import type { DailyPnl } from '../pnl.ts'
import { readDayMarks } from './day-marks.ts'
import { type PerformanceReport, performanceReport } from './performance-report.ts'
import { rangeOf, refuseRange } from './pnl-range.ts'
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
import { type Asked, type PnlQuery, readAccounts, readBooked, readOwned } from './pnl-rows.ts'
import type { DeskSql } from './read-rows.ts'
import { refuseMore } from './refuse-more.ts'
import { accountNotFound, type Trader } from './traded-accounts.ts'

/** Looked up for the ends of positions; about a second. */
const marksMax = 50_000

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

/** Days that a report may be asked for and still share its reads with others. */
const sharedDaysMax = 31
/** Reports of one transaction. */
const keysMax = 32

export function pnlReads(deps: Deps): PnlReads {
  const grouped = (read: (asked: readonly Asked[]) => Promise<readonly Found[]>) =>
    groupReads<Asked, Found>({
      read,
      textOf: ({ issuer, subject, account, start, end, method, daysDefault }) =>
        JSON.stringify([issuer, subject, account, start, end, method, daysDefault]),
      keysMax,
    })
  const together = grouped((asked) => findTogether(deps, asked))
  // Accounts and days of such a report come from one statement, which sees one moment by itself.
  const bounded = grouped((asked) => readFound(deps.sql, asked, deps.now()))

  async function find({ issuer, subject }: Trader, query: PnlQuery): Promise<Found> {
    const asked = { issuer, subject, ...query }
    if (isShort(query)) {
      const read = isBounded(query) ? bounded : together
      return await read(asked).catch(rethrowAsOutage)
    }
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

/** Says from when to when: nothing has to be known before its days are read. */
function isBounded({ start, end }: PnlQuery): boolean {
  return start !== undefined && end !== undefined
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
    .begin(`${earlyBegin} isolation level repeatable read read only`, async (transaction) => {
      found.resolve(await readFound(transaction, asked, deps.now()))
    })
    // Nothing was written: how it ends is nobody's concern once the answer is there.
    .catch(found.reject)
  return await found.promise
}

async function readFound(
  sql: DeskSql,
  asked: readonly Asked[],
  at: Date,
): Promise<readonly Found[]> {
  const starts = asked.flatMap(({ start, end }) => {
    if (start === undefined || end === undefined) return []
    refuseRange({ start, end })
    return [start]
  })
  const isKnown = asked.every(isBounded)
  const [early, accounts, booked, { replay }] = await Promise.all([
    isKnown ? readOwned(sql, asked, starts) : undefined,
    isKnown ? undefined : readAccounts(sql, asked),
    readBooked(sql, asked),
    readMarkets(sql),
  ])
  const ranged = asked.map((query, index) => {
    const own = early?.[index]?.accounts ?? accounts?.[index] ?? []
    if (query.account !== undefined && own.length === 0) throw accountNotFound()
    const clocks = { live: at.getTime(), replay: replay.timeMs }
    const days = (booked[index] ?? []).map(({ day }) => day)
    return { accounts: own, range: rangeOf(query, { accounts: own, days, clocks }) }
  })
  const first = ranged.map(({ range }) => range.start)
  const owned = early ?? (await readOwned(sql, asked, first))
  const reports = ranged.map((one, index) => {
    const own = owned[index]?.ends ?? []
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
