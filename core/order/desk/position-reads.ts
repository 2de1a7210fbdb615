import type { Sql } from 'postgres'
import { z } from 'zod'
import { PosternError } from '../../errors.ts'
import { readSymbolMarkets, type SymbolRecord } from '../../market/postgres-market-store.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import { amountOf, formatAmount, formatMoney, moneyOf } from '../amount.ts'
import { averagePriceText, marketValue, unrealised } from '../position.ts'
import type { DeskSql } from './read-rows.ts'
import { type Trader, tradedAccounts } from './traded-accounts.ts'

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
  list(
    trader: Trader,
    filter: { readonly account: string | undefined; readonly symbol: string | undefined },
  ): Promise<readonly PositionDocument[]>
}

export function positionReads(sql: Sql): PositionReads {
  return {
    list: (trader, filter) => listPositions(sql, trader, filter).catch(rethrowAsOutage),
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
  symbol?: string,
): Promise<readonly HeldRow[]> {
  const rows = await sql`
    select account, symbol, quantity::text, cost::text, realised::text, fees::text,
      open_buy::text as "openBuy", open_sell::text as "openSell", updated_at as "updatedAt"
    from postern_position
    where account = any(${[...accounts]}::text[])
      ${symbol === undefined ? sql`` : sql`and symbol = ${symbol}`}
    order by account, symbol limit ${positionsMax + 1}`
  if (rows.length <= positionsMax) return rowsSchema.parse(rows)
  throw new PosternError('request.query_invalid', {
    detail: `More than ${positionsMax} positions; ask for one \`account\` or \`symbol\`.`,
  })
}

async function listPositions(
  sql: Sql,
  trader: Trader,
  {
    account,
    symbol,
  }: { readonly account: string | undefined; readonly symbol: string | undefined },
): Promise<readonly PositionDocument[]> {
  const accounts = await tradedAccounts(sql, trader, account)
  const rows = await readHeld(sql, accounts, symbol)
  const markets = await readSymbolMarkets(sql, [...new Set(rows.map((row) => row.symbol))])
  return rows.map((row) => documentOf(row, markets.get(row.symbol)))
}

function documentOf(row: HeldRow, market: SymbolRecord | undefined): PositionDocument {
  const mark = market?.reference
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
