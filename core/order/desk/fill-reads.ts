import type { Sql } from 'postgres'
import { z } from 'zod'
import { PosternError } from '../../errors.ts'
import { groupReads, rowsByKey } from '../../postgres/group-reads.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import { amountOf, formatAmount, formatMoney, moneyOf } from '../amount.ts'
import { sides } from '../order.ts'
import { accountNotFound, type Trader, tradedAccounts } from './traded-accounts.ts'

/** A cursor holds a place in each account, and has to fit a request line. */
const accountsPerCursorMax = 32

export type FillFilter = {
  readonly account: string | undefined
  readonly symbol: string | undefined
  readonly orderId: string | undefined
  readonly limit: number
  /** Opaque; from an earlier page. */
  readonly cursor: string | undefined
}

export const fillSchema = z.object({
  trade_id: z.string().meta({ description: 'Unique at the venue' }),
  venue: z.string(),
  order_id: z.uuid(),
  account: z.string(),
  symbol: z.string(),
  side: z.enum(sides),
  quantity: z.string().meta({ description: 'As it stands after corrections; 0: cancelled' }),
  price: z.string(),
  fee: z.string(),
  at: z.string().meta({ description: "The venue's time" }),
  strategy: z.string().optional(),
})
fillSchema.register(z.globalRegistry, { title: 'Fill' })
export type FillDocument = z.infer<typeof fillSchema>

export type FillPage = {
  readonly fills: readonly FillDocument[]
  /** Of the next page, if there is one by now. */
  readonly next: string | undefined
  /** Behind the last of these fills: what comes later is found with it. */
  readonly resume: string | undefined
}

/** Fills of the accounts that a caller may trade. Both throw `database.unavailable`. */
export type FillReads = {
  /**
   * In the order in which they were booked. Throws `account.not_found`, and
   * `request.query_invalid` for a cursor that is not ours.
   */
  list(trader: Trader, filter: FillFilter): Promise<FillPage>
  /** Newest first. */
  recent(trader: Trader, options: Recent): Promise<readonly FillDocument[]>
}

type Recent = { readonly account: string | undefined; readonly limit: number }
type AskedRecent = Recent & Trader

export function fillReads(sql: Sql): FillReads {
  const recent = groupReads<AskedRecent, readonly NewestRow[]>({
    read: (asked) => readNewest(sql, asked),
    textOf: ({ issuer, subject, account, limit }) =>
      JSON.stringify([issuer, subject, account, limit]),
    keysMax: 32,
  })

  async function recentFills({ issuer, subject }: Trader, options: Recent) {
    const rows = await recent({ issuer, subject, ...options })
    if (options.account !== undefined && rows.length === 0) throw accountNotFound()
    return rowsSchema.parse(rows.filter(({ position }) => position !== null)).map(fillOf)
  }

  return {
    list: (trader, filter) => listFills(sql, trader, filter).catch(rethrowAsOutage),
    recent: (trader, options) => recentFills(trader, options).catch(rethrowAsOutage),
  }
}

const rowsSchema = z.array(
  z
    .object({
      trade_id: z.string(),
      venue: z.string(),
      order_id: z.uuid(),
      account: z.string(),
      symbol: z.string(),
      side: z.enum(sides),
      quantity: z.string().transform(amountOf).transform(formatAmount),
      price: z.string().transform(amountOf).transform(formatAmount),
      fee: z.string().transform(moneyOf).transform(formatMoney),
      at: z.date().transform((at) => at.toISOString()),
      strategy: z.string().nullable(),
      position: z.string(),
    })
    .transform(({ strategy, ...row }) => (strategy === null ? row : { ...row, strategy })),
)
type FillRow = z.infer<typeof rowsSchema>[number]

function fillColumns(sql: Sql) {
  return sql`trade_id, venue, order_id, account, symbol, side, quantity::text, price::text,
    fee::text, at, strategy, position`
}

/**
 * Places are counted up under the lock of an account, so they are in order within it and nowhere
 * else: a cursor therefore holds one place for each account, or it could pass over a fill whose
 * transaction was slower than its neighbour's.
 */
async function listFills(sql: Sql, trader: Trader, filter: FillFilter): Promise<FillPage> {
  const { symbol, orderId, limit } = filter
  const accounts = await tradedAccounts(sql, trader, filter.account)
  refuseMany(accounts)
  const before = filter.cursor === undefined ? {} : decodeCursor(filter.cursor)
  const after = accounts.map((account) => before[account] ?? '0')
  const rows = await sql`
    select f.* from unnest(${[...accounts]}::text[], ${after}::text[]::bigint[]) as mine(account, after)
    cross join lateral (
      select ${fillColumns(sql)} from postern_fill
      where postern_fill.account = mine.account and position > mine.after
        ${symbol === undefined ? sql`` : sql`and symbol = ${symbol}`}
        ${orderId === undefined ? sql`` : sql`and order_id = ${orderId}::uuid`}
      order by position limit ${limit + 1}
    ) as f
    order by f.position limit ${limit + 1}`
  const page = rowsSchema.parse(rows).slice(0, limit)
  const reached = { ...before }
  for (const { account, position } of page) reached[account] = position
  const resume = page.length === 0 ? filter.cursor : encodeCursor(reached)
  return { fills: page.map(fillOf), next: rows.length > limit ? resume : undefined, resume }
}

type NewestRow = { readonly n: number; readonly position: string | null }

/**
 * Of the accounts of each who asks, the newest first; an account without fills is there all the same.
 * '' is any.
 */
async function readNewest(
  sql: Sql,
  asked: readonly AskedRecent[],
): Promise<readonly (readonly NewestRow[])[]> {
  const rows = await sql<NewestRow[]>`
    select w.n::integer, f.*
    from unnest(${asked.map(({ issuer }) => issuer)}::text[],
      ${asked.map(({ subject }) => subject)}::text[],
      ${asked.map(({ account }) => account ?? '')}::text[],
      ${asked.map(({ limit }) => String(limit))}::text[]::integer[])
      with ordinality as w(issuer, subject, account, most, n)
    cross join lateral (
      select own.* from postern_account_trader t left join lateral (
        select ${fillColumns(sql)} from postern_fill where postern_fill.account = t.account
        order by position desc limit w.most) as own on true
      where t.issuer = w.issuer and t.subject = w.subject
        and (w.account = '' or t.account = w.account)
      order by own.position desc nulls last limit w.most) as f
    order by w.n, f.position desc nulls last`
  return rowsByKey(asked, rows)
}

function fillOf({ position: _place, ...fill }: FillRow): FillDocument {
  return fill
}

function refuseMany(accounts: readonly string[]): void {
  if (accounts.length <= accountsPerCursorMax) return
  throw new PosternError('request.query_invalid', {
    detail: `The token may trade more than ${accountsPerCursorMax} accounts; say which in \`account\`.`,
  })
}

/** A bigint's digits; what is longer would be refused by Postgres with an error of its own. */
const cursorSchema = z.record(z.string(), z.string().regex(/^\d{1,18}$/))

function encodeCursor(places: Readonly<Record<string, string>>): string {
  return Buffer.from(JSON.stringify(places)).toString('base64url')
}

function decodeCursor(cursor: string): Record<string, string> {
  try {
    return cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()))
  } catch (cause) {
    const detail = 'The cursor is not one that this list gave out.'
    throw new PosternError('request.query_invalid', { detail, cause })
  }
}
