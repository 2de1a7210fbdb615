import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import type { AuditJournal } from '../../audit/journal.ts'
import { recordedTransaction } from '../../audit/journal-rows.ts'
import type { AuditRecord } from '../../audit/record.ts'
import { invariant } from '../../invariant.ts'
import type { Dispatcher } from '../../job/dispatcher.ts'
import { insertOwnJobs, type OwnJobs } from '../../job/own-jobs.ts'
import { exchangeDay } from '../../market/session.ts'
import { amountOf, moneyOf } from '../amount.ts'
import { advanceOrdersKind } from '../kinds.ts'
import { sides } from '../order.ts'
import { applyFill, flat } from '../position.ts'
import { type Desk, type DeskChanges, openDesk } from './desk.ts'
import { changeRecords } from './desk-records.ts'
import type { DeskOrder } from './desk-view.ts'
import type { PositionDay } from './ledger.ts'
import { lockAccounts, readOrders, readPositions } from './read-rows.ts'
import { storeChanges } from './store-changes.ts'

export type DeskConnection = {
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly dispatch: Dispatcher
  readonly now: () => Date
}

/** What a transaction locks and reads before it decides. */
export type DeskScope = {
  readonly accounts: readonly string[]
  readonly orders?: readonly string[]
  /** Orders by what a venue calls them. */
  readonly clientOrderIds?: readonly { readonly account: string; readonly id: string }[]
  readonly pairs?: readonly { readonly account: string; readonly symbol: string }[]
}

export type DeskWork = {
  readonly desk: Desk
  readonly transaction: TransactionSql
  readonly at: Date
  /** Adds records to those that the moves leave by themselves. */
  record(records: readonly AuditRecord[]): void
}

/** At most so many orders in one job: a batch that a slow venue takes within its timeout. */
const ordersPerJob = 64

/**
 * Locks the accounts, lets `run` move orders in memory, and stores everything with its audit
 * records and the jobs that take orders to their venue, in one commit; dispatches after it.
 * An account that does not exist is not in the desk.
 */
export async function deskTransaction<Result>(
  { sql, journal, dispatch, now }: DeskConnection,
  scope: DeskScope,
  run: (work: DeskWork) => Promise<Result> | Result,
): Promise<Result> {
  let jobs: OwnJobs | undefined
  const result = await recordedTransaction(sql, journal, async (transaction, write) => {
    const at = now()
    const desk = await loadDesk(transaction, scope)
    const records: AuditRecord[] = []
    const record = (more: readonly AuditRecord[]) => void records.push(...more)
    const value = await run({ desk, transaction, at, record })
    for (const { account, symbol } of desk.stale.values()) {
      const pair = { account, symbol, changed: desk.changes().fills }
      desk.refold(account, symbol, await foldFills(transaction, pair))
    }
    const changes = desk.changes()
    records.push(...changeRecords(changes, at))
    if (hasChanged(changes)) await storeChanges(transaction, changes, at)
    if (changes.toAdvance.size > 0) jobs = await insertOwnJobs(transaction, jobsOf(changes), at)
    if (records.length > 0) await write(records)
    return value
  })
  if (jobs !== undefined) dispatch.send(jobs.outboxId, jobs.deliveries)
  return result
}

async function loadDesk(sql: TransactionSql, scope: DeskScope): Promise<Desk> {
  const ids = scope.clientOrderIds ?? []
  const [accounts, known, byId, byPair] = await Promise.all([
    lockAccounts(sql, scope.accounts),
    ids.length === 0 ? [] : readIds(sql, ids),
    readOrders(sql, scope.orders ?? []),
    readPositions(sql, scope.pairs ?? []),
  ])
  const orders = new Map(byId)
  const successors = [...byId.values()].flatMap(({ state }) => state.replacedBy ?? [])
  await addOrders(sql, orders, [...known, ...successors])
  const pairs = [...orders.values()].map(({ state: { terms } }) => terms)
  const more = pairs.length === 0 ? new Map() : await readPositions(sql, pairs)
  return openDesk({
    accounts,
    orders,
    positions: new Map([...byPair, ...more]),
    dayOf: exchangeDay,
  })
}

/** With their successors, which a late fill of a replaced order concerns too. */
async function addOrders(
  sql: TransactionSql,
  orders: Map<string, DeskOrder>,
  known: readonly string[],
): Promise<void> {
  let wanted = known
  for (;;) {
    const missing = wanted.filter((id) => !orders.has(id))
    if (missing.length === 0) return
    const read = await readOrders(sql, missing)
    for (const [id, order] of read) orders.set(id, order)
    invariant(
      missing.every((id) => orders.has(id)),
      'an order that is named is there',
    )
    wanted = [...orders.values()].flatMap(({ state }) => state.replacedBy ?? [])
  }
}

async function readIds(
  sql: TransactionSql,
  wanted: readonly { readonly account: string; readonly id: string }[],
): Promise<readonly string[]> {
  const rows = await sql<{ id: string }[]>`
    select o.id from postern_order o
    join unnest(${wanted.map(({ account }) => account)}::text[],
      ${wanted.map(({ id }) => id)}::text[]) as w(account, id)
      on o.account = w.account and o.client_order_id = w.id`
  return rows.map(({ id }) => id)
}

function hasChanged(changes: DeskChanges): boolean {
  const { accounts, entered, moved, quarantined, positions } = changes
  return accounts.size + entered.size + moved.size + quarantined.length + positions.size > 0
}

function jobsOf({ toAdvance, entered, moved }: DeskChanges) {
  const origins = new Map([...entered, ...moved].map((order) => [order.state.terms.id, order]))
  return [...toAdvance].flatMap(([account, orders]) => {
    const ids = [...orders]
    const chunks = Array.from({ length: Math.ceil(ids.length / ordersPerJob) }, (_, index) =>
      ids.slice(index * ordersPerJob, (index + 1) * ordersPerJob),
    )
    return chunks.map((chunk) => {
      const origin = origins.get(chunk[0] ?? '')?.origin
      return {
        kind: advanceOrdersKind,
        payload: { account, orders: chunk },
        requestId: origin?.requestId ?? 'postern',
        traceparent: origin?.traceparent,
      }
    })
  })
}

const fillSchema = z.object({
  tradeId: z.string(),
  side: z.enum(sides),
  quantity: z.string().transform(amountOf),
  price: z.string().transform(amountOf),
  fee: z.string().transform(moneyOf),
  at: z.date().transform((at) => at.getTime()),
})

/** All fills of a position, as they are now, in the order of their time: its days' ends. */
async function foldFills(
  sql: TransactionSql,
  pair: {
    readonly account: string
    readonly symbol: string
    readonly changed: DeskChanges['fills']
  },
): Promise<readonly PositionDay[]> {
  const { account, symbol } = pair
  const rows = await sql`
    select trade_id as "tradeId", side, quantity::text, price::text, fee::text, at
    from postern_fill where account = ${account} and symbol = ${symbol} order by at, position`
  const fills = new Map(
    z
      .array(fillSchema)
      .parse(rows)
      .map((fill) => [fill.tradeId, fill]),
  )
  for (const { order, trade } of pair.changed.values()) {
    const { terms } = order.state
    if (terms.account !== account || terms.symbol !== symbol) continue
    fills.set(trade.tradeId, { ...trade, side: terms.side })
  }
  const days = new Map<string, PositionDay>()
  let position = flat
  for (const { at, ...fill } of [...fills.values()].sort((a, b) => a.at - b.at)) {
    position = applyFill(position, fill)
    const day = exchangeDay(at)
    days.set(day, { account, symbol, day, position })
  }
  return [...days.values()]
}
