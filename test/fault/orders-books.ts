import type { TransactionSql } from 'postgres'
import { z } from 'zod'
import { amountOf, moneyOf } from '#core/order/amount.ts'
import { type DeskOrder, heldBy, isOpenOrder, positionKey } from '#core/order/desk/desk-view.ts'
import { readOrders } from '#core/order/desk/read-rows.ts'
import { decodeOrderEvent } from '#core/order/event-json.ts'
import { foldOrder } from '#core/order/fold-order.ts'
import type { OrderEvent } from '#core/order/order.ts'
import { orderFaults } from '#core/order/order-faults.ts'

const ordersPerRead = 1_000

const eventSchema = z.object({
  id: z.string(),
  seq: z.number(),
  event: z.unknown().transform(decodeOrderEvent),
})
type StoredEvent = z.infer<typeof eventSchema>

/** What is wrong with these orders: rows against the fold of their events, and in themselves. */
export async function faultsOfOrders(
  sql: TransactionSql,
  ids: readonly string[],
): Promise<readonly string[]> {
  const faults: string[] = []
  for (let at = 0; at < ids.length; at += ordersPerRead) {
    const page = ids.slice(at, at + ordersPerRead)
    const rows = await sql`
      select order_id as id, seq, event from postern_order_event
      where order_id = any(${page}::uuid[]) order by order_id, seq`
    const events = Map.groupBy(z.array(eventSchema).parse(rows), ({ id }) => id)
    const orders = await readOrders(sql, page)
    for (const id of page) {
      const order = orders.get(id)
      if (order === undefined) faults.push(`${id}: gone`)
      else faults.push(...faultsOfOrder(order, events.get(id) ?? []).map((one) => `${id}: ${one}`))
    }
  }
  return faults
}

function faultsOfOrder({ state }: DeskOrder, stored: readonly StoredEvent[]): readonly string[] {
  const events = stored.map(({ event }) => event)
  const sequence = stored.map(({ seq }) => seq)
  const carried = events.findLast((event) => event.type === 'succeed')
  const beside = carried === undefined ? { sequence } : { sequence, carried }
  return [...orderFaults(state, beside), ...foldFaults(state, events)]
}

function foldFaults(state: DeskOrder['state'], events: readonly OrderEvent[]): readonly string[] {
  try {
    const folded = foldOrder(state.terms, events)
    return Bun.deepEquals(folded, state)
      ? []
      : [`the row is not the fold of its events: ${shown(state)}, folded ${shown(folded)}`]
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}

function shown(state: DeskOrder['state']): string {
  const { status, seq, cumQuantity, cumMoney, venueOrderId, attempts, previous } = state
  return `${status}/${previous} seq ${seq} cum ${cumQuantity} ${cumMoney} ${venueOrderId} ${attempts}`
}

const accountSchema = z.object({
  id: z.string(),
  reserved: z.string().transform(moneyOf),
  openOrders: z.number(),
})
const placeSchema = z.object({
  account: z.string(),
  symbol: z.string(),
  openBuy: z.string().transform(amountOf),
  openSell: z.string().transform(amountOf),
})

/** What accounts and positions hold for open orders, against those orders. */
export async function faultsOfHoldings(sql: TransactionSql): Promise<readonly string[]> {
  const open = await sql<{ id: string }[]>`select id from postern_order where is_open`
  const orders = await readOrders(
    sql,
    open.map(({ id }) => id),
  )
  const faults: string[] = []
  const held = new Map<string, { money: bigint; orders: number }>()
  const places = new Map<string, { buy: bigint; sell: bigint }>()
  for (const order of orders.values()) {
    const { account, symbol, side, id } = order.state.terms
    if (!isOpenOrder(order.state)) faults.push(`${id}: ${order.state.status} and called open`)
    const { money, quantity } = heldBy(order)
    const own = held.get(account) ?? { money: 0n, orders: 0 }
    held.set(account, { money: own.money + money, orders: own.orders + 1 })
    const key = positionKey(account, symbol)
    const place = places.get(key) ?? { buy: 0n, sell: 0n }
    places.set(key, { ...place, [side]: place[side] + quantity })
  }
  return [
    ...faults,
    ...(await closedButOpen(sql)),
    ...(await accountFaults(sql, held)),
    ...(await placeFaults(sql, places)),
  ]
}

async function closedButOpen(sql: TransactionSql): Promise<readonly string[]> {
  const rows = await sql<{ id: string; status: string }[]>`
    select id, status from postern_order
    where not is_open and status not in ('denied', 'filled', 'canceled', 'expired', 'replaced',
      'rejected')`
  return rows.map(({ id, status }) => `${id}: ${status} and not called open`)
}

async function accountFaults(
  sql: TransactionSql,
  held: ReadonlyMap<string, { readonly money: bigint; readonly orders: number }>,
): Promise<readonly string[]> {
  const rows = await sql`
    select id, reserved::text, open_orders as "openOrders" from postern_account`
  return z
    .array(accountSchema)
    .parse(rows)
    .flatMap(({ id, reserved, openOrders }) => {
      const { money = 0n, orders = 0 } = held.get(id) ?? {}
      const isRight = money === reserved && orders === openOrders
      const detail = `${reserved} reserved for ${openOrders}, its open orders hold ${money} for ${orders}`
      return isRight ? [] : [`account ${id}: ${detail}`]
    })
}

async function placeFaults(
  sql: TransactionSql,
  places: ReadonlyMap<string, { readonly buy: bigint; readonly sell: bigint }>,
): Promise<readonly string[]> {
  const rows = await sql`
    select account, symbol, open_buy::text as "openBuy", open_sell::text as "openSell"
    from postern_position`
  const stored = new Map(
    z
      .array(placeSchema)
      .parse(rows)
      .map((row) => [positionKey(row.account, row.symbol), row]),
  )
  return [...new Set([...stored.keys(), ...places.keys()])].flatMap((key) => {
    const { openBuy = 0n, openSell = 0n } = stored.get(key) ?? {}
    const { buy = 0n, sell = 0n } = places.get(key) ?? {}
    if (openBuy === buy && openSell === sell) return []
    return [`position ${key}: open ${openBuy}/${openSell}, its orders have ${buy}/${sell}`]
  })
}
