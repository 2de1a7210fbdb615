import { z } from 'zod'
import { rowsByKey } from '../../postgres/group-reads.ts'
import { amountOf, type Money, moneyOf } from '../amount.ts'
import type { CostMethod } from '../pnl.ts'
import { type MarketClock, marketClocks } from './desk-view.ts'
import { foldFifo } from './fold-fifo.ts'
import type { PositionDay } from './ledger.ts'
import type { DeskSql } from './read-rows.ts'
import { refuseMore } from './refuse-more.ts'
import type { Trader } from './traded-accounts.ts'

export type PnlQuery = {
  readonly account: string | undefined
  readonly start: string | undefined
  readonly end: string | undefined
  readonly method: CostMethod
  /** Without `start`: so many of the last days that have any fill, and all between. */
  readonly daysDefault: number
}

export type Asked = Trader & PnlQuery

const accountColumns = {
  n: z.number(),
  id: z.string(),
  clock: z.enum(marketClocks),
  startingCash: z.string().transform(moneyOf),
}
const accountsSchema = z.array(z.object(accountColumns))
export type Account = {
  readonly id: string
  readonly clock: MarketClock
  readonly startingCash: Money
}
/** After any that is booked. */
const lastDay = '9999-12-31'

/** Who asks for which account, '' for all that he may trade, as `w` with its number `n`. */
function askedRows(sql: DeskSql, asked: readonly Asked[]) {
  return sql`unnest(${asked.map(({ issuer }) => issuer)}::text[],
      ${asked.map(({ subject }) => subject)}::text[],
      ${asked.map(({ account }) => account ?? '')}::text[],
      ${asked.map(({ end }) => end ?? lastDay)}::text[]::date[],
      ${asked.map(({ daysDefault }) => String(daysDefault))}::text[]::integer[])
      with ordinality as w(issuer, subject, account, until, most, n)`
}

export async function readAccounts(
  sql: DeskSql,
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
export async function readBooked(
  sql: DeskSql,
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

/** Ends of positions in a range; about a second. */
const endsMax = 100_000

/** Without a position there is one row of its account, with nulls. */
const ownedSchema = z.array(
  z.object({
    ...accountColumns,
    symbol: z.string().nullable(),
    day: z.string().nullable(),
    quantity: z.string().transform(amountOf).nullable(),
    cost: z.string().transform(moneyOf).nullable(),
    realised: z.string().transform(moneyOf).nullable(),
    fees: z.string().transform(moneyOf).nullable(),
  }),
)
type OwnedRow = z.infer<typeof ownedSchema>[number]

export type Owned = { readonly accounts: readonly Account[]; readonly ends: readonly PositionDay[] }

/**
 * Accounts and the ends of their days from each start on, as of one moment; no day is booked before it
 * has come, so the last ones are the end.
 */
export async function readOwned(
  sql: DeskSql,
  asked: readonly Asked[],
  starts: readonly string[],
): Promise<readonly Owned[]> {
  const [first] = asked
  if (first === undefined || first.method === 'average') return await readEnds(sql, asked, starts)
  // Its lots are folded alone, in a transaction.
  const accounts = (await readAccounts(sql, [first]))[0] ?? []
  const range = { start: starts[0] ?? '', end: first.end ?? lastDay }
  const ids = accounts.map(({ id }) => id)
  return [{ accounts, ends: await foldFifo(sql, ids, range) }]
}

/** Ends of days in each range, and the last one before it of each position. */
async function readEnds(
  sql: DeskSql,
  asked: readonly Asked[],
  starts: readonly string[],
): Promise<readonly Owned[]> {
  const columns = sql`p.symbol, p.day::text, p.quantity::text, p.cost::text, p.realised::text,
    p.fees::text`
  const rows = await sql`
    select w.n::integer, a.id, a.clock, a.starting_cash::text as "startingCash", d.*
    from ${askedRows(sql, asked)}
    join unnest(${[...starts]}::text[]::date[]) with ordinality as s(first, n) on s.n = w.n
    join postern_account_trader t on t.issuer = w.issuer and t.subject = w.subject
      and (w.account = '' or t.account = w.account)
    join postern_account a on a.id = t.account
    left join lateral (
      (select ${columns} from postern_position_day p
        where p.account = t.account and p.day >= s.first and p.day <= w.until)
      union all
      (select distinct on (p.symbol) ${columns} from postern_position_day p
        where p.account = t.account and p.day < s.first
        order by p.symbol, p.day desc)) as d on true
    order by w.n, a.id limit ${endsMax + 1}`
  refuseMore(
    rows.length,
    endsMax,
    "ends of positions' days; ask for fewer days, or for one account",
  )
  return rowsByKey(asked, ownedSchema.parse(rows)).map(ownedOf)
}

function ownedOf(rows: readonly OwnedRow[]): Owned {
  return {
    accounts: [...new Map(rows.map((row) => [row.id, row])).values()],
    ends: rows.flatMap(({ id, symbol, day, quantity, cost, realised, fees }): PositionDay[] => {
      if (symbol === null || day === null) return []
      if (quantity === null || cost === null || realised === null || fees === null) return []
      return [{ account: id, symbol, day, position: { quantity, cost, realised, fees } }]
    }),
  }
}
