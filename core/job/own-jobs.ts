import type { TransactionSql } from 'postgres'
import type { Delivery } from './job-queue.ts'
import type { JobKind } from './kind.ts'

/** A job that Postern asks of itself; nobody's token stands behind it. */
export type OwnJob = {
  readonly kind: JobKind
  readonly payload: unknown
  readonly requestId: string
  readonly traceparent: string | undefined
}

/** Who owns such jobs; no issuer of tokens has this name. */
const ownIssuer = 'postern'
const ownSubject = 'postern'

export type OwnJobs = { readonly outboxId: string; readonly deliveries: readonly Delivery[] }

/**
 * Accepts jobs within somebody else's transaction; what they are for is recorded there. Returns
 * what to dispatch after the commit: a sweeper does it when nobody else has.
 */
export async function insertOwnJobs(
  transaction: TransactionSql,
  jobs: readonly OwnJob[],
  at: Date,
): Promise<OwnJobs> {
  const { part, ...inserted } = ownJobsPart(transaction, jobs, at)
  await transaction`with nothing as (select)${part} select`
  return inserted
}

/** The same as a part of a statement, behind another of its `with` queries: `, jobs as (…), …`. */
export function ownJobsPart(sql: TransactionSql, jobs: readonly OwnJob[], at: Date) {
  const deliveries = jobs.map(deliveryOf)
  const rows = deliveries.map(({ kind, ...delivery }) => ({ ...delivery, kind: kind.name }))
  const outboxId = Bun.randomUUIDv7()
  const part = sql`, own_jobs as (
      insert into postern_job (id, kind, issuer, subject, payload, priority, attempts_max,
        timeout_ms, request_id, traceparent, accepted_at)
      select id, kind, ${ownIssuer}, ${ownSubject}, payload, priority, "attemptsMax", "timeoutMs",
        "requestId", traceparent, ${at}::timestamptz
      from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(
        id uuid, kind text, payload jsonb, priority integer, "attemptsMax" integer,
        "timeoutMs" integer, "requestId" text, traceparent text)
    ), own_outbox as (
      insert into postern_outbox (id, jobs)
      values (${outboxId}::uuid, ${deliveries.map(({ id }) => id)}::uuid[])
    )`
  return { outboxId, deliveries, part }
}

function deliveryOf({ kind, payload, requestId, traceparent }: OwnJob): Delivery {
  return {
    id: Bun.randomUUIDv7(),
    kind,
    payload,
    dispatch: 1,
    priority: kind.priority,
    delayMs: 0,
    attemptsMax: kind.attemptsMax,
    timeoutMs: kind.timeoutMs,
    requestId,
    traceparent,
  }
}
