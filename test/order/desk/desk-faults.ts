import type { Sql } from 'postgres'
import { z } from 'zod'
import { amountOf, moneyOf } from '#core/order/amount.ts'
import { type DeskOrder, heldBy } from '#core/order/desk/desk-view.ts'
import { readOrders } from '#core/order/desk/read-rows.ts'
import { decodeOrderEvent } from '#core/order/event-json.ts'
import { foldOrder } from '#core/order/fold-order.ts'
import { advanceOrdersPayload } from '#core/order/kinds.ts'
import type { OrderEvent, Side } from '#core/order/order.ts'
import { orderFaults } from '#core/order/order-faults.ts'
import { cashEffect } from '#core/order/position.ts'

/**
 * Everything that must hold of a desk's rows whenever nobody is changing them; empty when it does:
 * orders are the folds of their events, accounts and positions what orders and fills come to.
 */
export async function deskFaults(sql: Sql): Promise<readonly string[]> {
  const ids = await sql<{ id: string }[]>`select id from postern_order order by id`
  const orders = [
    ...(await readOrders(
      sql,
      ids.map(({ id }) => id),
    )),
  ].map(([, order]) => order)
  const faults = [await foldFaults(sql, orders), await accountFaults(sql, orders)]
  return [...faults, await positionFaults(sql, orders), await recordFaults(sql, orders)].flat()
}

const eventRows = z.array(z.object({ order: z.string(), seq: z.number(), event: z.unknown() }))

async function foldFaults(sql: Sql, orders: readonly DeskOrder[]): Promise<readonly string[]> {
  const rows = await sql`
    select order_id as order, seq, event from postern_order_event order by order_id, seq`
  const byOrder = Map.groupBy(eventRows.parse(rows), ({ order }) => order)
  return orders.flatMap((order) => {
    const { id } = order.state.terms
    const stored = byOrder.get(id) ?? []
    const events = stored.map(({ event }) => decodeOrderEvent(event))
    const isFold = Bun.deepEquals(foldOrder(firstTerms(order, events), events), order.state)
    const sequence = stored.map(({ seq }) => seq)
    const carried = events.findLast((event) => event.type === 'succeed')
    const own = orderFaults(
      order.state,
      carried === undefined ? { sequence } : { carried, sequence },
    )
    return [...(isFold ? [] : ['is not the fold of its events']), ...own].map(
      (fault) => `order ${id}: ${fault}`,
    )
  })
}

/** An order that waited may have been made smaller when it was let go. */
function firstTerms({ state, requested }: DeskOrder, events: readonly OrderEvent[]) {
  const isSmaller = events.some((event) => event.type === 'resume' && event.quantity !== undefined)
  return isSmaller ? { ...state.terms, quantity: requested } : state.terms
}

const money = z.string().transform(moneyOf)
const amount = z.string().transform(amountOf)
const accountRows = z.array(
  z.object({ id: z.string(), start: money, cash: money, reserved: money, open: z.number() }),
)
const fillRows = z.array(
  z.object({
    account: z.string(),
    symbol: z.string(),
    side: z.enum(['buy', 'sell']),
    ...{ quantity: amount, price: amount, fee: money },
  }),
)

async function readFills(sql: Sql) {
  const rows = await sql`
    select account, symbol, side, quantity::text, price::text, fee::text from postern_fill`
  return fillRows.parse(rows)
}

async function accountFaults(sql: Sql, orders: readonly DeskOrder[]): Promise<readonly string[]> {
  const rows = await sql`
    select id, starting_cash::text as start, cash::text, reserved::text, open_orders as open
    from postern_account`
  const fills = await readFills(sql)
  return accountRows.parse(rows).flatMap(({ id, start, cash, reserved, open }) => {
    const held = orders.filter((one) => one.state.terms.account === id).map(heldBy)
    const own = fills.filter((fill) => fill.account === id)
    const isRight = {
      reserved: reserved === sum(held.map((one) => one.money)),
      'open orders': open === held.reduce((count, one) => count + one.orders, 0),
      cash: cash === start + sum(own.map(cashEffect)),
    }
    return Object.entries(isRight).flatMap(([what, is]) => (is ? [] : [`account ${id}: ${what}`]))
  })
}

const positionRows = z.array(
  z.object({
    account: z.string(),
    symbol: z.string(),
    ...{ quantity: amount, cost: money, realised: money, fees: money, buy: amount, sell: amount },
    day: z.string().nullable(),
  }),
)

async function positionFaults(sql: Sql, orders: readonly DeskOrder[]): Promise<readonly string[]> {
  const rows = await sql`
    select account, symbol, p.quantity::text, p.cost::text, p.realised::text, p.fees::text,
      open_buy::text as buy, open_sell::text as sell, (
        select case when (d.quantity, d.cost, d.realised, d.fees)
          = (p.quantity, p.cost, p.realised, p.fees) then 'same' else 'other' end
        from postern_position_day d where d.account = p.account and d.symbol = p.symbol
        order by day desc limit 1) as day
    from postern_position p`
  const fills = await readFills(sql)
  return positionRows.parse(rows).flatMap((row) => {
    const { account, symbol } = row
    const own = fills.filter((fill) => fill.account === account && fill.symbol === symbol)
    const open = (side: Side) =>
      sum(
        orders
          .filter(({ state: { terms } }) => terms.account === account && terms.symbol === symbol)
          .filter(({ state: { terms } }) => terms.side === side)
          .map((order) => heldBy(order).quantity),
      )
    const isRight = {
      quantity:
        row.quantity ===
        sum(own.map(({ side, quantity }) => (side === 'buy' ? quantity : -quantity))),
      'cost, realised and fees': row.realised - row.cost - row.fees === sum(own.map(cashEffect)),
      fees: row.fees === sum(own.map(({ fee }) => fee)),
      'open buys': row.buy === open('buy'),
      'open sells': row.sell === open('sell'),
      'last day': row.day !== 'other',
    }
    return Object.entries(isRight).flatMap(([what, is]) =>
      is ? [] : [`position ${account} ${symbol}: ${what}`],
    )
  })
}

/** Each order entered is on record once, and what waits for its venue has a job that takes it there. */
async function recordFaults(sql: Sql, orders: readonly DeskOrder[]): Promise<readonly string[]> {
  const records = await sql<{ rec: string }[]>`select rec from postern_audit_intake`
  const counts = Map.groupBy(records, ({ rec }) => rec)
  const jobs = await sql<{ payload: unknown }[]>`
    select payload from postern_job where kind = 'advance-orders'`
  const taken = new Set(
    jobs.flatMap(({ payload }) => advanceOrdersPayload.parse(payload).orders.map(({ id }) => id)),
  )
  return orders.flatMap(({ state: { terms, replaces, status } }) => {
    const entries = counts.get(terms.id)?.length ?? 0
    const isDue = status === 'accepted' || status.startsWith('pending_')
    return [
      ...(entries === (replaces === undefined ? 1 : 0)
        ? []
        : [`order ${terms.id}: ${entries} records`]),
      ...(isDue && !taken.has(terms.id) ? [`order ${terms.id}: no job`] : []),
    ]
  })
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n)
}
