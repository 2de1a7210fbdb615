import { PosternError } from '../../errors.ts'
import { groupCommit, runOrSplit, type Settled } from '../../postgres/group-commit.ts'
import { databaseOutage, rethrowAsOutage } from '../../postgres/outage.ts'
import type { OrderEvent, OrderTerms } from '../order.ts'
import { newOrder } from '../transition.ts'
import type { VenueReport } from '../venue.ts'
import { type DeskConnection, type DeskWork, deskTransaction } from './desk-transaction.ts'
import type { DeskOrder } from './desk-view.ts'
import { freezeSymbols } from './freeze-symbols.ts'

/** Reports that share a commit; an account's are applied one batch after the other. */
const reportsPerCommit = 128
const lanes = 4
const waitingMax = 20_000

export type ReportIntake = {
  /**
   * Resolves once the report has taken effect, or is known to have before, or stands in
   * quarantine: in each case it is durable and need not come again. Throws an outage.
   */
  apply(report: VenueReport): Promise<void>
  idle(): Promise<void>
}

/** Takes what venues report: at least once, in any order, from several processes at once. */
export function reportIntake(connection: DeskConnection): ReportIntake {
  const commits = Array.from({ length: lanes }, () =>
    groupCommit<VenueReport, void>({
      run: (reports) => applyBatch(connection, reports),
      batchMax: reportsPerCommit,
      inFlightMax: 1,
      waitingMax,
      refuse: () =>
        new PosternError('database.unavailable', { reason: 'too many reports waiting' }),
      keyOf: () => undefined,
    }),
  )
  return {
    apply(report) {
      const index = Number(BigInt(Bun.hash(report.account)) % BigInt(lanes))
      const chosen = commits[index]
      if (chosen === undefined) throw new Error('invariant: every account has a lane')
      return chosen.submit(report)
    },
    async idle() {
      await Promise.all(commits.map((one) => one.idle()))
    },
  }
}

async function applyBatch(
  connection: DeskConnection,
  reports: readonly VenueReport[],
): Promise<readonly Settled<void>[]> {
  return await runOrSplit(
    reports,
    async (batch) => {
      await applyReports(connection, batch)
      return batch.map(() => undefined)
    },
    (error) => databaseOutage(error) !== undefined,
  )
}

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
    const frozen = new Map<string, string>()
    await refuseEarly(work, reports)
    for (const report of reports) applyReport(work, report, frozen)
    if (frozen.size > 0) await freezeSymbols(work, frozen)
  }).catch(rethrowAsOutage)
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

function applyReport(work: DeskWork, report: VenueReport, frozen: Map<string, string>): void {
  const { desk } = work
  const order = desk.orderByClientId(report.account, report.clientOrderId)
  if (order === undefined) {
    // An order of the account that we never made; only a trade can harm, and it freezes by hand.
    desk.quarantine({
      account: report.account,
      orderId: undefined,
      code: 'UNKNOWN_ORDER',
      report: plain(report),
    })
    return
  }
  if (report.event.type === 'replaced') {
    succeed(work, order, report.event)
    return
  }
  const event = eventOf(report.event)
  if (event === undefined) return
  const result = desk.move(order, event)
  if (result.kind !== 'refused') return
  const { id, account, symbol } = order.state.terms
  desk.quarantine({ account, orderId: id, code: result.code, report: plain(report) })
  if (result.code === 'OVERFILL') frozen.set(symbol, `overfill of order ${id}`)
}

type ReportEvent = VenueReport['event']

function eventOf(event: Exclude<ReportEvent, { type: 'replaced' }>): OrderEvent | undefined {
  switch (event.type) {
    case 'ack':
      return { type: 'venue.ack', venueOrderId: event.venueOrderId }
    case 'reject':
      return { type: 'venue.reject', code: event.code, raw: event.raw }
    case 'trade':
      return { type: 'trade', trade: event.trade }
    case 'canceled':
      return { type: 'venue.canceled', reason: event.reason }
    case 'cancel_rejected':
      return { type: 'cancel.reject', code: event.code }
    case 'replace_rejected':
      return { type: 'replace.reject', code: event.code }
    case 'expired':
      return { type: 'expire' }
    case 'done_for_day':
      return { type: 'done_for_day' }
    case 'suspended':
      return { type: 'suspend' }
    case 'trade_cancel':
      return { type: 'trade_cancel', tradeId: event.tradeId }
    case 'trade_correct':
      return { type: 'trade_correct', tradeId: event.tradeId, trade: event.trade }
    default:
      return undefined
  }
}

type ReplacedReport = Extract<ReportEvent, { type: 'replaced' }>

/** The old order ends, and its successor begins where it stood: one step, never half of it. */
function succeed({ desk, at }: DeskWork, order: DeskOrder, report: ReplacedReport): void {
  const { replacement, terms } = order.state
  const reserved = order.replacementReserved
  const successor = replacement?.successor ?? order.state.replacedBy
  if (successor === undefined) {
    desk.quarantine({
      account: terms.account,
      orderId: terms.id,
      code: 'INVALID_TRANSITION',
      report: plain(report),
    })
    return
  }
  const result = desk.move(order, { type: 'replaced', successor })
  if (result.kind !== 'moved' || replacement === undefined) return
  const next: DeskOrder = {
    origin: order.origin,
    requested: replacement.patch.quantity ?? terms.quantity,
    receivedAt: at,
    twin: order.twin,
    state: newOrder(successorTerms(terms, replacement, report.successorClientOrderId)),
    reserved,
    replacementReserved: 0n,
  }
  desk.enter(next)
  desk.move(next, { type: 'submit', requested: next.requested, replaces: terms.id })
  desk.move(next, {
    type: 'succeed',
    replaces: terms.id,
    venueOrderId: report.venueOrderId,
    cumQuantity: order.state.cumQuantity,
    cumMoney: order.state.cumMoney,
  })
}

export function successorTerms(
  terms: OrderTerms,
  { successor, patch }: NonNullable<DeskOrder['state']['replacement']>,
  clientOrderId: string,
): OrderTerms {
  return {
    ...terms,
    id: successor,
    clientOrderId,
    quantity: patch.quantity ?? terms.quantity,
    limitPrice: patch.limitPrice ?? terms.limitPrice,
    stopPrice: patch.stopPrice ?? terms.stopPrice,
    timeInForce: patch.timeInForce ?? terms.timeInForce,
  }
}

/** As JSON that a person can read: integers of 10^-9 and 10^-18 as they are. */
function plain(report: unknown): unknown {
  return JSON.parse(
    JSON.stringify(report, (_, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    ),
  )
}
