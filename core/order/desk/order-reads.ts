import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from 'postgres'
import { z } from 'zod'
import { PosternError } from '../../errors.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import type { OrderStatus } from '../order.ts'
import { type OrderDocument, orderDocument } from '../order-document.ts'
import {
  type OrderRow,
  type OrderText,
  orderColumns,
  orderRowOf,
  orderStateOf,
} from './read-rows.ts'
import { type Trader, tradedAccounts } from './traded-accounts.ts'

/** A venue answers within milliseconds, or after a while: then fewer looks do. */
const pollsMs = { first: 50, later: 500, firstForMs: 2_000 }

/** What our side or the venue has not decided yet. */
const undecided: ReadonlySet<OrderStatus> = new Set([
  ...(['received', 'accepted', 'pending_new'] as const),
  ...(['pending_cancel', 'pending_replace'] as const),
])

export type OrderFilter = {
  readonly account: string | undefined
  readonly status: OrderStatus | undefined
  readonly symbol: string | undefined
  readonly isOpen: boolean | undefined
  readonly limit: number
  /** The last id of the page before. */
  readonly cursor: string | undefined
}

export const orderEventSchema = z.object({
  seq: z.int(),
  type: z.string(),
  at: z.string(),
  details: z.record(z.string(), z.unknown()).meta({ description: 'What the event says' }),
})
orderEventSchema.register(z.globalRegistry, { title: 'OrderEvent' })
export type OrderEventDocument = z.infer<typeof orderEventSchema>

export type OrderWait = { readonly timeoutMs: number; readonly signal: AbortSignal }

/** Orders of the accounts that a caller may trade. All throw `database.unavailable`. */
export type OrderReads = {
  /** Newest first. Throws `account.not_found`. */
  list(
    trader: Trader,
    filter: OrderFilter,
  ): Promise<{ readonly orders: readonly OrderDocument[]; readonly next: string | undefined }>
  /** Once it is decided, or as it stands at the end of the wait. Throws `order.not_found`. */
  find(trader: Trader, id: string, wait?: OrderWait): Promise<OrderDocument>
  /** Of one order, from an event on, oldest first. Throws `order.not_found`. */
  events(
    trader: Trader,
    id: string,
    page: { readonly from: number; readonly limit: number },
  ): Promise<readonly OrderEventDocument[]>
}

export function orderReads(sql: Sql): OrderReads {
  return {
    list: (trader, filter) => listOrders(sql, trader, filter).catch(rethrowAsOutage),
    find: (trader, id, wait) =>
      (wait === undefined
        ? findOrder(sql, trader, id)
        : awaitOrder(sql, { trader, id, wait })
      ).catch(rethrowAsOutage),
    events: (trader, id, page) => listEvents(sql, { trader, id, page }).catch(rethrowAsOutage),
  }
}

async function listOrders(sql: Sql, trader: Trader, filter: OrderFilter) {
  const { status, symbol, isOpen, limit, cursor } = filter
  const accounts = await tradedAccounts(sql, trader, filter.account)
  // Each account's newest by its index, then the newest of those.
  const rows = await sql<OrderText[]>`
    select o.* from unnest(${[...accounts]}::text[]) as mine(account)
    cross join lateral (
      select ${orderColumns(sql)} from postern_order o
      where o.account = mine.account
        ${status === undefined ? sql`` : sql`and o.status = ${status}`}
        ${symbol === undefined ? sql`` : sql`and o.symbol = ${symbol}`}
        ${isOpen === undefined ? sql`` : sql`and ${isOpen ? sql`` : sql`not`} o.is_open`}
        ${cursor === undefined ? sql`` : sql`and o.id < ${cursor}::uuid`}
      order by o.id desc limit ${limit + 1}
    ) as o
    order by o.id desc limit ${limit + 1}`
  const orders = rows.slice(0, limit).map((text) => documentOf(orderRowOf(text)))
  return { orders, next: rows.length > limit ? orders.at(-1)?.id : undefined }
}

async function findOrder(sql: Sql, { issuer, subject }: Trader, id: string) {
  const [row] = await sql<OrderText[]>`
    select ${orderColumns(sql)} from postern_order
    where id = ${id} and account in (
      select account from postern_account_trader where issuer = ${issuer} and subject = ${subject})`
  if (row === undefined) throw orderNotFound()
  return documentOf(orderRowOf(row))
}

type Awaited = { readonly trader: Trader; readonly id: string; readonly wait: OrderWait }

async function awaitOrder(sql: Sql, { trader, id, wait }: Awaited): Promise<OrderDocument> {
  const startMs = performance.now()
  const { timeoutMs, signal } = wait
  for (;;) {
    const order = await findOrder(sql, trader, id)
    const waitedMs = performance.now() - startMs
    if (!undecided.has(order.status) || waitedMs >= timeoutMs || signal.aborted) return order
    const pauseMs = waitedMs < pollsMs.firstForMs ? pollsMs.first : pollsMs.later
    // An abort is no error: the order is read once more, as it stands.
    await delay(Math.min(pauseMs, timeoutMs - waitedMs), undefined, { signal }).catch(
      () => undefined,
    )
  }
}

const eventRows = z.array(
  z.object({
    seq: z.number(),
    type: z.string(),
    at: z.date(),
    event: z.record(z.string(), z.unknown()),
  }),
)

async function listEvents(
  sql: Sql,
  about: {
    readonly trader: Trader
    readonly id: string
    readonly page: { readonly from: number; readonly limit: number }
  },
): Promise<readonly OrderEventDocument[]> {
  const { trader, id, page } = about
  await findOrder(sql, trader, id)
  const rows = await sql`
    select seq, type, at, event from postern_order_event
    where order_id = ${id} and seq >= ${page.from} order by seq limit ${page.limit}`
  return eventRows.parse(rows).map(({ seq, type, at, event: { type: _same, ...details } }) => ({
    seq,
    type,
    at: at.toISOString(),
    details: snakeMembers(details),
  }))
}

function snakeMembers(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      isMembers(value) ? snakeMembers(value) : value,
    ]),
  )
}

function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function documentOf(row: OrderRow): OrderDocument {
  const { requested, receivedAt, updatedAt } = row
  return orderDocument({ state: orderStateOf(row, []), requested, receivedAt }, updatedAt)
}

export function orderNotFound(): PosternError {
  return new PosternError('order.not_found', {
    detail: 'There is no such order in an account that the token may trade.',
  })
}
