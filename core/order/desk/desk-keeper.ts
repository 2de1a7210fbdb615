import { setTimeout } from 'node:timers/promises'
import type { Sql } from 'postgres'
import { chunks } from '../../chunks.ts'
import { PosternError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { holdLease } from '../../postgres/lease.ts'
import { databaseOutage } from '../../postgres/outage.ts'
import { restingStatuses } from '../order.ts'
import type { PaperVenue } from '../venue/paper-venue.ts'
import type { Desk } from './desk.ts'
import { deskTransaction } from './desk-transaction.ts'
import type { DeskOrder } from './desk-view.ts'
import { markAccounts } from './mark-accounts.ts'
import { clearMarketGauges, setMarketGauges } from './market-gauges.ts'
import type { OrderIntakeOptions } from './order-intake.ts'
import { type ReconcileOptions, reconcileAccount } from './reconcile.ts'
import { effectiveState, readSwitches, type SwitchRow } from './switches.ts'
import { isStuck, readUnsettled } from './unsettled-accounts.ts'
import { releaseWaiting } from './waiting-orders.ts'

const roundMs = 2_000
/** Seconds; a process that died is followed after this long. */
const leaseSeconds = 15
/** Seconds between two reconciliations of an account. */
const reconcileSeconds = 60
/** Accounts that are reconciled at once: they share statements, and one that differs keeps few waiting. */
const reconciledAtOnce = 16
/** Orders moved in one transaction; meanwhile their account waits. */
const ordersPerCommit = 200

export type DeskKeeperOptions = {
  readonly entry: OrderIntakeOptions
  readonly reconcile: ReconcileOptions
  readonly paper: PaperVenue
  readonly log: Log
}

type Account = {
  readonly id: string
  readonly venue: string
  readonly clock: 'live' | 'replay'
  readonly isDue: boolean
  readonly hasOpen: boolean
  /** Orders that wait on our side, or are over by now. */
  readonly hasWaiting: boolean
  /** Orders that are to be cancelled, or whose job was given up. */
  readonly hasTended: boolean
}

/**
 * What time alone brings about: orders that are over, halts that end, accounts to be reconciled,
 * orders that a halt has left open, orders whose job was given up. One process does it for all.
 */
export function startDeskKeeper(options: DeskKeeperOptions): { close(): Promise<void> } {
  const { log } = options
  const ended = new AbortController()
  const { signal } = ended
  const holder = Bun.randomUUIDv7()
  /** Milliseconds: accounts whose venue is away are asked about again then. */
  const awayUntil = new Map<string, number>()

  async function reconcileDue({ id }: Account): Promise<void> {
    const nowMs = performance.now()
    if ((awayUntil.get(id) ?? 0) > nowMs) return
    awayUntil.delete(id)
    await reconcileOne(options, id, signal).catch((error: unknown) => {
      // One account's venue keeps nobody else waiting.
      if (!isVenueAway(error)) throw error
      awayUntil.set(id, nowMs + reconcileSeconds * 1_000)
      log.warn('desk.not_reconciled', { account: id, error })
    })
  }

  async function round(): Promise<void> {
    const { metrics, sql } = options.entry
    const lease = { name: 'desk', holder, seconds: leaseSeconds }
    if (!(await holdLease(sql, lease))) return clearMarketGauges(metrics)
    let renewedMs = performance.now()
    const switches = await readSwitches(sql, options.entry.now())
    const accounts = await readAccounts(options, isHaltingIn(switches))
    await setMarketGauges(options.entry, accounts)
    await keepAccounts(options, accounts, signal)
    const due = accounts.filter(({ isDue }) => isDue)
    for (const some of chunks(due, reconciledAtOnce)) {
      signal.throwIfAborted()
      // What stands apart is looked at for seconds: the lease must not end meanwhile.
      if (performance.now() - renewedMs > roundMs) {
        if (!(await holdLease(sql, lease))) return clearMarketGauges(metrics)
        renewedMs = performance.now()
      }
      await Promise.all(some.map(reconcileDue))
    }
  }

  async function keep(): Promise<void> {
    while (!signal.aborted) {
      await round().catch((error: unknown) => {
        if (signal.aborted || databaseOutage(error) !== undefined) return
        log.warn('desk.round_failed', { error })
      })
      await pause(signal)
    }
  }

  const keeping = keep()
  return {
    async close() {
      ended.abort()
      await keeping
    },
  }
}

/** Ends early, without a throw, when the signal comes. */
async function pause(signal: AbortSignal): Promise<void> {
  await setTimeout(roundMs, undefined, { signal }).catch(() => undefined)
}

async function readAccounts(
  { entry }: DeskKeeperOptions,
  isHalting: boolean,
): Promise<readonly Account[]> {
  const { sql, now } = entry
  const accounts = await sql<Omit<Account, 'hasWaiting'>[]>`
    select a.id, a.venue, a.clock, a.open_orders > 0 as "hasOpen",
      a.reconciled_at is null
        or a.reconciled_at < now() - make_interval(secs => ${reconcileSeconds}) as "isDue",
      ${isHalting}::boolean and a.open_orders > 0 and exists (
        select from postern_order o where o.account = a.id and ${isHalted(sql)}) as "hasTended"
    from postern_account a order by a.id`
  const unsettled = await readUnsettled(sql, now())
  const byId = new Map(unsettled.map((account) => [account.id, account]))
  return accounts.map(({ hasTended, ...account }) => {
    const { hasWaiting = false, hasStuck = false } = byId.get(account.id) ?? {}
    return { ...account, hasWaiting, hasTended: hasTended || hasStuck }
  })
}

/** What is read of all accounts at once tells which of them need a transaction of their own. */
async function keepAccounts(
  { entry, paper }: DeskKeeperOptions,
  accounts: readonly Account[],
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted()
  const nowMs = entry.now().getTime()
  const live = accounts.filter(({ clock }) => clock === 'live')
  const resting = live.filter(({ venue, hasOpen }) => venue === 'paper' && hasOpen)
  if (resting.length > 0) await paper.expireDue(idsOf(resting), nowMs)
  await markAccounts(entry, idsOf(live), nowMs)
  for (const { id, hasWaiting, hasTended } of accounts) {
    signal.throwIfAborted()
    if (hasWaiting) await releaseWaiting(entry, id)
    if (hasTended) await tendOpen(entry, id)
  }
}

const idsOf = (accounts: readonly Account[]) => accounts.map(({ id }) => id)

async function reconcileOne(
  { reconcile, log }: DeskKeeperOptions,
  account: string,
  signal: AbortSignal,
): Promise<void> {
  const result = await reconcileAccount(reconcile, { account, day: undefined, signal })
  const open = result.mismatches.filter((one) => !one.healed)
  if (open.length > 0) log.error('desk.mismatch', { account, mismatches: open.slice(0, 10) })
}

function isVenueAway(error: unknown): boolean {
  return error instanceof PosternError && error.code === 'venue.unavailable'
}

/** A halt that came while an order was under way cancels it now; a job that was given up is made anew. */
async function tendOpen(entry: OrderIntakeOptions, account: string): Promise<void> {
  // As they are now: a halt that was lifted since the round began cancels nothing any more.
  const switches = await readSwitches(entry.sql, entry.now())
  const isHalting = isHaltingIn(switches)
  let after: string | undefined = firstId
  while (after !== undefined) {
    const ids: readonly string[] = await readTended(entry.sql, { account, after, isHalting })
    if (ids.length > 0) {
      await deskTransaction(entry, { accounts: [account], orders: ids }, async (work) => {
        for (const id of ids) tendOrder(work.desk, switches, work.desk.order(id))
        // Not again in the next round: its new job has the same minute.
        await work.transaction`
          update postern_order set updated_at = ${work.at} where id = any(${[...ids]}::uuid[])`
      })
    }
    after = ids.at(-1)
  }
}

/** Less than any UUIDv7. */
const firstId = '00000000-0000-0000-0000-000000000000'

const isHaltingIn = (switches: readonly SwitchRow[]) =>
  switches.some(({ state }) => state === 'HALTED')

async function readTended(
  sql: Sql,
  about: { readonly account: string; readonly after: string; readonly isHalting: boolean },
): Promise<readonly string[]> {
  const { account, after, isHalting } = about
  const rows = await sql<{ id: string }[]>`
    select o.id from postern_order o
    where o.account = ${account} and o.id > ${after} and ${isTended(sql, isHalting)}
    order by o.id limit ${ordersPerCommit}`
  return rows.map(({ id }) => id)
}

/** Of an order `o`; but for a halt, what rests at its venue is not looked at. */
function isTended(sql: Sql, isHalting: boolean) {
  return isHalting ? sql`(${isHalted(sql)} or ${isStuck(sql)})` : isStuck(sql)
}

/** Of an order `o` that rests, where a halt may cancel it. */
function isHalted(sql: Sql) {
  return sql`(o.is_open and not o.is_unsettled)`
}

function tendOrder(desk: Desk, switches: readonly SwitchRow[], order: DeskOrder | undefined): void {
  if (order === undefined) return
  if (!restingStatuses.has(order.state.status)) {
    desk.advance(order)
  } else if (effectiveState(switches, order.state.terms).state === 'HALTED') {
    desk.move(order, { type: 'cancel.request', reason: 'TRADING_HALTED' })
    desk.advance(order)
  }
}
