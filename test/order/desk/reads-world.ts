import type { Sql } from 'postgres'
import { z } from 'zod'
import type { Caller } from '#core/access/principal.ts'
import { parseAmount } from '#core/order/amount.ts'
import type { Desk } from '#core/order/desk/desk.ts'
import { type DeskConnection, deskTransaction } from '#core/order/desk/desk-transaction.ts'
import type { DeskOrder } from '#core/order/desk/desk-view.ts'
import type { OrderEvent, OrderTerms, Side } from '#core/order/order.ts'
import { newOrder } from '#core/order/transition.ts'
import { testCaller } from '#test/support/job-engine.ts'
import { openDeskDatabase } from './desk-database.ts'
import { clearDesk } from './desk-rows.ts'

export const now = new Date('2026-03-05T17:00:00Z')

export function callerNamed(subject: string, issuer = 'https://issuer.example'): Caller {
  return { ...testCaller, principal: { ...testCaller.principal, issuer, subject } }
}

/** What is asked, or the error that refuses it. */
export function settle(asked: Promise<unknown>): Promise<unknown> {
  return asked.catch((error: unknown) => error)
}

/** Desks that tests fill by the desk's own moves, for what reads them. */
export async function openReadsWorld() {
  const { sql, gateway, worker, sent, journal, dispatch, close } = await openDeskDatabase()
  const connection = (login: Sql): DeskConnection => ({
    ...{ sql: login, journal, dispatch },
    now: () => now,
  })
  return {
    ...{ sql, gateway, journal, sent, close },
    desk: connection(gateway),
    workerDesk: connection(worker),
    async clear() {
      sent.length = 0
      await clearDesk(sql)
    },
  }
}
export type ReadsWorld = Awaited<ReturnType<typeof openReadsWorld>>

export async function addAccount(
  sql: Sql,
  id: string,
  options: {
    readonly traders?: readonly string[]
    readonly cash?: string
    readonly clock?: 'live' | 'replay'
  } = {},
): Promise<void> {
  const { traders = ['desk'], cash = '100000', clock = 'live' } = options
  await sql`
    insert into postern_account (id, venue, clock, starting_cash, cash)
    values (${id}, 'paper', ${clock}, ${cash}, ${cash})`
  for (const subject of traders) {
    await sql`
      insert into postern_account_trader (account, issuer, subject)
      values (${id}, 'https://issuer.example', ${subject})`
  }
}

type TestOrder = {
  readonly account: string
  readonly symbol?: string
  readonly side?: Side
  readonly quantity?: string
  readonly strategy?: string
}

function orderOf({ account, symbol = 'AAPL', side = 'buy', ...order }: TestOrder): DeskOrder {
  const id = Bun.randomUUIDv7()
  const terms: OrderTerms = {
    ...{ id, account, symbol, side, clientOrderId: id },
    type: 'limit',
    timeInForce: 'gtc',
    quantity: parseAmount(order.quantity ?? '10'),
    limitPrice: parseAmount('100'),
    stopPrice: undefined,
    expireAt: undefined,
    strategy: order.strategy,
    reduceOnly: false,
  }
  const { issuer, subject } = callerNamed('desk').principal
  return {
    origin: { issuer, subject, requestId: 'request-1', traceparent: undefined },
    requested: terms.quantity,
    receivedAt: now,
    twin: 1n,
    state: newOrder(terms),
    reserved: terms.quantity * parseAmount('100'),
    replacementReserved: 0n,
  }
}

/** Enters an order within a desk's transaction. */
export function enter(desk: Desk, order: TestOrder, events: readonly OrderEvent[]): string {
  const entered = orderOf(order)
  const { id, quantity } = entered.state.terms
  desk.enter(entered)
  for (const event of [{ type: 'submit', requested: quantity } as const, ...events]) {
    const { kind } = desk.move(entered, event)
    if (kind !== 'moved') throw new Error(`${event.type} has ${kind} the order`)
  }
  return id
}

export const passed: readonly OrderEvent[] = [{ type: 'risk.pass', warnings: [] }]
export const sent: readonly OrderEvent[] = [...passed, { type: 'worker.sent', attempt: 1 }]
export const live: readonly OrderEvent[] = [...sent, { type: 'venue.ack', venueOrderId: 'v-1' }]

/** An order and what becomes of it, in one commit; returns its id. */
export async function place(
  desk: DeskConnection,
  order: TestOrder,
  events: readonly OrderEvent[] = live,
): Promise<string> {
  const { account, symbol = 'AAPL' } = order
  return await deskTransaction(
    desk,
    { accounts: [account], pairs: [{ account, symbol }] },
    (work) => enter(work.desk, order, events),
  )
}

let trades = 0

/** A whole order that fills at once. */
export async function fill(
  desk: DeskConnection,
  order: TestOrder & { readonly price: string; readonly at: string; readonly fee?: string },
): Promise<string> {
  trades += 1
  const trade = {
    tradeId: `trade-${trades}`,
    quantity: parseAmount(order.quantity ?? '10'),
    price: parseAmount(order.price),
    fee: parseAmount(order.fee ?? '0') * 1_000_000_000n,
    at: Date.parse(order.at),
  }
  return await place(desk, order, [...live, { type: 'trade', trade }])
}

export async function dayBar(sql: Sql, symbol: string, day: string, close: string): Promise<void> {
  await sql`
    insert into postern_bar (symbol, interval_ms, time, open, high, low, close, volume, ingest)
    values (${symbol}, 86400000, ${`${day}T21:00:00Z`}, ${close}, ${close}, ${close}, ${close}, 1,
      ${Bun.randomUUIDv7()})`
}

const records = z.array(
  z.object({
    body: z.looseObject({
      type: z.string(),
      target: z.string(),
      outcome: z.string(),
      details: z.record(z.string(), z.unknown()).optional(),
      actor: z.object({ sub: z.string() }).loose().optional(),
    }),
  }),
)

/** The audit records of one type, in the order of their writing. */
export async function recordsOf(sql: Sql, type: string) {
  const rows = await sql`
    select convert_from(body, 'UTF8')::jsonb as body from postern_audit_intake
    where convert_from(body, 'UTF8')::jsonb ->> 'type' = ${type} order by rec`
  return records.parse(rows).map(({ body }) => body)
}
