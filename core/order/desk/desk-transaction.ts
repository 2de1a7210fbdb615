import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import type { AuditJournal } from '../../audit/journal.ts'
import { insertRecorded } from '../../audit/journal-rows.ts'
import type { AuditRecord } from '../../audit/record.ts'
import { chunks } from '../../chunks.ts'
import { invariant } from '../../invariant.ts'
import type { Dispatcher } from '../../job/dispatcher.ts'
import { type OwnJob, type OwnJobs, ownJobsPart } from '../../job/own-jobs.ts'
import { exchangeDay } from '../../market/session.ts'
import type { Metrics } from '../../metrics.ts'
import { earlyBegin } from '../../postgres/early-begin.ts'
import type { StatementPart } from '../../postgres/statement-part.ts'
import { parseTraceparent } from '../../trace/traceparent.ts'
import type { Tracing } from '../../trace/tracing.ts'
import { amountOf, moneyOf } from '../amount.ts'
import { type AdvanceOrdersPayload, advanceOrdersKind, ordersPerJobMax } from '../kinds.ts'
import { sides } from '../order.ts'
import { applyFill, flat } from '../position.ts'
import { type Desk, type DeskChanges, openDesk } from './desk.ts'
import { changeRecords } from './desk-records.ts'
import type { DeskOrder } from './desk-view.ts'
import type { PositionDay } from './ledger.ts'
import { lockAccounts } from './lock-accounts.ts'
import { type AccountSymbol, readOrders, readPositions, readSelected } from './read-rows.ts'
import { changesPart } from './store-changes.ts'

export type DeskConnection = {
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly dispatch: Dispatcher
  readonly now: () => Date
  /** Where they are exported. */
  readonly metrics?: Metrics
  readonly tracing?: Tracing | undefined
}

/** What a transaction locks and reads before it decides. */
export type DeskScope = {
  readonly accounts: readonly string[]
  readonly orders?: readonly string[]
  /** Orders by what a venue calls them. */
  readonly clientOrderIds?: readonly { readonly account: string; readonly id: string }[]
  readonly pairs?: readonly AccountSymbol[]
}

export type DeskWork = {
  readonly desk: Desk
  readonly transaction: TransactionSql
  readonly at: Date
  /** Adds records to those that the moves leave by themselves. */
  record(records: readonly AuditRecord[]): void
  /** Adds a part to the statement that stores the changes: `, name as (…)`. */
  store(part: StatementPart): void
}

type Steps<View, Result> = {
  readonly read: Read<View>
  readonly run: Run<View, Result>
  /** Called when the last statement was sent: whoever follows need not wait for the commit. */
  readonly sent?: (() => void) | undefined
}
type Read<View> = (transaction: TransactionSql, at: Date) => Promise<View>
type Run<View, Result> = (work: DeskWork, view: View) => Promise<Result> | Result

/**
 * Locks the accounts, lets `run` move orders in memory, and stores everything with its audit
 * records and the jobs that take orders to their venue, in one commit; dispatches after it.
 * An account that does not exist is not in the desk.
 */
export async function deskTransaction<Result>(
  connection: DeskConnection,
  scope: DeskScope,
  run: (work: DeskWork) => Promise<Result> | Result,
): Promise<Result> {
  return await viewedTransaction(connection, scope, { read: () => Promise.resolve(), run })
}

/** A statement that intends orders takes no account's lock, and may be first. */
const overtakenMax = 5
const overtaken = z.object({
  code: z.literal('23505'),
  constraint_name: z.literal('postern_order_event_pkey'),
})

/**
 * The same with what `read` reads behind the locks, in the same round trip as the rows. What is to be
 * stored is ONE statement, and the commit is sent right behind it: whatever becomes of either, all of it is
 * there or nothing.
 */
export async function viewedTransaction<View, Result>(
  connection: DeskConnection,
  scope: DeskScope,
  steps: Steps<View, Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await runOnce(connection, scope, steps)
    } catch (error) {
      if (attempt === overtakenMax || !overtaken.safeParse(error).success) throw error
    }
  }
}

