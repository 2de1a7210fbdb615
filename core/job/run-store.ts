import type { Sql } from 'postgres'
import { type AuditRecord, systemRecord } from '../audit/record.ts'
import { rethrowAsOutage } from '../postgres/outage.ts'
import { attemptOf } from './dispatched.ts'

/** A run as its worker announces it. */
export type RunningNote = {
  readonly jobId: string
  readonly fence: bigint
  readonly startedAt: Date
}

/**
 * Marks runs as running that are long enough to be worth a commit. A run that was fenced or has
 * finished meanwhile stays as it is.
 */
export async function noteRunning(
  sql: Sql,
  notes: readonly RunningNote[],
  worker: string,
): Promise<void> {
  const rows = notes
    .map((note) => ({
      id: note.jobId,
      fence: note.fence.toString(),
      started_at: note.startedAt,
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
  await sql`
    update postern_job j set state = 'running', fence = i.fence, worker = ${worker},
      started_at = coalesce(j.started_at, i.started_at), changed = pg_current_xact_id()
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
      as i(id uuid, fence bigint, started_at timestamptz)
    where j.id = i.id and j.finished_at is null and j.fence <= i.fence`
}

/** Of a run that is long enough to be told of before its end; short ones have their start in their outcome. */
export function startedRecord({ jobId, fence, startedAt }: RunningNote): AuditRecord {
  return systemRecord({
    id: Bun.randomUUIDv7(),
    type: 'job.started',
    at: startedAt,
    target: `job/${jobId}`,
    outcome: 'ok',
    details: { attempt: attemptOf(fence) },
  })
}

/** True when there is nothing left to do for a delivery: finished, or unknown to Postgres. */
export async function isSettled(sql: Sql, jobId: string): Promise<boolean> {
  const [row] = await sql<{ open: boolean }[]>`
    select finished_at is null as open from postern_job where id = ${jobId}`.catch(rethrowAsOutage)
  return row?.open !== true
}

/** Tells whoever cancelled the job that its run has ended. */
export async function confirmAborted(sql: Sql, jobId: string): Promise<void> {
  await sql`select pg_notify('postern_aborted', ${jobId})`
}
