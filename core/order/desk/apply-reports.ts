import { PosternError } from '../../errors.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import type { VenueReport } from '../venue.ts'
import { applyReport } from './apply-report.ts'
import { type DeskConnection, type DeskWork, deskTransaction } from './desk-transaction.ts'
import { freezeSymbols } from './freeze-symbols.ts'
import { openQuarantine, type RefusedReport } from './report-quarantine.ts'

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
  await deskTransaction(connection, { accounts, clientOrderIds }, async (work) => {
    await refuseEarly(work, reports)
    const quarantine = await openQuarantine(work, reports)
    for (const report of reports) {
      const result = applyReport(work, report)
      if (result === 'moved') quarantine.retry((refused) => applyReport(work, refused))
      else if (result !== 'unchanged') quarantine.add(result)
    }
    await quarantine.store()
    await freezeSymbols(work, frozenBy(quarantine.added()))
  }).catch(rethrowAsOutage)
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
