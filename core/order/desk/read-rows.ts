import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import { amountOf, moneyOf } from '../amount.ts'
import { replacePatchOf } from '../event-json.ts'
import {
  type OrderState,
  type OrderTerms,
  orderStatuses,
  orderTypes,
  sides,
  type Trade,
  terminalStatuses,
  timesInForce,
} from '../order.ts'
import {
  type DeskAccount,
  type DeskOrder,
  type DeskPosition,
  marketClocks,
  positionKey,
} from './desk-view.ts'

export type DeskSql = Sql | TransactionSql

const money = z.string().transform(moneyOf)
const amount = z.string().transform(amountOf)
const absent = z.null().transform(() => undefined)

export const drawdownSchema = z.object({
  day: z.string(),
  dayStart: money,
  highWater: money,
  equity: money,
  level: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]),
  reducingUntil: z
    .number()
    .nullable()
    .transform((untilMs) => untilMs ?? undefined),
  isHalted: z.boolean(),
})

const accountSchema = z.object({
  id: z.string(),
  venue: z.string(),
  clock: z.enum(marketClocks),
  isShortAllowed: z.boolean(),
  drawdown: z.union([drawdownSchema, absent]),
  cash: money,
  reserved: money,
  openOrders: z.number(),
  notionalWindow: z
    .record(z.string(), money)
    .transform((window) => new Map(Object.entries(window).map(([key, sum]) => [Number(key), sum]))),
})

/** Locks the rows in the order of their ids, so that two transactions never wait in a ring. */
export async function lockAccounts(
  sql: TransactionSql,
  ids: readonly string[],
): Promise<ReadonlyMap<string, DeskAccount>> {
  const rows = await sql`
    select id, venue, clock, is_short_allowed as "isShortAllowed",
      drawdown, cash::text, reserved::text,
      open_orders as "openOrders", notional_window as "notionalWindow"
    from postern_account where id = any(${[...ids]}::text[]) order by id for update`
  const accounts = z.array(accountSchema).parse(rows)
  return new Map(accounts.map((account) => [account.id, account]))
}

const replacementSchema = z.object({
  successor: z.string(),
  patch: z.object({
    quantity: amount.optional(),
    limitPrice: amount.optional(),
    stopPrice: amount.optional(),
    timeInForce: z.enum(timesInForce).optional(),
  }),
  reserved: money,
})

const orderSchema = z.object({
  id: z.string(),
  account: z.string(),
  clientOrderId: z.string(),
  symbol: z.string(),
  side: z.enum(sides),
  type: z.enum(orderTypes),
  timeInForce: z.enum(timesInForce),
  quantity: amount,
  requested: amount,
  limitPrice: z.union([amount, absent]),
  stopPrice: z.union([amount, absent]),
  expireAt: z.union([z.date().transform((at) => at.getTime()), absent]),
  strategy: z.union([z.string(), absent]),
  reduceOnly: z.boolean(),
  status: z.enum(orderStatuses),
  previous: z.union([z.enum(orderStatuses), absent]),
  seq: z.number(),
  cumQuantity: amount,
  cumMoney: money,
  venueOrderId: z.union([z.string(), absent]),
  rejectCode: z.union([z.string(), absent]),
  rejectDetails: z.array(z.string()),
  warnings: z.array(z.string()),
  replaces: z.union([z.string(), absent]),
  replacedBy: z.union([z.string(), absent]),
  replacement: z.union([replacementSchema, absent]),
  lateFill: z.boolean(),
  reserved: money,
  twin: z.string().transform(BigInt),
  attempts: z.number(),
  issuer: z.string(),
  subject: z.string(),
  requestId: z.string(),
  traceparent: z.union([z.string(), absent]),
  receivedAt: z.date(),
  updatedAt: z.date(),
})
export type OrderRow = z.infer<typeof orderSchema>

export const orderRowsSchema = z.array(orderSchema)

export function orderColumns(sql: DeskSql) {
  return sql`id, account, client_order_id as "clientOrderId", symbol, side, type,
    time_in_force as "timeInForce", quantity::text, requested::text,
    limit_price::text as "limitPrice", stop_price::text as "stopPrice", expire_at as "expireAt",
    strategy, reduce_only as "reduceOnly", status, previous, seq,
    cum_quantity::text as "cumQuantity", cum_money::text as "cumMoney",
    venue_order_id as "venueOrderId", reject_code as "rejectCode",
    reject_details as "rejectDetails", warnings, replaces, replaced_by as "replacedBy",
    replacement, late_fill as "lateFill", reserved::text, twin::text, attempts, issuer, subject,
    request_id as "requestId", traceparent, received_at as "receivedAt",
    updated_at as "updatedAt"`
}

const fillSchema = z.object({
  orderId: z.string(),
  tradeId: z.string(),
  quantity: amount,
  price: amount,
  fee: money,
  at: z.date().transform((at) => at.getTime()),
})

/** Which orders are meant: by their ids, and by what a venue calls them. */
export type OrderSelection = {
  readonly ids: readonly string[]
  readonly clientOrderIds: readonly { readonly account: string; readonly id: string }[]
}

/** Their ids as an array expression, so that each statement finds them by itself. */
function selectedIds(sql: DeskSql, { ids, clientOrderIds }: OrderSelection) {
  if (clientOrderIds.length === 0) return sql`${[...ids]}::uuid[]`
  return sql`array(
    select unnest(${[...ids]}::uuid[]) union
    select o.id from unnest(${clientOrderIds.map(({ account }) => account)}::text[],
      ${clientOrderIds.map(({ id }) => id)}::text[]) as w(account, id)
    join postern_order o on o.account = w.account and o.client_order_id = w.id)`
}