async function runOnce<View, Result>(
  connection: DeskConnection,
  scope: DeskScope,
  { read, run, sent }: Steps<View, Result>,
): Promise<Result> {
  const { sql, journal, dispatch, now, tracing } = connection
  let jobs: OwnJobs | undefined
  let result: { readonly of: Result } | undefined
  await journal.within(async (number) => {
    let stored: Promise<unknown> | undefined
    await sql.begin(earlyBegin, async (transaction) => {
      const at = now()
      const [desk, view] = await Promise.all([loadDesk(transaction, scope), read(transaction, at)])
      const records: AuditRecord[] = []
      const parts: StatementPart[] = []
      const work = {
        ...{ desk, transaction, at },
        record: (more: readonly AuditRecord[]) => void records.push(...more),
        store: (part: StatementPart) => void parts.push(part),
      }
      result = { of: await run(work, view) }
      await refoldStale(transaction, desk)
      const changes = desk.changes()
      records.push(...changeRecords(changes, at))
      if (changes.toAdvance.size > 0) {
        const { part, ...inserted } = ownJobsPart(
          transaction,
          jobsOf(desk, changes, { isTraced: tracing !== undefined }),
          at,
        )
        parts.push(part)
        jobs = inserted
      }
      if (hasChanged(changes)) parts.push(changesPart(transaction, changes, at))
      if (parts.length + records.length > 0) {
        const all = parts.reduce(
          (before, part) => transaction`${before}${part}`,
          transaction`with nothing as (select)`,
        )
        stored = insertRecorded(transaction, all, number(records)).execute()
        // It is waited for behind the commit, which takes back nothing where it has failed.
        stored.catch(() => undefined)
      }
      sent?.()
    })
    await stored
  })
  if (jobs !== undefined) dispatch.send(jobs.outboxId, jobs.deliveries)
  // postgres.js types a transaction's result as what an array of promises would become.
  if (result === undefined) throw new Error('invariant: a committed transaction has run')
  return result.of
}

async function refoldStale(transaction: TransactionSql, desk: Desk): Promise<void> {
  for (const { account, symbol } of desk.stale.values()) {
    const pair = { account, symbol, changed: desk.changes().fills }
    desk.refold(account, symbol, await foldFills(transaction, pair))
  }
}

/** The locks first; everything else is sent right behind them and reads what they guard. */
async function loadDesk(sql: TransactionSql, scope: DeskScope): Promise<Desk> {
  const { accounts: ids, pairs = [], orders: orderIds = [], clientOrderIds = [] } = scope
  const selection = { ids: orderIds, clientOrderIds }
  const [accounts, selected, positions] = await Promise.all([
    lockAccounts(sql, ids),
    readSelected(sql, selection),
    readPositions(sql, pairs, selection),
  ])
  const orders = new Map(selected)
  await addSuccessors(sql, orders)
  return openDesk({ accounts, orders, positions, dayOf: exchangeDay })
}

/** A late fill of a replaced order concerns its successors too; they are of its position. */
async function addSuccessors(sql: TransactionSql, orders: Map<string, DeskOrder>): Promise<void> {
  for (;;) {
    const missing = [...orders.values()]
      .flatMap(({ state }) => state.replacedBy ?? [])
      .filter((id) => !orders.has(id))
    if (missing.length === 0) return
    const read = await readOrders(sql, missing)
    for (const [id, order] of read) orders.set(id, order)
    invariant(
      missing.every((id) => orders.has(id)),
      'an order that is named is there',
    )
  }
}

function hasChanged(changes: DeskChanges): boolean {
  const { accounts, entered, moved, quarantined, positions } = changes
  return accounts.size + entered.size + moved.size + quarantined.length + positions.size > 0
}

/**
 * The orders of all accounts that go to a venue share a job, as they share the commit. An order whose
 * trace is told has one of its own, or its trace would end here.
 */
function jobsOf(
  desk: Desk,
  { toAdvance }: DeskChanges,
  { isTraced }: { readonly isTraced: boolean },
): readonly OwnJob[] {
  const venueOf = ({ state }: DeskOrder) => desk.account(state.terms.account).venue
  const traceOf = ({ origin: { traceparent } }: DeskOrder) =>
    isTraced && traceparent !== undefined && parseTraceparent(traceparent)?.isSampled === true
      ? traceparent
      : ''
  const groups = Map.groupBy(toAdvance, (order) => `${venueOf(order)} ${traceOf(order)}`)
  return [...groups.values()].flatMap((orders) =>
    chunks(orders, ordersPerJobMax).flatMap((chunk) => {
      const [first] = chunk
      if (first === undefined) return []
      const payload: AdvanceOrdersPayload = {
        venue: venueOf(first),
        orders: chunk.map(({ state: { terms } }) => ({ account: terms.account, id: terms.id })),
      }
      const { requestId, traceparent } = first.origin
      return [{ kind: advanceOrdersKind, payload, requestId, traceparent }]
    }),
  )
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
