import { journalRows } from '../../audit/journal-rows.ts'
import { systemRecord } from '../../audit/record.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import type { AdvanceOrdersPayload } from '../kinds.ts'
import type { OrderTerms } from '../order.ts'
import { successorTerms } from './apply-report.ts'
import {
  type DeskConnection,
  type DeskWork,
  deskTransaction,
  viewedTransaction,
} from './desk-transaction.ts'
import type { DeskOrder } from './desk-view.ts'
import { type OrderText, orderColumns, orderRowOf, termsOf } from './read-rows.ts'
import { effectiveState, readSwitches, type SwitchRow } from './switches.ts'

/** What an order needs of its venue next. */
export type Errand =
  | { readonly kind: 'submit'; readonly terms: OrderTerms }
  /** The intent was committed by an earlier run: the venue may have it. */
  | { readonly kind: 'look-up'; readonly terms: OrderTerms; readonly attempts: number }
  | {
      readonly kind: 'cancel'
      readonly terms: OrderTerms
      readonly venueOrderId: string | undefined
    }
  | {
      readonly kind: 'replace'
      readonly terms: OrderTerms
      readonly venueOrderId: string | undefined
      readonly successor: OrderTerms
      /** Trading is halted: what is not at the venue yet does not go there. */
      readonly isHalted: boolean
    }

/**
 * Commits the intent to send each order that was accepted, before anything is sent, and says what
 * the others need. While trading is halted nothing is sent: such orders are cancelled instead.
 */
export async function intendOrders(
  connection: DeskConnection,
  jobs: readonly AdvanceOrdersPayload[],
): Promise<readonly (readonly Errand[])[]> {
  const accounts = new Map(
    jobs.flatMap(({ orders }) => orders.map(({ id, account }) => [id, account] as const)),
  )
  const intended = await insertIntents(connection, [...accounts.keys()]).catch(rethrowAsOutage)
  const left = [...accounts].filter(([id]) => !intended.has(id))
  const others = left.length === 0 ? new Map() : await tendOthers(connection, left)
  return jobs.map(({ orders }) =>
    orders.flatMap(({ id }): readonly Errand[] => {
      const terms = intended.get(id)
      return terms === undefined ? (others.get(id) ?? []) : [{ kind: 'submit', terms }]
    }),
  )
}

/**
 * What was accepted and may go out, in one statement and without the lock of its account: an
 * intent holds nothing and frees nothing. Whoever moves one of these orders at the same time meets
 * its event's number and starts over.
 */
async function insertIntents(
  { sql, journal, now }: DeskConnection,
  ids: readonly string[],
): Promise<ReadonlyMap<string, OrderTerms>> {
  const at = now()
  const records = ids.map((id) => intentRecord(id, at))
  const recs = records.map((record) => record.id)
  const rows = await journal.write(
    records,
    (lines) => sql<(OrderText & { readonly rec: string })[]>`
      with halted as materialized (
        select scope, key from postern_trading_state
        where state = 'HALTED' and (until is null or until > ${at})
      ), wanted as (
        select o.id as order_id, w.rec
        from unnest(${[...ids]}::uuid[], ${recs}::uuid[]) as w(id, rec)
        join postern_order o on o.id = w.id
        where o.status = 'accepted' and not exists (
          select from halted s
          where s.scope = 'global' or (s.scope = 'account' and s.key = o.account)
            or (s.scope = 'symbol' and s.key = o.symbol)
            or (s.scope = 'strategy' and s.key = o.strategy))
        order by o.id for update of o
      ), intended as (
        update postern_order o set status = 'pending_new', seq = o.seq + 1,
          attempts = o.attempts + 1, updated_at = ${at}::timestamptz
        from wanted w where o.id = w.order_id and o.status = 'accepted'
        returning o.*, w.rec
      ), events as (
        insert into postern_order_event (order_id, seq, type, event, at)
        select id, seq - 1, 'worker.sent',
          jsonb_build_object('type', 'worker.sent', 'attempt', attempts), updated_at
        from intended
      ), recorded as (
        insert into postern_audit_intake (rec, body)
        select r.rec, r.body from ${journalRows(sql, lines)} as r
        where (r.rec in (select rec from intended)) is true
        returning 1
      )
      select rec, ${orderColumns(sql)}, (select postern_recorded(
        (select count(*) from recorded), (select count(*) from intended))) as recorded
      from intended`,
    (stored) => new Set(stored.map(({ rec }) => rec)),
  )
  return new Map(rows.map((row) => [row.id, termsOf(orderRowOf(row))]))
}

