import { systemRecord } from '../../audit/record.ts'
import { PosternError } from '../../errors.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import type { ReconcileAccountResult } from '../kinds.ts'
import type { Venue } from '../venue.ts'
import { type DeskConnection, deskTransaction } from './desk-transaction.ts'
import { freezeSymbols } from './freeze-symbols.ts'
import { replayFills } from './reconcile-fills.ts'
import { compareOrders, comparePositions } from './reconcile-state.ts'
import type { ReportIntake } from './report-intake.ts'

export type Mismatch = ReconcileAccountResult['mismatches'][number]

export type ReconcileOptions = {
  readonly desk: DeskConnection
  readonly reports: ReportIntake
  readonly venues: ReadonlyMap<string, Venue>
}

export type Reconciling = ReconcileOptions & {
  readonly account: string
  readonly venue: Venue
  /** Of all fills, instead of those behind the cursor. */
  readonly day: string | undefined
  readonly signal: AbortSignal
}

/** What differs now may only be under way: it is a mismatch when it still differs after so many looks. */
const looks = 3
const betweenLooksMs = 250

/**
 * Holds an account against its venue. What is missing here is replayed, fill by fill; what still
 * differs after that freezes its symbol, for a person. Safe while orders go out and fills come in.
 */
export async function reconcileAccount(
  options: ReconcileOptions,
  { account, day, signal }: Pick<Reconciling, 'account' | 'day' | 'signal'>,
): Promise<ReconcileAccountResult> {
  const venue = await venueOf(options, account)
  const context: Reconciling = { ...options, account, venue, day, signal }
  let fills = await replayFills(context)
  let state = await compareState(context)
  const healed = [...fills.mismatches, ...state.filter((one) => one.healed)]
  let replayed = fills.replayed
  for (let look = 1; look < looks && state.some((one) => !one.healed); look += 1) {
    await Bun.sleep(betweenLooksMs)
    signal.throwIfAborted()
    fills = await replayFills(context)
    state = await compareState(context)
    healed.push(...fills.mismatches, ...state.filter((one) => one.healed))
    replayed += fills.replayed
  }
  const mismatches = unique([...healed, ...state.filter((one) => !one.healed)])
  const frozen = new Map(
    mismatches.filter((one) => !one.healed).map(({ symbol, ...one }) => [symbol, one.detail]),
  )
  const result: ReconcileAccountResult = {
    account,
    ...(day === undefined ? {} : { reconciliation_date: day }),
    replayed,
    checked: fills.checked,
    mismatches,
    frozen: [...frozen.keys()].filter((symbol) => symbol !== '').sort(),
  }
  await storeResult(options.desk, { account, result, frozen, cursor: fills.cursor })
  return result
}

async function venueOf({ desk, venues }: ReconcileOptions, account: string): Promise<Venue> {
  const [row] = await desk.sql<{ venue: string }[]>`
    select venue from postern_account where id = ${account}`.catch(rethrowAsOutage)
  if (row === undefined) throw new PosternError('account.not_found')
  const venue = venues.get(row.venue)
  if (venue !== undefined) return venue
  throw new PosternError('venue.unavailable', { reason: `no adapter for ${row.venue}` })
}

async function compareState(context: Reconciling): Promise<readonly Mismatch[]> {
  const orders = await compareOrders(context)
  return [...orders, ...(await comparePositions(context))]
}

function unique(mismatches: readonly Mismatch[]): Mismatch[] {
  return [...new Map(mismatches.map((one) => [JSON.stringify(one), one])).values()]
}

async function storeResult(
  desk: DeskConnection,
  stored: {
    readonly account: string
    readonly result: ReconcileAccountResult
    readonly frozen: ReadonlyMap<string, string>
    readonly cursor: string | undefined
  },
): Promise<void> {
  const { account, result, frozen, cursor } = stored
  await deskTransaction(desk, { accounts: [account] }, async (work) => {
    const { transaction, at, record } = work
    await transaction`
      update postern_account set reconciled_at = ${at},
        fills_cursor = coalesce(${cursor ?? null}, fills_cursor)
      where id = ${account}`
    await freezeSymbols(work, new Map([...frozen].filter(([symbol]) => symbol !== '')))
    const isQuiet = result.mismatches.length === 0 && result.replayed === 0
    if (isQuiet && result.reconciliation_date === undefined) return
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
