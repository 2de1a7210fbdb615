import type { Sql } from 'postgres'
import { PosternError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { databaseOutage } from '../postgres/outage.ts'
import type { Delivery, JobQueue } from './job-queue.ts'
import type { JobKind } from './kind.ts'
import { reconciler } from './reconciler.ts'
import { type DeliverableRow, deliverableColumns, redelivery } from './redelivery.ts'

/** Between two looks at the outbox; an accepting gateway dispatches by itself in milliseconds. */
const sweepMs = 1_000
/** Between two comparisons of Postgres with the engine. */
const reconcileMs = 5_000
/** Outbox rows in one transaction: at most 32 jobs each from single requests. */
const rowsMax = 20

export type Sweeper = {
  /** Looks at the outbox now: something that is due was just committed. */
  nudge(): void
  close(): Promise<void>
}

export type SweeperOptions = {
  readonly sql: Sql
  readonly queue: JobQueue
  readonly kinds: ReadonlyMap<string, JobKind>
  readonly log: Log
  readonly metrics: Metrics
  readonly now: () => Date
}

/**
 * Sends again what an accepting process committed but did not dispatch, and what the engine lost.
 * Runs in every process; row locks and an advisory lock keep them out of each other's way.
 */
export function startSweeper(options: SweeperOptions): Sweeper {
  const { log } = options
  const reconcile = reconciler(options)
  let isClosed = false
  let running: Promise<void> | undefined
  let isNudged = false

  function guarded(work: () => Promise<unknown>): () => void {
    return () => {
      if (isClosed) return
      if (running !== undefined) {
        isNudged = true
        return
      }
      running = work()
        .then(() => undefined, report)
        .finally(() => {
          running = undefined
          if (!isNudged) return
          isNudged = false
          sweepNow()
        })
    }
  }

  function report(error: unknown): void {
    const isOutage = error instanceof PosternError || databaseOutage(error) !== undefined
    if (isOutage) log.warn('sweep.outage', { error })
    else log.error('sweep.failed', { error })
  }

  const sweepNow = guarded(() => sweepAll(options))
  const sweepTimer = setInterval(sweepNow, sweepMs)
  const reconcileTimer = setInterval(guarded(reconcile), reconcileMs)

  return {
    nudge: sweepNow,
    async close() {
      isClosed = true
      clearInterval(sweepTimer)
      clearInterval(reconcileTimer)
      await running
    },
  }
}

/** Empties the outbox of what is due, a transaction at a time. */
async function sweepAll(options: SweeperOptions): Promise<void> {
  let taken = rowsMax
  while (taken === rowsMax) taken = await sweepOnce(options)
}

async function sweepOnce({ sql, queue, kinds, metrics, now }: SweeperOptions): Promise<number> {
  return await sql.begin(async (transaction) => {
    const due = await transaction<{ id: string; jobs: string[] }[]>`
      select id, jobs from postern_outbox where due_at <= now()
      order by due_at limit ${rowsMax} for update skip locked`
    if (due.length === 0) return 0
    const rows = await transaction<DeliverableRow[]>`
      select ${deliverableColumns(transaction)} from postern_job
      where id = any(${due.flatMap((row) => row.jobs)}::uuid[]) and finished_at is null`
    const deliveries = rows.flatMap((row): Delivery[] => {
      const delivery = redelivery(row, kinds, now())
      return delivery === undefined ? [] : [delivery]
    })
    await queue.add(deliveries)
    metrics.redispatched.inc({ why: 'outbox' }, deliveries.length)
    await transaction`delete from postern_outbox where id = any(${due.map((row) => row.id)}::uuid[])`
    return due.length
  })
}
