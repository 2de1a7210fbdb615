import { isRetryable, PosternError } from '#core/errors.ts'
import type { Processor } from '#core/job/processor.ts'
import type { DeskConnection } from '#core/order/desk/desk-transaction.ts'
import { endReportOf } from '#core/order/desk/end-report.ts'
import type { IntentIntake } from '#core/order/desk/intent-intake.ts'
import { readFillsCursor } from '#core/order/desk/lock-accounts.ts'
import type { ReportIntake } from '#core/order/desk/report-intake.ts'
import { type Errand, intendAgain, noteTimeout } from '#core/order/desk/send-orders.ts'
import {
  type AdvanceOrdersPayload,
  type AdvanceOrdersResult,
  advanceOrdersKind,
} from '#core/order/kinds.ts'
import type { OrderTerms } from '#core/order/order.ts'
import { tracedVenue } from '#core/order/venue/traced-venue.ts'
import type { SubmitResult, Venue, VenueReport } from '#core/order/venue.ts'

export type AdvanceOrdersOptions = {
  readonly desk: DeskConnection
  readonly intents: IntentIntake
  readonly reports: ReportIntake
  readonly venues: ReadonlyMap<string, Venue>
}

type Counts = { -readonly [Name in keyof AdvanceOrdersResult]: number }

/**
 * Takes orders to their venue. Every run asks Postgres first what each order needs, so a run
 * that was killed at any point is simply run again: an intent that was committed is looked up at
 * the venue before it is sent a second time.
 */
export function advanceOrders(
  options: AdvanceOrdersOptions,
): Processor<AdvanceOrdersPayload, AdvanceOrdersResult> {
  return {
    kind: advanceOrdersKind,
    async process({ payload, traceparent }, signal) {
      const adapter = options.venues.get(payload.venue)
      if (adapter === undefined) {
        throw new PosternError('venue.unavailable', { reason: `no adapter for ${payload.venue}` })
      }
      const errands = await options.intents.intend(payload)
      const venue = tracedVenue(adapter, { tracing: options.desk.tracing, traceparent })
      const counts: Counts = { sent: 0, looked_up: 0, cancels: 0, replaces: 0 }
      const runs = errands.map((errand) => run(errand, { ...options, venue, signal, counts }))
      const failed = (await Promise.allSettled(runs)).filter(isFailed)
      // What worked stays; the next run finds only what did not. One account's end of all attempts
      // is not that of another's.
      const first = failed.find(({ reason }) => isTriedAgain(reason)) ?? failed[0]
      if (first !== undefined) throw first.reason
      return { result: counts }
    },
  }
}

function isFailed(fate: PromiseSettledResult<void>): fate is PromiseRejectedResult {
  return fate.status === 'rejected'
}

function isTriedAgain(reason: unknown): boolean {
  return !(reason instanceof PosternError) || isRetryable(reason)
}

type Run = AdvanceOrdersOptions & {
  readonly venue: Venue
  readonly signal: AbortSignal
  readonly counts: Counts
}

async function run(errand: Errand, context: Run): Promise<void> {
  context.signal.throwIfAborted()
  switch (errand.kind) {
    case 'submit':
      context.counts.sent += 1
      return await submit(errand.terms, context)
    case 'look-up':
      context.counts.looked_up += 1
      return await lookUp(errand, context)
    case 'cancel':
      context.counts.cancels += 1
      return await cancel(errand, context)
    case 'replace':
      context.counts.replaces += 1
      return await replace(errand, context)
  }
}

async function submit(terms: OrderTerms, context: Run): Promise<void> {
  const { venue, signal } = context
  const result = await venue.submit(terms, signal)
  if (result.kind === 'unknown') {
    await noteTimeout(context.desk, terms)
    throw unknownOutcome(result.reason)
  }
  await context.reports.apply(answerReport(terms, result))
}

