import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import { amountOf, moneyOf } from '../amount.ts'
import { replacePatchOf } from '../event-json.ts'
import {
  type OrderState,
  type OrderTerms,
  type Trade,
  terminalStatuses,
  timesInForce,
} from '../order.ts'
import { type DeskOrder, type DeskPosition, positionKey } from './desk-view.ts'

export type DeskSql = Sql | TransactionSql

const money = z.string().transform(moneyOf)
const amount = z.string().transform(amountOf)

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

/** As the driver gives it: our own columns, written by our own statements. */
export type OrderText = {
  readonly id: string
  readonly account: string
  readonly clientOrderId: string
  readonly symbol: string
  readonly side: OrderTerms['side']
  readonly type: OrderTerms['type']
  readonly timeInForce: OrderTerms['timeInForce']
  readonly quantity: string
  readonly requested: string
  readonly limitPrice: string | null
  readonly stopPrice: string | null
  readonly expireAt: Date | null
  readonly strategy: string | null
  readonly reduceOnly: boolean
  readonly status: OrderState['status']
  readonly previous: OrderState['status'] | null
  readonly seq: number
  readonly cumQuantity: string
  readonly cumMoney: string
  readonly venueOrderId: string | null
  readonly rejectCode: string | null
  readonly rejectDetails: readonly string[]
  readonly warnings: readonly string[]
  readonly replaces: string | null
  readonly replacedBy: string | null
  readonly replacement: unknown
  readonly lateFill: boolean
  readonly reserved: string
  readonly twin: string
  readonly attempts: number
  readonly issuer: string
  readonly subject: string
  readonly requestId: string
  readonly traceparent: string | null
  readonly receivedAt: Date
  readonly updatedAt: Date
}
export type OrderRow = ReturnType<typeof orderRowOf>

/** By hand: a schema of forty members costs as much as everything else that is done to an order. */
export function orderRowOf(text: OrderText) {
  return {
    ...text,
    quantity: amountOf(text.quantity),
    requested: amountOf(text.requested),
    limitPrice: text.limitPrice === null ? undefined : amountOf(text.limitPrice),
    stopPrice: text.stopPrice === null ? undefined : amountOf(text.stopPrice),
    expireAt: text.expireAt?.getTime(),
    strategy: text.strategy ?? undefined,
    previous: text.previous ?? undefined,
    cumQuantity: amountOf(text.cumQuantity),
    cumMoney: moneyOf(text.cumMoney),
    venueOrderId: text.venueOrderId ?? undefined,
    rejectCode: text.rejectCode ?? undefined,
    replaces: text.replaces ?? undefined,
    replacedBy: text.replacedBy ?? undefined,
    replacement: text.replacement === null ? undefined : replacementSchema.parse(text.replacement),
    reserved: moneyOf(text.reserved),
    twin: BigInt(text.twin),
    traceparent: text.traceparent ?? undefined,
  }
}

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

type FillText = {
  readonly orderId: string
  readonly tradeId: string
  readonly quantity: string
  readonly price: string
  readonly fee: string
  readonly at: Date
}

function tradeOf({ tradeId, quantity, price, fee, at }: FillText): Trade {
  return {
    tradeId,
    quantity: amountOf(quantity),
    price: amountOf(price),
    fee: moneyOf(fee),
    at: at.getTime(),
  }
}

/** Which orders are meant: by their ids, and by what a venue calls them. */
export type OrderSelection = {
  readonly ids: readonly string[]
  readonly clientOrderIds: readonly { readonly account: string; readonly id: string }[]
}

/**
 * The order of a row `w` of an account and a client order id: a look-up each, because a join may be
 * planned by the account alone, and then reads all orders of it. `is not distinct from` leaves no
 * other index to the look-up than the one that begins with the client order id: on young statistics
 * the planner would take any that begins with the account.
 */
export function orderOfClient(sql: DeskSql) {
  return sql`postern_order
    where client_order_id = w.client_id and account is not distinct from w.account limit 1`
}

/** Their ids as an array expression, so that each statement finds them by itself. */
function selectedIds(sql: DeskSql, { ids, clientOrderIds }: OrderSelection) {
  if (clientOrderIds.length === 0) return sql`${[...ids]}::uuid[]`
  return sql`array(
    select unnest(${[...ids]}::uuid[]) union
    select o.id from unnest(${clientOrderIds.map(({ account }) => account)}::text[],
      ${clientOrderIds.map(({ id }) => id)}::text[]) as w(account, client_id)
    cross join lateral (select id from ${orderOfClient(sql)}) as o)`
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
    sql<OrderText[]>`
      select ${orderColumns(sql)} from postern_order
      where id = any(${selectedIds(sql, selection)})`,
    sql<FillText[]>`
      select order_id as "orderId", trade_id as "tradeId", quantity::text, price::text, fee::text,
        at
      from postern_fill where order_id = any(${selectedIds(sql, selection)})`,
  ])
  const trades = Map.groupBy(fills, ({ orderId }) => orderId)
  return new Map(
    orders.map((text) => [
      text.id,
      deskOrderOf(orderRowOf(text), (trades.get(text.id) ?? []).map(tradeOf)),
    ]),
  )
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
    trades: new Map(trades.map((trade) => [trade.tradeId, trade])),
  }
}

export function termsOf(row: OrderRow): OrderTerms {
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

type PositionText = {
  readonly account: string
  readonly symbol: string
  readonly quantity: string
  readonly cost: string
  readonly realised: string
  readonly fees: string
  readonly openBuy: string
  readonly openSell: string
  readonly lastDay: string | null
}

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
  const rows = await sql<PositionText[]>`
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
    rows.map((text) => [
      positionKey(text.account, text.symbol),
      {
        position: {
          quantity: amountOf(text.quantity),
          cost: moneyOf(text.cost),
          realised: moneyOf(text.realised),
          fees: moneyOf(text.fees),
        },
        openBuy: amountOf(text.openBuy),
        openSell: amountOf(text.openSell),
        lastDay: text.lastDay ?? undefined,
      },
    ]),
  )
}
