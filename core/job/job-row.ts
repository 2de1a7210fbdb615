import type { Sql, TransactionSql } from 'postgres'
import { attemptOf } from './dispatched.ts'
import type { Job, Visibility } from './job-store.ts'
import type { JobState } from './kind.ts'

export type JobRow = {
  readonly id: string
  readonly kind: string
  readonly state: JobState
  readonly issuer: string
  readonly subject: string
  readonly tag: string | null
  readonly priority: number
  readonly not_before: Date | null
  readonly attempts_max: number
  readonly timeout_ms: number
  readonly callback_url: string | null
  readonly request_id: string
  readonly traceparent: string | null
  readonly accepted_at: Date
  readonly started_at: Date | null
  readonly finished_at: Date | null
  readonly dispatch: number
  readonly fence: string
  readonly result: unknown
  readonly problem: unknown
  readonly changed: string
}

/** The columns of a `JobRow`; the payload is not among them, callers have it. */
export function jobColumns(sql: Sql | TransactionSql) {
  return sql`id, kind, state, issuer, subject, tag, priority, not_before, attempts_max, timeout_ms,
    callback_url, request_id, traceparent, accepted_at, started_at, finished_at, dispatch,
    fence::text, result, problem, changed::text`
}

export function visibleTo(sql: Sql | TransactionSql, visibility: Visibility) {
  if (visibility === 'any') return sql`true`
  return sql`(subject = ${visibility.subject} and issuer = ${visibility.issuer})`
}

/** Throws the driver's own error; a store maps it. */
export async function findJob(
  sql: Sql,
  id: string,
  visibility: Visibility,
): Promise<Job | undefined> {
  const [row] = await sql<JobRow[]>`
    select ${jobColumns(sql)} from postern_job
    where id = ${id} and ${visibleTo(sql, visibility)}`
  return row === undefined ? undefined : jobOf(row)
}

export function jobOf(row: JobRow): Job {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    issuer: row.issuer,
    subject: row.subject,
    tag: row.tag ?? undefined,
    priority: row.priority,
    notBefore: row.not_before?.toISOString(),
    attemptsMax: row.attempts_max,
    timeoutMs: row.timeout_ms,
    callbackUrl: row.callback_url ?? undefined,
    requestId: row.request_id,
    traceparent: row.traceparent ?? undefined,
    acceptedAt: row.accepted_at.toISOString(),
    startedAt: row.started_at?.toISOString(),
    finishedAt: row.finished_at?.toISOString(),
    dispatch: row.dispatch,
    attempt: attemptOf(BigInt(row.fence)),
    result: row.result ?? undefined,
    problem: row.problem ?? undefined,
  }
}
