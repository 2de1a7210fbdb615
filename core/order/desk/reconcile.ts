import { setTimeout } from 'node:timers/promises'
import { systemRecord } from '../../audit/record.ts'
import { PosternError } from '../../errors.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import type { ReconcileAccountResult } from '../kinds.ts'
import type { Venue } from '../venue.ts'
import { type DeskConnection, deskTransaction } from './desk-transaction.ts'
import { freezeSymbols } from './freeze-symbols.ts'
import { type ReplayedFills, replayFills } from './reconcile-fills.ts'
import type { ReconciledCounts, ReconcileReads } from './reconcile-reads.ts'
import { compareOrders, comparePositions } from './reconcile-state.ts'
import type { ReportIntake } from './report-intake.ts'

export type Mismatch = ReconcileAccountResult['mismatches'][number]

export type ReconcileOptions = {
  readonly desk: DeskConnection
  readonly reports: ReportIntake
  readonly venues: ReadonlyMap<string, Venue>
  /** Shared by all that reconcile accounts at once. */
  readonly reads: ReconcileReads
  readonly betweenLooksMs?: readonly number[]
}

export type Reconciling = ReconcileOptions & {
  readonly account: string
  readonly venue: Venue
  /** Of all fills, instead of those behind the cursor. */
  readonly day: string | undefined
  readonly signal: AbortSignal
}

/**
 * Milliseconds between looks at what differs: what moves between two of them is only under way. The last
 * wait is longer than reports take on a machine that is overloaded, where a freeze would be ours.
 */
const betweenLooksMs = [250, 1_000, 4_000]

/**
 * Holds an account against its venue. What is missing here is replayed, fill by fill; what still
 * differs after that, and stands still, freezes its symbol, for a person. Safe while orders go out
 * and fills come in: what was under way is looked at by the next run.
 */
export async function reconcileAccount(
  options: ReconcileOptions,
  { account, day, signal }: Pick<Reconciling, 'account' | 'day' | 'signal'>,
): Promise<ReconcileAccountResult> {
  const venue = await venueOf(options, account)
  const context: Reconciling = { ...options, account, venue, day, signal }
  let last = await look(context)
  let standing = last.mismatches.filter((one) => !one.healed)
  const healed = last.mismatches.filter((one) => one.healed)
  let { replayed } = last.fills
  for (const waitMs of options.betweenLooksMs ?? betweenLooksMs) {
    if (standing.length === 0) break
    await setTimeout(waitMs, undefined, { signal })
    last = await look(context)
    const seen = new Set(last.mismatches.map((one) => JSON.stringify(one)))
    standing = standing.filter((one) => seen.has(JSON.stringify(one)))
    healed.push(...last.mismatches.filter((one) => one.healed))
    replayed += last.fills.replayed
  }
  const frozen = new Map(standing.map(({ symbol, detail }) => [symbol, detail]))
  const result: ReconcileAccountResult = {
    account,
    ...(day === undefined ? {} : { reconciliation_date: day }),
    replayed,
    checked: { ...last.counts, fills: last.fills.checked },
    mismatches: unique([...healed, ...standing]),
    frozen: [...frozen.keys()].filter((symbol) => symbol !== '').sort(),
  }
  const told = new Set(standing.map((one) => JSON.stringify(one)))
  const isMoving = last.fills.mismatches.some(
    (one) => !one.healed && !told.has(JSON.stringify(one)),
  )
  // What is behind the cursor is never looked at again: a fill that is still on its way is not.
  const cursor = isMoving ? undefined : last.fills.cursor
  await storeResult(options, { account, result, frozen, cursor })
  for (const { class: name, healed: isHealed } of result.mismatches) {
    options.desk.metrics?.reconcileMismatches.inc({ class: name, healed: String(isHealed) })
  }
  return result
}

type Look = {
  readonly fills: ReplayedFills
  readonly counts: ReconciledCounts
  readonly mismatches: readonly Mismatch[]
}

/** Fills first: what they explain is no mismatch of orders and positions, and nothing else moves a position. */
async function look(context: Reconciling): Promise<Look> {
  const fills = await replayFills(context)
  const [orders, positions, counts] = await Promise.all([
    compareOrders(context),
    comparePositions(context),
    context.reads.counts(context.account).catch(rethrowAsOutage),
  ])
  return { fills, counts, mismatches: [...fills.mismatches, ...orders, ...positions] }
}

async function venueOf({ reads, venues }: ReconcileOptions, account: string): Promise<Venue> {
  const known = await reads.account(account).catch(rethrowAsOutage)
  if (known === undefined) throw new PosternError('account.not_found')
  const venue = venues.get(known.venue)
  if (venue !== undefined) return venue
  throw new PosternError('venue.unavailable', { reason: `no adapter for ${known.venue}` })
}

function unique(mismatches: readonly Mismatch[]): Mismatch[] {
  return [...new Map(mismatches.map((one) => [JSON.stringify(one), one])).values()]
}

async function storeResult(
  { desk, reads }: ReconcileOptions,
  stored: {
    readonly account: string
    readonly result: ReconcileAccountResult
    readonly frozen: ReadonlyMap<string, string>
    readonly cursor: string | undefined
  },
): Promise<void> {
  const { account, result, frozen, cursor } = stored
  const isQuiet = result.mismatches.length === 0 && result.replayed === 0
  if (isQuiet && result.reconciliation_date === undefined) {
    return await reads.noteAgreed({ account, at: desk.now(), cursor }).catch(rethrowAsOutage)
  }
  await deskTransaction(desk, { accounts: [account] }, async (work) => {
    const { transaction, at, record } = work
    await transaction`
      update postern_account set reconciled_at = ${at},
        fills_cursor = coalesce(${cursor ?? null}, fills_cursor)
      where id = ${account}`
    await freezeSymbols(work, new Map([...frozen].filter(([symbol]) => symbol !== '')))
    record([
      systemRecord({
        id: Bun.randomUUIDv7(),
        type: 'account.reconciled',
        at,
        target: `account/${account}`,
        outcome: result.mismatches.some((one) => !one.healed) ? 'failed' : 'ok',
        details: { ...result, mismatches: result.mismatches.slice(0, 50) },
      }),
    ])
  }).catch(rethrowAsOutage)
}