function intentRecord(id: string, at: Date) {
  return systemRecord({
    id: Bun.randomUUIDv7(),
    type: 'order.changed',
    at,
    target: `order/${id}`,
    outcome: 'ok',
    details: { events: ['worker.sent'], status: 'pending_new' },
  })
}

/** Orders that an earlier run has sent, that have a request under way, or that a halt stops. */
async function tendOthers(
  connection: DeskConnection,
  left: readonly (readonly [id: string, account: string])[],
): Promise<ReadonlyMap<string, readonly Errand[]>> {
  const orders = left.map(([id]) => id)
  const accounts = [...new Set(left.map(([, account]) => account))]
  return await viewedTransaction(
    connection,
    { accounts, orders },
    {
      read: readSwitches,
      run: (work, switches) =>
        new Map(orders.map((id) => [id, errandsOf(work, id, switches)] as const)),
    },
  ).catch(rethrowAsOutage)
}

function errandsOf(work: DeskWork, id: string, switches: readonly SwitchRow[]): readonly Errand[] {
  const order = work.desk.order(id)
  if (order === undefined) return []
  const { state, scope } = effectiveState(switches, order.state.terms)
  const errand = errandOf(order, state === 'HALTED')
  if (errand === undefined) return []
  if (errand.kind !== 'submit') return [errand]
  // Accepted since, by a release: its own job takes it.
  if (state !== 'HALTED') return []
  work.desk.move(order, { type: 'cancel.request', reason: `TRADING_HALTED ${scope}` })
  work.record([haltedRecord(order, work.at)])
  return []
}

function errandOf({ state }: DeskOrder, isHalted: boolean): Errand | undefined {
  const { terms, venueOrderId, attempts, replacement } = state
  switch (state.status) {
    case 'accepted':
      return { kind: 'submit', terms }
    case 'pending_new':
      return { kind: 'look-up', terms, attempts }
    case 'pending_cancel':
      return { kind: 'cancel', terms, venueOrderId }
    case 'pending_replace':
      if (replacement === undefined) return undefined
      return {
        kind: 'replace',
        terms,
        venueOrderId,
        successor: successorTerms(terms, replacement, replacement.successor),
        isHalted,
      }
    default:
      // Fills may tell what became of it while the venue's answer, and its id with it, was lost.
      return attempts > 0 && venueOrderId === undefined
        ? { kind: 'look-up', terms, attempts }
        : undefined
  }
}

function haltedRecord(order: DeskOrder, at: Date) {
  return systemRecord({
    id: Bun.randomUUIDv7(),
    type: 'order.denied',
    at,
    target: `order/${order.state.terms.id}`,
    outcome: 'refused',
    reason: 'TRADING_HALTED',
    details: { account: order.state.terms.account },
  })
}

/**
 * The venue has never seen the order: it is sent again, as the next attempt. False when another run
 * has sent it since `attempts` were read: what was looked up then says nothing of that attempt.
 */
export async function intendAgain(
  connection: DeskConnection,
  terms: OrderTerms,
  attempts: number,
): Promise<boolean> {
  return await deskTransaction(
    connection,
    { accounts: [terms.account], orders: [terms.id] },
    async ({ desk, transaction, at }) => {
      const order = desk.order(terms.id)
      if (order?.state.status !== 'pending_new' || order.state.attempts !== attempts) return false
      const switches = await readSwitches(transaction, at)
      if (effectiveState(switches, terms).state === 'HALTED') {
        // Never at the venue, so nothing is left of it there.
        desk.move(order, { type: 'venue.canceled', reason: 'TRADING_HALTED' })
        return false
      }
      return desk.move(order, { type: 'worker.sent', attempt: attempts + 1 }).kind === 'moved'
    },
  ).catch(rethrowAsOutage)
}

/** No answer, or none that says anything: noted, and looked up by the next run. */
export async function noteTimeout(connection: DeskConnection, terms: OrderTerms): Promise<void> {
  const scope = { accounts: [terms.account], orders: [terms.id] }
  await deskTransaction(connection, scope, ({ desk }) => {
    const order = desk.order(terms.id)
    if (order !== undefined) desk.move(order, { type: 'timeout' })
  }).catch(rethrowAsOutage)
}
