import type { Sql } from 'postgres'
import { z } from 'zod'
import { PosternError } from '../../errors.ts'
import { readReferences } from '../../market/postgres-market-store.ts'
import type { Reference } from '../../market/quote-reference.ts'
import { groupReads, rowsByKey } from '../../postgres/group-reads.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import { amountOf, formatAmount, formatMoney, moneyOf } from '../amount.ts'
import { averagePriceText, marketValue, unrealised } from '../position.ts'
import type { DeskSql } from './read-rows.ts'
import { accountNotFound, type Trader } from './traded-accounts.ts'

/** In one answer: some MiB. */
const positionsMax = 5_000

export const positionDocumentSchema = z.object({
  account: z.string(),
  symbol: z.string(),
  quantity: z.string().meta({ description: 'Negative when short' }),
  average_price: z.string().nullable(),
  cost: z.string().meta({ description: 'Of what is held; negative when short' }),
  mark_price: z.string().nullable(),
  mark_source: z.enum(['mid', 'last']).nullable(),
  mark_at: z.string().nullable(),
  market_value: z.string().nullable(),
  unrealised: z.string().nullable(),
  realised: z.string().meta({ description: 'Since the position began, before fees' }),
  fees: z.string(),
  open_buy: z.string(),
  open_sell: z.string(),
  updated_at: z.string(),
})
positionDocumentSchema.register(z.globalRegistry, { title: 'Position' })
export type PositionDocument = z.infer<typeof positionDocumentSchema>

export type PositionReads = {
  /**
   * By account and symbol, flat ones that were once held included. Throws `account.not_found`,
   * `request.query_invalid` when there are too many, `database.unavailable`.
   */
  list(trader: Trader, filter: PositionFilter): Promise<readonly PositionDocument[]>
}

type PositionFilter = { readonly account: string | undefined; readonly symbol: string | undefined }
type Asked = PositionFilter & Trader

/** Lists that are asked for at once share a round trip: a statement for them, and one for what they are worth. */
export function positionReads(sql: Sql): PositionReads {
  const traded = groupReads<Asked, Traded>({
    async read(asked) {
      const [rows, marks] = await Promise.all([readTraded(sql, asked), readMarks(sql, asked)])
      return rows.map((own) => ({ rows: own, marks }))
    },
    textOf: ({ issuer, subject, account, symbol }) =>
      JSON.stringify([issuer, subject, account, symbol]),
    keysMax: 32,
  })

  async function list({ issuer, subject }: Trader, filter: PositionFilter) {
    const { rows, marks } = await traded({ issuer, subject, ...filter })
    if (filter.account !== undefined && rows.length === 0) throw accountNotFound()
    const held = heldRows(rows.filter(({ symbol }) => symbol !== null))
    return held.map((row) => documentOf(row, marks.get(row.symbol)))
  }

  return {
    list: (trader, filter) => list(trader, filter).catch(rethrowAsOutage),
  }
}

const rowsSchema = z.array(
  z.object({
    account: z.string(),
    symbol: z.string(),
    quantity: z.string().transform(amountOf),
    cost: z.string().transform(moneyOf),
    realised: z.string().transform(moneyOf),
    fees: z.string().transform(moneyOf),
    openBuy: z.string().transform(amountOf),
    openSell: z.string().transform(amountOf),
    updatedAt: z.date(),
  }),
)
export type HeldRow = z.infer<typeof rowsSchema>[number]

/** Every position of these accounts. */
export async function readHeld(
  sql: DeskSql,
  accounts: readonly string[],
): Promise<readonly HeldRow[]> {
  const rows = await sql`
    select p.account, p.symbol, ${heldColumns(sql)}
    from postern_position p
    where p.account = any(${[...accounts]}::text[])
    order by p.account, p.symbol limit ${positionsMax + 1}`
  return heldRows(rows)
}

function heldColumns(sql: DeskSql) {
  return sql`p.quantity::text, p.cost::text, p.realised::text, p.fees::text,
    p.open_buy::text as "openBuy", p.open_sell::text as "openSell", p.updated_at as "updatedAt"`
}

function heldRows(rows: readonly unknown[]): readonly HeldRow[] {
  if (rows.length <= positionsMax) return rowsSchema.parse(rows)
  throw new PosternError('request.query_invalid', {
    detail: `More than ${positionsMax} positions; ask for one \`account\` or \`symbol\`.`,
  })
}

type TradedRow = { readonly n: number; readonly symbol: string | null }
type Traded = {
  readonly rows: readonly TradedRow[]
  /** Of the symbols of all that were asked for. */
  readonly marks: ReadonlyMap<string, Reference>
}

/** Of the accounts of each who asks; one without positions is there all the same. '' is any. */
async function readTraded(
  sql: Sql,
  asked: readonly Asked[],
): Promise<readonly (readonly TradedRow[])[]> {
  const rows = await sql<TradedRow[]>`
    select w.n::integer, p.* from ${askedRows(sql, asked)}
    cross join lateral (
      select t.account, p.symbol, ${heldColumns(sql)}
      from postern_account_trader t left join postern_position p
        on p.account = t.account and (w.symbol = '' or p.symbol = w.symbol)
      where t.issuer = w.issuer and t.subject = w.subject
        and (w.account = '' or t.account = w.account)
      order by t.account, p.symbol limit ${positionsMax + 1}) as p
    order by w.n, p.account, p.symbol`
  return rowsByKey(asked, rows)
}

function askedRows(sql: Sql, asked: readonly Asked[]) {
  return sql`unnest(${asked.map(({ issuer }) => issuer)}::text[],
      ${asked.map(({ subject }) => subject)}::text[],
      ${asked.map(({ account }) => account ?? '')}::text[],
      ${asked.map(({ symbol }) => symbol ?? '')}::text[])
      with ordinality as w(issuer, subject, account, symbol, n)`
}

/** By the positions again: their symbols are not known before the other statement is answered. */
function readMarks(sql: Sql, asked: readonly Asked[]): Promise<ReadonlyMap<string, Reference>> {
  return readReferences(
    sql,
    sql`select p.symbol from ${askedRows(sql, asked)}
      join postern_account_trader t on t.issuer = w.issuer and t.subject = w.subject
        and (w.account = '' or t.account = w.account)
      join postern_position p on p.account = t.account and (w.symbol = '' or p.symbol = w.symbol)`,
  )
}

function documentOf(row: HeldRow, mark: Reference | undefined): PositionDocument {
  return {
    account: row.account,
    symbol: row.symbol,
    quantity: formatAmount(row.quantity),
    average_price: averagePriceText(row) ?? null,
    cost: formatMoney(row.cost),
    mark_price: mark === undefined ? null : formatAmount(mark.price),
    mark_source: mark?.source ?? null,
    mark_at: mark === undefined ? null : new Date(mark.atMs).toISOString(),
    market_value: mark === undefined ? null : formatMoney(marketValue(row, mark.price)),
    unrealised: mark === undefined ? null : formatMoney(unrealised(row, mark.price)),
    realised: formatMoney(row.realised),
    fees: formatMoney(row.fees),
    open_buy: formatAmount(row.openBuy),
    open_sell: formatAmount(row.openSell),
    updated_at: row.updatedAt.toISOString(),
  }
}
