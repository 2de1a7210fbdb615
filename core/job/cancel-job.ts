import type { Actor } from '../access/principal.ts'
import { journalRows } from '../audit/journal-rows.ts'
import { actorRecord } from '../audit/record.ts'
import { errorCatalog } from '../errors.ts'
import { findJob, type JobRow, jobColumns, jobOf, visibleTo } from './job-row.ts'
import { jobChannels } from './job-signals.ts'
import type { CancelOutcome, Visibility } from './job-store.ts'
import type { PostgresJobStoreOptions } from './postgres-job-store.ts'

/** How long the answer waits for the worker to confirm; the cancellation itself is done before. */
const confirmMsMax = 1_500

export const cancelledProblem = {
  type: '/problems/job.cancelled',
  ...errorCatalog['job.cancelled'],
}

/**
 * Cancels in Postgres first: from then on no run can commit an effect, whatever its worker does.
 * Taking the job out of the engine and aborting a run only save work.
 */
export async function cancelJob(
  options: PostgresJobStoreOptions,
  request: CancelRequest,
): Promise<CancelOutcome | undefined> {
  const { queue, kinds, signals } = options
  const { id, visibility } = request
  // Listening begins before the worker is told, or a quick confirmation would be missed.
  const ended = new AbortController()
  const confirmed = signals.wait('aborted', id, { timeoutMs: confirmMsMax, signal: ended.signal })
  try {
    const row = await storeCancelled(options, request)
    if (row === undefined) return await tooLate(options, id, visibility)
    const job = jobOf(row)
    const kind = kinds.get(job.kind)
    const isRemoved = kind !== undefined && (await queue.remove(kind, id).catch(() => false))
    if (isRemoved) return { outcome: 'cancelled', run: 'not_running', job }
    const isConfirmed = await confirmed
    return { outcome: 'cancelled', run: isConfirmed ? 'aborted' : 'not_confirmed', job }
  } finally {
    ended.abort()
  }
}

type CancelRequest = {
  readonly id: string
  readonly visibility: Visibility
  readonly actor: Actor
}

/** The job as it is now; undefined when it had finished or is not the actor's to see. */
async function storeCancelled(
  { sql, journal, now }: PostgresJobStoreOptions,
  { id, visibility, actor }: CancelRequest,
): Promise<JobRow | undefined> {
  const at = now()
  const rec = Bun.randomUUIDv7()
  const target = `job/${id}`
  return await journal.write(
    [actorRecord(actor, { id: rec, type: 'job.cancelled', at, target, outcome: 'ok' })],
    async (rows) => {
      const [row] = await sql<JobRow[]>`
        with done as (
          update postern_job set state = 'cancelled', finished_at = ${at},
            problem = ${JSON.stringify(cancelledProblem)}::text::jsonb,
            changed = pg_current_xact_id()
          where id = ${id} and finished_at is null and ${visibleTo(sql, visibility)}
          returning ${jobColumns(sql)}
        ), recorded as (
          insert into postern_audit_intake (rec, body)
          select rec, body from ${journalRows(sql, rows)} as r where exists (select from done)
          returning 1
        )
        select *, pg_notify(${jobChannels.cancel}, ${id})::text,
          pg_notify(${jobChannels.finished}, ${id})::text,
          (select postern_recorded(
            (select count(*) from recorded), (select count(*) from done))) as recorded
        from done`
      return row
    },
    (row) => new Set(row === undefined ? [] : [rec]),
  )
}

async function tooLate(
  { sql }: PostgresJobStoreOptions,
  id: string,
  visibility: Visibility,
): Promise<CancelOutcome | undefined> {
  const job = await findJob(sql, id, visibility)
  return job && { outcome: 'too_late', run: 'not_running', job }
}
