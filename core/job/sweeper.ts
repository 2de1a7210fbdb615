import type { Sql } from 'postgres'
import type { AuditJournal } from '../audit/journal.ts'
import { PosternError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { databaseOutage } from '../postgres/outage.ts'
import type { JobQueue } from './job-queue.ts'
import type { JobKind } from './kind.ts'
import { reconciler } from './reconciler.ts'
import { type DeliverableRow, deliverableColumns, redelivery } from './redelivery.ts'

/** Between two looks at the outbox; an accepting gateway dispatches by itself in milliseconds. */
const sweepMs = 1_000
/** Between two comparisons of Postgres with the engine. */
const reconcileMs = 5_000
/** Outbox rows locked by one transaction: at most 32 jobs each from single requests. */
const rowsMax = 20
/** Jobs read and sent at once. A row of batches holds up to 32,000, more than one call can carry. */
const jobsMax = 1_000

/** A claim outlasts every call to the engine and little more. */
const claimSeconds = 10

export type Sweeper = {
  /** Looks at the outbox now: something that is due was just committed. */
  nudge(): void
  close(): Promise<void>
}

export type SweeperOptions = {
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly queue: JobQueue
  readonly kinds: ReadonlyMap<string, JobKind>
  readonly log: Log
  readonly metrics: Metrics
  readonly now: () => Date
}

/**
 * Sends again what an accepting process committed but did not dispatch, and what the engine lost.
 * Runs in every process; claims and a lease keep them out of each other's way.
 */
export function startSweeper(options: SweeperOptions): Sweeper {
  const { log } = options
  const reconcile = reconciler(options)
  function report(error: unknown): void {
    const isOutage = error instanceof PosternError || databaseOutage(error) !== undefined
    if (isOutage) log.warn('sweep.outage', { error })
    else log.error('sweep.failed', { error })
  }

  // Each has its own round: a sweep that always happens to be under way must not starve the other.
  const sweeping = repeated(() => sweepAll(options), sweepMs, report)
  const reconciling = repeated(reconcile, reconcileMs, report)

  return {
    nudge: sweeping.now,
    async close() {
      await Promise.all([sweeping.close(), reconciling.close()])
    },
  }
}

/** Work at an interval and on demand, never twice at once; a demand during a round adds one more. */
function repeated(
  work: () => Promise<void>,
  everyMs: number,
  report: (error: unknown) => void,
): { now(): void; close(): Promise<void> } {
  let running: Promise<void> | undefined
  let isWanted = false
  let isClosed = false

  async function rounds(): Promise<void> {
    while (isWanted && !isClosed) {
      isWanted = false
      await work().catch(report)
    }
    running = undefined
  }

  function now(): void {
    isWanted = true
    running ??= rounds()
  }

  const timer = setInterval(now, everyMs)
  return {
    now,
    async close() {
      isClosed = true
      clearInterval(timer)
      await running
    },
  }
}

/** Empties the outbox of what is due, a portion at a time. */
async function sweepAll(options: SweeperOptions): Promise<void> {
  let isMore = true
  while (isMore) isMore = await sweepOnce(options)
}

type OutboxRow = { readonly id: string; readonly jobs: readonly string[] }

/**
 * True when there may be more. No transaction is open while the engine is asked: it may live in the
 * same Postgres, on the embedded one even in the same session. What is claimed and not sent, because
 * this process died, is due again soon; due later than a claim can make it, it was before the clock was
 * set back.
 */
async function sweepOnce(options: SweeperOptions): Promise<boolean> {
  const { sql } = options
  const claimed = await sql<OutboxRow[]>`
    update postern_outbox set due_at = now() + make_interval(secs => ${claimSeconds})
    where id in (
      select id from postern_outbox
      where due_at <= now() or due_at > now() + make_interval(secs => ${2 * claimSeconds})
      order by due_at limit ${rowsMax} for update skip locked)
    returning id, jobs`
  const some = firstRows(claimed)
  const ids = some.flatMap((row) => row.jobs)
  try {
    for (let from = 0; from < ids.length; from += jobsMax) {
      await sendAgain(options, ids.slice(from, from + jobsMax))
    }
    await sql`delete from postern_outbox where id = any(${idsOf(some)}::uuid[])`
  } catch (error) {
    await giveBack(sql, claimed)
    throw error
  }
  await giveBack(sql, claimed.slice(some.length))
  return some.length < claimed.length || claimed.length === rowsMax
}

function idsOf(rows: readonly OutboxRow[]): string[] {
  return rows.map((row) => row.id)
}

/** Due at once, for whoever comes next. */
async function giveBack(sql: Sql, rows: readonly OutboxRow[]): Promise<void> {
  if (rows.length === 0) return
  await sql`update postern_outbox set due_at = now() where id = any(${idsOf(rows)}::uuid[])`
}

/** As many rows as make up one sending, at least one: what was sent must also be committed. */
function firstRows(due: readonly OutboxRow[]): readonly OutboxRow[] {
  let jobs = 0
  const end = due.findIndex((row, index) => {
    jobs += row.jobs.length
    return index > 0 && jobs > jobsMax
  })
  return end === -1 ? due : due.slice(0, end)
}

async function sendAgain(
  { sql, queue, kinds, metrics, now }: SweeperOptions,
  ids: readonly string[],
): Promise<void> {
  const rows = await sql<DeliverableRow[]>`
    select ${deliverableColumns(sql)} from postern_job
    where id = any(${[...ids]}::uuid[]) and finished_at is null`
  const deliveries = rows
    .map((row) => redelivery(row, kinds, now()))
    .filter((delivery) => delivery !== undefined)
  await queue.add(deliveries)
  metrics.redispatched.inc({ why: 'outbox' }, deliveries.length)
}
