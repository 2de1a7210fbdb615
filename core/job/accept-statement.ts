import type { Sql, TransactionSql } from 'postgres'
import type { AuditJournal } from '../audit/journal.ts'
import { journalRows } from '../audit/journal-rows.ts'
import { type AuditRecord, callerRecord } from '../audit/record.ts'
import type { NewJob, Submission } from './intake.ts'

/** An outbox row is written with its jobs and taken away by a later batch, once they are dispatched. */
export type AcceptBatch = {
  readonly outboxId: string
  readonly submissions: readonly Submission[]
  readonly dispatchedOutboxIds: readonly string[]
  readonly now: Date
}

/**
 * Accepts a batch in ONE data-modifying statement: jobs, audit records, idempotency keys and
 * outbox. One JSON parameter per table costs Postgres less than a parameter per column and row.
 * An outbox row that a sweeper holds is left to it: accepting waits for nobody's dispatch.
 * Keys go in by their order, or two gateways that are sent the same ones at once deadlock.
 * Throws 23505 when an idempotency key exists already; nothing is stored then.
 */
export async function insertAccepted(
  sql: Sql | TransactionSql,
  journal: AuditJournal,
  batch: AcceptBatch,
): Promise<void> {
  const acceptedAt = batch.now.toISOString()
  const jobs: unknown[] = []
  const ids: string[] = []
  const records: AuditRecord[] = []
  const keys: unknown[] = []
  for (const submission of batch.submissions) {
    for (const job of submission.jobs) {
      jobs.push(jobRow(submission, job, acceptedAt))
      ids.push(job.id)
      records.push(acceptedRecord(submission, job, batch.now))
    }
    const key = keyRow(submission, batch.now)
    if (key !== undefined) keys.push(key)
  }
  await journal.write(records, async (rows) => {
    await sql`
      with input as materialized (
        select * from jsonb_to_recordset(${JSON.stringify(jobs)}::text::jsonb) as r(
          id uuid, kind text, issuer text, subject text, tag text, payload jsonb,
          priority integer, not_before timestamptz, attempts_max integer, timeout_ms integer,
          callback_url text, request_id text, traceparent text, accepted_at timestamptz)
      ), accepted as (
        insert into postern_job (id, kind, issuer, subject, tag, payload, priority, not_before,
          attempts_max, timeout_ms, callback_url, request_id, traceparent, accepted_at)
        select id, kind, issuer, subject, tag, payload, priority, not_before,
          attempts_max, timeout_ms, callback_url, request_id, traceparent, accepted_at from input
      ), recorded as (
        insert into postern_audit_intake (rec, body)
        select rec, body from ${journalRows(sql, rows)} as r returning 1
      ), outbox as (
        insert into postern_outbox (id, jobs) values (${batch.outboxId}, ${ids}::uuid[])
      ), keys as (
        insert into postern_idempotency (issuer, subject, method, route, key, fingerprint, response)
        select issuer, subject, method, route, key, decode(fingerprint, 'hex'), response
        from jsonb_to_recordset(${JSON.stringify(keys)}::text::jsonb) as r(
          issuer text, subject text, method text, route text, key text, fingerprint text,
          response jsonb)
        order by subject, key, route, method, issuer
      ), dispatched as (
        delete from postern_outbox where id in (
          select id from postern_outbox
          where id = any(${[...batch.dispatchedOutboxIds]}::uuid[]) for update skip locked)
      )
      select postern_recorded((select count(*) from recorded), ${rows.length}::bigint)`
  })
}

function jobRow({ caller }: Submission, job: NewJob, acceptedAt: string): unknown {
  return {
    id: job.id,
    kind: job.kind.name,
    issuer: caller.principal.issuer,
    subject: caller.principal.subject,
    tag: job.tag,
    payload: job.payload,
    priority: job.priority,
    not_before: job.delayMs > 0 ? new Date(Date.parse(acceptedAt) + job.delayMs) : undefined,
    attempts_max: job.attemptsMax,
    timeout_ms: job.timeoutMs,
    callback_url: job.callbackUrl,
    request_id: caller.requestId,
    traceparent: caller.traceparent,
    accepted_at: acceptedAt,
  }
}

/** The job's id names its accepting record too: one is written with the other, once. */
function acceptedRecord({ caller }: Submission, job: NewJob, at: Date): AuditRecord {
  const { kind, payload } = job
  return callerRecord(caller, {
    id: job.id,
    type: 'job.accepted',
    at,
    target: `job/${job.id}`,
    outcome: 'ok',
    details: { kind: kind.name, ...kind.parameters?.(payload) },
  })
}

function keyRow(submission: Submission, now: Date): unknown {
  const { idempotency, caller } = submission
  if (idempotency === undefined) return undefined
  return {
    issuer: caller.principal.issuer,
    subject: caller.principal.subject,
    method: idempotency.method,
    route: idempotency.route,
    key: idempotency.key,
    fingerprint: idempotency.fingerprint,
    response: receiptsOf(submission, now),
  }
}

export function receiptsOf(submission: Submission, now: Date) {
  const acceptedAt = now.toISOString()
  return submission.jobs.map((job) => ({ id: job.id, kind: job.kind.name, acceptedAt }))
}
