import type { Sql } from 'postgres'
import { z } from 'zod'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { oneAtATime } from '../one-at-a-time.ts'
import { holdLease } from '../postgres/lease.ts'
import type { JobKind } from './kind.ts'

/** Between two counts, each of which reads every unfinished job. */
const watchMs = 10_000
/** Seconds; a process that died is followed after this long. */
const leaseSeconds = 25

const states = ['waiting', 'delayed', 'running'] as const
/** A kind of a newer binary: no job without a series, and no label that is not ours. */
const unknownKind = 'unknown'

const countRows = z.array(
  z.object({ kind: z.string(), state: z.enum(states), jobs: z.int(), oldestSeconds: z.number() }),
)
const outboxRows = z.tuple([z.object({ rows: z.int(), oldestSeconds: z.number().nullable() })])

export type WatchJobsOptions = {
  readonly sql: Sql
  readonly kinds: ReadonlyMap<string, JobKind>
  readonly metrics: Metrics
  readonly log: Log
}

/** Keeps the metrics of what has not ended, in one process for all; the others say nothing of it. */
export function watchJobs(options: WatchJobsOptions): { close(): Promise<void> } {
  const { sql, metrics, log } = options
  const lease = { name: 'watch-jobs', holder: Bun.randomUUIDv7(), seconds: leaseSeconds }
  const look = oneAtATime(async () => {
    try {
      if (await holdLease(sql, lease)) await showJobs(options)
      else forgetJobs(metrics)
    } catch (error) {
      // Another may have taken over; two truths are worse than none.
      forgetJobs(metrics)
      log.warn('jobs.not_shown', { error })
    }
  })
  const timer = setInterval(() => void look.unlessRunning(), watchMs)
  void look.unlessRunning()
  return {
    async close() {
      clearInterval(timer)
      await look.close()
    },
  }
}

export async function showJobs({ sql, kinds, metrics }: WatchJobsOptions): Promise<void> {
  const counts = countRows.parse(
    await sql`
      select kind, state, count(*)::integer as jobs,
        greatest(0, extract(epoch from now() - min(due_at)))::float8 as "oldestSeconds"
      from (
        select case when kind = any(${[...kinds.keys()]}) then kind else ${unknownKind} end as kind,
          greatest(accepted_at, not_before) as due_at,
          case when state = 'running' then 'running' when not_before > now() then 'delayed'
            else 'waiting' end as state
        from postern_job where finished_at is null) as unfinished
      group by kind, state`,
  )
  // A job's id tells when it was accepted: `due_at` moves whenever the sweeper tries.
  const [outbox] = outboxRows.parse(
    await sql`
      select count(*)::integer as rows, extract(epoch from now())::float8 - (
        'x' || left(replace(min(jobs[1]::text collate "C"), '-', ''), 12))::bit(48)::bigint
          / 1000.0::float8 as "oldestSeconds"
      from postern_outbox`,
  )
  forgetJobs(metrics)
  for (const kind of kinds.keys()) {
    metrics.oldestWaitingSeconds.set({ kind }, 0)
    for (const state of states) metrics.unfinished.set({ kind, state }, 0)
  }
  for (const { kind, state, jobs, oldestSeconds } of counts) {
    metrics.unfinished.set({ kind, state }, jobs)
    if (state === 'waiting') metrics.oldestWaitingSeconds.set({ kind }, oldestSeconds)
  }
  metrics.outboxRows.set(outbox.rows)
  metrics.outboxOldestSeconds.set(Math.max(0, outbox.oldestSeconds ?? 0))
}

function forgetJobs(metrics: Metrics): void {
  metrics.unfinished.reset()
  metrics.oldestWaitingSeconds.reset()
  metrics.outboxRows.reset()
  metrics.outboxOldestSeconds.reset()
}
