import type { TransactionSql } from 'postgres'
import { PosternError } from '../../errors.ts'
import type { Metrics } from '../../metrics.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import type { OrderType } from '../order.ts'
import type { VenueReport } from '../venue.ts'
import { type Applied, applyReport } from './apply-report.ts'
import { type DeskConnection, type DeskWork, viewedTransaction } from './desk-transaction.ts'
import { freezeSymbols } from './freeze-symbols.ts'
import { openQuarantine, type RefusedReport, readQuarantine } from './report-quarantine.ts'

/** Applies reports of any accounts and orders in one commit; throws an outage, or a bug. */
export async function applyReports(
  connection: DeskConnection,
  reports: readonly VenueReport[],
): Promise<void> {
  const accounts = [...new Set(reports.map(({ account }) => account))]
  const clientOrderIds = reports.map(({ account, clientOrderId }) => ({
    account,
    id: clientOrderId,
  }))
  const read = (transaction: TransactionSql) =>
    Promise.all([readQuarantine(transaction, reports), readOwners(transaction, reports)])
  const run = async (work: DeskWork, [stored, known]: Awaited<ReturnType<typeof read>>) => {
    await refuseEarly(work, reports)
    const quarantine = openQuarantine(work, stored)
    const waiting = stored.map(({ report }) => report)
    const owners = new Map([...known, ...(await readOwners(work.transaction, waiting))])
    const fills: Fill[] = []
    const apply = (report: VenueReport) => {
      const applied = applyOwn(work, owners, report)
      if (applied === 'moved' && report.event.type === 'trade') fills.push(fillOf(work, report))
      return applied
    }
    for (const report of reports) {
      const result = apply(report)
      if (result === 'moved') quarantine.retry(apply)
      else if (result !== 'unchanged') quarantine.add(result)
    }
    await quarantine.store()
    await freezeSymbols(work, frozenBy(quarantine.added()))
    return { fills, refused: quarantine.added() }
  }
  const scope = { accounts, clientOrderIds }
  const done = await viewedTransaction(connection, scope, { read, run }).catch(rethrowAsOutage)
  if (connection.metrics !== undefined) count(connection.metrics, done, connection.now())
}

type Fill = { readonly venue: string; readonly type: OrderType; readonly receivedMs: number }

function fillOf({ desk, at }: DeskWork, { account, clientOrderId }: VenueReport): Fill {
  const order = desk.orderByClientId(account, clientOrderId)
  return {
    venue: desk.account(account).venue,
    type: order?.state.terms.type ?? 'market',
    receivedMs: (order?.receivedAt ?? at).getTime(),
  }
}

function count(
  metrics: Metrics,
  done: { readonly fills: readonly Fill[]; readonly refused: readonly RefusedReport[] },
  now: Date,
): void {
  for (const { venue, type, receivedMs } of done.fills) {
    metrics.orderFills.inc({ venue })
    metrics.orderFillSeconds.observe({ type }, (now.getTime() - receivedMs) / 1_000)
  }
  for (const { code } of done.refused) metrics.orderQuarantined.inc({ code })
}

/** Which order a trade belongs to, by venue and trade id. */
type Owners = Map<string, string>

const tradeKey = (venue: string, tradeId: string) => `${venue} ${tradeId}`

async function readOwners(
  transaction: TransactionSql,
  reports: readonly VenueReport[],
): Promise<Owners> {
  const trades = reports.flatMap(({ account, event }) =>
    'trade' in event ? [{ account, id: event.trade.tradeId }] : [],
  )
  if (trades.length === 0) return new Map()
  // One look-up each: as a join it is planned by the venue, and reads all fills of it.
  const rows = await transaction<{ venue: string; tradeId: string; orderId: string }[]>`
    select a.venue, w.trade_id as "tradeId", f.order_id as "orderId"
    from unnest(${trades.map(({ account }) => account)}::text[],
      ${trades.map(({ id }) => id)}::text[]) as w(account, trade_id)
    join postern_account a on a.id = w.account
    cross join lateral (
      select order_id from postern_fill
      where venue = a.venue and trade_id = w.trade_id limit 1) as f`
  return new Map(rows.map(({ venue, tradeId, orderId }) => [tradeKey(venue, tradeId), orderId]))
}

/** A trade happened once: told of a second order, it would be booked over the first one's. */
function applyOwn(work: DeskWork, owners: Owners, report: VenueReport): Applied {
  const { desk } = work
  const { account, clientOrderId, event } = report
  const order = desk.orderByClientId(account, clientOrderId)
  if (order === undefined || !('trade' in event)) return applyReport(work, report)
  const { id, symbol } = order.state.terms
  const key = tradeKey(desk.account(account).venue, event.trade.tradeId)
  const owner = owners.get(key)
  if (owner !== undefined && owner !== id) {
    return { report, orderId: id, symbol, code: 'TRADE_OF_ANOTHER_ORDER' }
  }
  const applied = applyReport(work, report)
  if (applied === 'moved') owners.set(key, id)
  return applied
}

/** The venue has more of us than we asked for, or of an order that we never made. */
function frozenBy(refused: readonly RefusedReport[]): ReadonlyMap<string, string> {
  return new Map(
    refused.flatMap(({ code, symbol, orderId }): (readonly [string, string])[] =>
      code === 'OVERFILL' && symbol !== undefined
        ? [[symbol, `overfill of order ${orderId ?? ''}`]]
        : [],
    ),
  )
}

/** What is told of a successor before it has succeeded comes again, when it has. */
async function refuseEarly(
  { desk, transaction }: DeskWork,
  reports: readonly VenueReport[],
): Promise<void> {
  const unknown = reports.filter(
    ({ account, clientOrderId }) => desk.orderByClientId(account, clientOrderId) === undefined,
  )
  if (unknown.length === 0) return
  const awaited = await transaction<{ successor: string }[]>`
    select replacement ->> 'successor' as successor from postern_order
    where is_open and status = 'pending_replace'
      and account = any(${unknown.map(({ account }) => account)}::text[])
      and replacement ->> 'successor' = any(${unknown.map((one) => one.clientOrderId)}::text[])`
  if (awaited.length === 0) return
  throw new PosternError('venue.unavailable', {
    reason: 'a report of an order whose predecessor is not known to be replaced yet',
  })
}
