import type { TransactionSql } from 'postgres'
import type { JobKind } from '../job/kind.ts'
import { insertOwnJobs, type OwnJobs } from '../job/own-jobs.ts'
import type { DecidedSlot } from './decide-slots.ts'
import type { ScheduleAsker } from './schedule-asker.ts'

/** Newest runs looked at for an unfinished job: more than one are there only after `allow`. */
const unfinishedMax = 100

/** A decided slot, or a run that somebody asked for. */
type Run = Omit<DecidedSlot, 'cause'> & { readonly cause: DecidedSlot['cause'] | 'now' }

/** Stores what was decided, and accepts the jobs of it; returns those for the dispatch. */
export async function submitRuns(
  transaction: TransactionSql,
  runs: readonly Run[],
  about: {
    readonly name: string
    readonly kind: JobKind
    readonly payload: unknown
    readonly asker: ScheduleAsker
    readonly at: Date
  },
): Promise<{ readonly jobs: OwnJobs | undefined; readonly runIds: readonly string[] }> {
  const { name, kind, payload, asker, at } = about
  const { requestId, traceparent } = asker
  const submitted = runs.filter(({ outcome }) => outcome === 'submitted')
  const own = submitted.map(() => ({ kind, payload, requestId, traceparent }))
  const jobs = own.length === 0 ? undefined : await insertOwnJobs(transaction, own, at)
  const ids = jobs?.deliveries.map(({ id }) => id) ?? []
  const rows = runs.map((run) => ({
    id: Bun.randomUUIDv7(),
    ...run,
    job: run.outcome === 'submitted' ? ids.shift() : undefined,
    by: run.cause === 'now' ? asker.by : undefined,
  }))
  await transaction`
    insert into postern_schedule_run (id, schedule, slot, cause, outcome, job, requested_by, at)
    select id, ${name}, slot, cause, outcome, job, by, ${at}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(
      id uuid, slot timestamptz, cause text, outcome text, job uuid, by text)`
  return { jobs, runIds: rows.map(({ id }) => id) }
}

/** Whether the job of an earlier run is unfinished; one that was retried counts again. */
export async function isRunning(transaction: TransactionSql, name: string): Promise<boolean> {
  const [row] = await transaction<{ running: boolean }[]>`
    select exists (
      select from (
        select job from postern_schedule_run
        where schedule = ${name} and outcome = 'submitted' order by id desc limit ${unfinishedMax}
      ) r join postern_job j on j.id = r.job
      where j.finished_at is null) as running`
  return row?.running === true
}