/** Orders with their trades, by id; those of accounts that are not locked are somebody else's. */
export async function readOrders(
  sql: DeskSql,
  ids: readonly string[],
): Promise<ReadonlyMap<string, DeskOrder>> {
  return await readSelected(sql, { ids, clientOrderIds: [] })
}

export async function readSelected(
  sql: DeskSql,
  selection: OrderSelection,
): Promise<ReadonlyMap<string, DeskOrder>> {
  if (selection.ids.length + selection.clientOrderIds.length === 0) return new Map()
  const [orders, fills] = await Promise.all([
    sql`
      select ${orderColumns(sql)} from postern_order
      where id = any(${selectedIds(sql, selection)})`,
    sql`
      select order_id as "orderId", trade_id as "tradeId", quantity::text, price::text, fee::text,
        at
      from postern_fill where order_id = any(${selectedIds(sql, selection)})`,
  ])
  const trades = Map.groupBy(z.array(fillSchema).parse(fills), ({ orderId }) => orderId)
  const rows = orderRowsSchema.parse(orders)
  return new Map(rows.map((row) => [row.id, deskOrderOf(row, trades.get(row.id) ?? [])]))
}

function deskOrderOf(row: OrderRow, trades: readonly Trade[]): DeskOrder {
  return {
    origin: {
      issuer: row.issuer,
      subject: row.subject,
      requestId: row.requestId,
      traceparent: row.traceparent,
    },
    requested: row.requested,
    receivedAt: row.receivedAt,
    twin: row.twin,
    state: orderStateOf(row, trades),
    reserved: row.reserved,
    replacementReserved: row.replacement?.reserved ?? 0n,
  }
}

export function orderStateOf(row: OrderRow, trades: readonly Trade[]): OrderState {
  const { status, quantity, cumQuantity, replacement } = row
  return {
    terms: termsOf(row),
    seq: row.seq,
    status,
    previous: row.previous,
    cumQuantity,
    cumMoney: row.cumMoney,
    leavesQuantity: terminalStatuses.has(status) ? 0n : quantity - cumQuantity,
    attempts: row.attempts,
    venueOrderId: row.venueOrderId,
    rejectCode: row.rejectCode,
    rejectDetails: row.rejectDetails,
    warnings: row.warnings,
    replaces: row.replaces,
    replacedBy: row.replacedBy,
    replacement:
      replacement === undefined
        ? undefined
        : { successor: replacement.successor, patch: replacePatchOf(replacement.patch) },
    lateFill: row.lateFill,
    trades: new Map(
      trades.map(({ tradeId, quantity, price, fee, at }) => [
        tradeId,
        { tradeId, quantity, price, fee, at },
      ]),
    ),
  }
}

function termsOf(row: OrderRow): OrderTerms {
  return {
    id: row.id,
    account: row.account,
    clientOrderId: row.clientOrderId,
    symbol: row.symbol,
    side: row.side,
    type: row.type,
    timeInForce: row.timeInForce,
    quantity: row.quantity,
    limitPrice: row.limitPrice,
    stopPrice: row.stopPrice,
    expireAt: row.expireAt,
    strategy: row.strategy,
    reduceOnly: row.reduceOnly,
  }
}

const positionSchema = z.object({
  account: z.string(),
  symbol: z.string(),
  quantity: amount,
  cost: money,
  realised: money,
  fees: money,
  openBuy: amount,
  openSell: amount,
  lastDay: z.union([z.string(), absent]),
})
export type PositionRow = z.infer<typeof positionSchema>

export type AccountSymbol = { readonly account: string; readonly symbol: string }

/** Positions of pairs and of selected orders, with the last day that has a row. */
export async function readPositions(
  sql: DeskSql,
  pairs: readonly AccountSymbol[],
  selection: OrderSelection,
): Promise<ReadonlyMap<string, DeskPosition & { readonly lastDay: string | undefined }>> {
  const isOfOrders = selection.ids.length + selection.clientOrderIds.length > 0
  if (pairs.length === 0 && !isOfOrders) return new Map()
  const ofOrders = isOfOrders
    ? sql`union select account, symbol from postern_order
        where id = any(${selectedIds(sql, selection)})`
    : sql``
  const rows = await sql`
    select p.account, p.symbol, p.quantity::text, p.cost::text, p.realised::text, p.fees::text,
      p.open_buy::text as "openBuy", p.open_sell::text as "openSell",
      (select max(day)::text from postern_position_day d
        where d.account = p.account and d.symbol = p.symbol) as "lastDay"
    from (
      select * from unnest(${pairs.map((pair) => pair.account)}::text[],
        ${pairs.map((pair) => pair.symbol)}::text[]) as pairs(account, symbol)
      ${ofOrders}
    ) as wanted
    join postern_position p on p.account = wanted.account and p.symbol = wanted.symbol`
  return new Map(
    z
      .array(positionSchema)
      .parse(rows)
      .map(({ account, symbol, openBuy, openSell, lastDay, ...position }) => [
        positionKey(account, symbol),
        { position, openBuy, openSell, lastDay },
      ]),
  )
}

/** Up to where the account's fills at its venue are known to be here. */
export async function readFillsCursor(sql: DeskSql, account: string): Promise<string | undefined> {
  const [row] = await sql<{ cursor: string | null }[]>`
    select fills_cursor as cursor from postern_account where id = ${account}`
  return row?.cursor ?? undefined
}
