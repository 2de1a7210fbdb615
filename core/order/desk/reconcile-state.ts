import type { Sql } from 'postgres'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import { amountOf, formatAmount } from '../amount.ts'
import type { VenueOrderView, VenueReport } from '../venue.ts'
import { endReportOf } from './end-report.ts'
import type { Mismatch, Reconciling } from './reconcile.ts'
import type { OpenOrder } from './reconcile-reads.ts'

/** Open orders, ours and the venue's. Their fills are replayed before. */
export async function compareOrders(context: Reconciling): Promise<readonly Mismatch[]> {
  const { account, venue, reads } = context
  const listed = await venue.listOpen(account)
  const ours = await reads.openOrders(account).catch(rethrowAsOutage)
  const there = new Map(listed.map((view) => [view.clientOrderId, view]))
  const mismatches: Mismatch[] = []
  for (const order of ours) {
    const view =
      there.get(order.clientOrderId) ??
      (await venue.findByClientOrderId(account, order.clientOrderId))
    const mismatch = await compareOrder(context, order, view)
    if (mismatch !== undefined) mismatches.push(mismatch)
  }
  return [...mismatches, ...(await strangers(context, listed))]
}

async function compareOrder(
  context: Reconciling,
  order: OpenOrder,
  view: VenueOrderView | undefined,
): Promise<Mismatch | undefined> {
  const { account, reports, desk } = context
  const { id, clientOrderId, symbol, status } = order
  const base = { symbol, order_id: id }
  if (view === undefined) {
    // An intent whose call never arrived: the next run of its job finds the same and sends it.
    if (status === 'pending_new') return undefined
    return {
      ...base,
      class: 'MISSING_BROKER',
      detail: `${status} here, unknown there`,
      healed: false,
    }
  }
  const event = await endReport(context, view)
  if (event !== undefined) {
    await reports.apply({ account, clientOrderId, event })
    const detail = `${status} here, ${view.status} there`
    const healed = await hasEnded(desk.sql, id).catch(rethrowAsOutage)
    return { ...base, class: 'STATE_MISMATCH', detail, healed }
  }
  if (view.cumQuantity === order.cum) return undefined
  const detail = `filled ${formatAmount(order.cum)} here, ${formatAmount(view.cumQuantity)} there`
  return { ...base, class: 'QTY_MISMATCH', detail, healed: false }
}

async function hasEnded(sql: Sql, id: string): Promise<boolean> {
  const rows = await sql`select from postern_order where id = ${id} and not is_open`
  return rows.length > 0
}

/** The report that was missed. */
async function endReport(
  { account, venue }: Reconciling,
  { status, replacedBy }: VenueOrderView,
): Promise<VenueReport['event'] | undefined> {
  if (status !== 'replaced') return endReportOf(status)
  if (replacedBy === undefined) return undefined
  const successor = await venue.findByClientOrderId(account, replacedBy)
  if (successor === undefined) return undefined
  const { venueOrderId } = successor
  return { type: 'replaced', successorClientOrderId: replacedBy, venueOrderId }
}

/** Open orders of the venue that were never ours: somebody trades this account beside us. */
async function strangers(
  { account, desk }: Reconciling,
  listed: readonly VenueOrderView[],
): Promise<readonly Mismatch[]> {
  if (listed.length === 0) return []
  const ids = listed.map((view) => view.clientOrderId)
  const rows = await desk.sql<{ id: string }[]>`
    select client_order_id as id from postern_order
    where account is not distinct from ${account} and client_order_id = any(${ids}::text[])
    union all
    select replacement ->> 'successor' from postern_order
    where account = ${account} and is_open
      and replacement ->> 'successor' = any(${ids}::text[])`.catch(rethrowAsOutage)
  const known = new Set(rows.map(({ id }) => id))
  return listed
    .filter((view) => !known.has(view.clientOrderId))
    .map(({ symbol, clientOrderId }) => ({
      class: 'MISSING_LOCAL',
      symbol,
      detail: `open order ${clientOrderId} there, unknown here`,
      healed: false,
    }))
}

export async function comparePositions(context: Reconciling): Promise<readonly Mismatch[]> {
  const { account, venue, reads } = context
  const there = new Map(
    (await venue.positions(account)).map(({ symbol, quantity }) => [symbol, quantity]),
  )
  const rows = await reads.positions(account).catch(rethrowAsOutage)
  const here = new Map(rows.map(({ symbol, quantity }) => [symbol, amountOf(quantity)]))
  return [...new Set([...there.keys(), ...here.keys()])].sort().flatMap((symbol) => {
    const ours = here.get(symbol) ?? 0n
    const theirs = there.get(symbol) ?? 0n
    if (ours === theirs) return []
    const detail = `position ${formatAmount(ours)} here, ${formatAmount(theirs)} there`
    return [{ class: 'QTY_MISMATCH', symbol, detail, healed: false }]
  })
}