function answerReport(
  { account, clientOrderId }: OrderTerms,
  result: Exclude<SubmitResult, { kind: 'unknown' }>,
): VenueReport {
  if (result.kind === 'accepted') {
    return { account, clientOrderId, event: { type: 'ack', venueOrderId: result.venueOrderId } }
  }
  const { code, raw } = result
  return { account, clientOrderId, event: { type: 'reject', code, raw } }
}

/** Never sent again without asking; a venue that has the order tells what became of it. */
async function lookUp(
  { terms, attempts }: Extract<Errand, { kind: 'look-up' }>,
  context: Run,
): Promise<void> {
  const { account, clientOrderId } = terms
  const found = await context.venue.findByClientOrderId(account, clientOrderId)
  if (found === undefined) {
    if (await intendAgain(context.desk, terms, attempts)) await submit(terms, context)
    return
  }
  const { venueOrderId } = found
  await context.reports.apply({ account, clientOrderId, event: { type: 'ack', venueOrderId } })
  await adopt(terms, context)
}

/** Fills first, then how the order ended: both may have been reported while nobody listened. */
async function adopt(terms: OrderTerms, { desk, venue, reports }: Run): Promise<void> {
  const { account, clientOrderId } = terms
  const since = await readFillsCursor(desk.sql, account)
  for await (const fill of venue.listFills(account, since)) {
    if (fill.clientOrderId !== clientOrderId) continue
    await reports.apply({ account, clientOrderId, event: { type: 'trade', trade: fill.trade } })
  }
  const view = await venue.findByClientOrderId(account, clientOrderId)
  const event = view && endReportOf(view.status)
  if (event !== undefined) await reports.apply({ account, clientOrderId, event })
}

async function cancel(errand: Extract<Errand, { kind: 'cancel' }>, context: Run): Promise<void> {
  const { venue, reports, signal } = context
  const { account, clientOrderId } = errand.terms
  const { venueOrderId } = errand
  const answer = await venue.cancel({ account, clientOrderId, venueOrderId }, signal)
  if (answer === 'unknown') throw unknownOutcome('cancel')
  // The venue's own report says that it is cancelled.
  if (answer === 'accepted') return
  await adopt(errand.terms, context)
  const code = answer === 'not_found' ? 'UNKNOWN_ORDER' : 'TOO_LATE_TO_CANCEL'
  await reports.apply({ account, clientOrderId, event: { type: 'cancel_rejected', code } })
}

async function replace(errand: Errand & { kind: 'replace' }, context: Run): Promise<void> {
  const { venue, reports } = context
  const { terms, successor } = errand
  const { account, clientOrderId } = terms
  const known = await venue.findByClientOrderId(account, successor.clientOrderId)
  if (known !== undefined) {
    const { venueOrderId } = known
    const successorClientOrderId = successor.clientOrderId
    const event = { type: 'replaced', successorClientOrderId, venueOrderId } as const
    return await reports.apply({ account, clientOrderId, event })
  }
  const result = await askToReplace(errand, context)
  if (result.kind === 'unknown') throw unknownOutcome(result.reason)
  // An acceptance is a promise, not yet a replacement: the venue's report follows.
  if (result.kind === 'accepted') return
  await adopt(terms, context)
  const event = { type: 'replace_rejected', code: result.code } as const
  await reports.apply({ account, clientOrderId, event })
}

async function askToReplace(
  { terms, successor, venueOrderId, isHalted }: Errand & { kind: 'replace' },
  { venue, signal }: Run,
): Promise<SubmitResult> {
  if (isHalted) return { kind: 'rejected', code: 'TRADING_HALTED', raw: '' }
  const { account, clientOrderId } = terms
  return await venue.replace({ account, clientOrderId, venueOrderId }, successor, signal)
}

function unknownOutcome(reason: string): PosternError {
  return new PosternError('venue.unavailable', { reason: `outcome unknown: ${reason}` })
}
