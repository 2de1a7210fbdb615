import type { Sql, TransactionSql } from 'postgres'
import type { Delivery } from './job-queue.ts'
import type { JobKind } from './kind.ts'

export type DeliverableRow = {
  readonly id: string
  readonly kind: string
  readonly payload: unknown
  readonly dispatch: number
  readonly priority: number
  readonly not_before: Date | null
  readonly attempts_max: number
  readonly timeout_ms: number
  readonly request_id: string
  readonly traceparent: string | null
}

/** The columns of a `DeliverableRow`. */
export function deliverableColumns(sql: Sql | TransactionSql) {
  return sql`id, kind, payload, dispatch, priority, not_before, attempts_max, timeout_ms,
    request_id, traceparent`
}

/** A delivery made again from Postgres; undefined for a kind that this binary does not know. */
export function redelivery(
  row: DeliverableRow,
  kinds: ReadonlyMap<string, JobKind>,
  now: Date,
): Delivery | undefined {
  const kind = kinds.get(row.kind)
  if (kind === undefined) return undefined
  return {
    id: row.id,
    kind,
    payload: row.payload,
    dispatch: row.dispatch,
    priority: row.priority,
    delayMs: Math.max(0, (row.not_before?.getTime() ?? 0) - now.getTime()),
    attemptsMax: row.attempts_max,
    timeoutMs: row.timeout_ms,
    requestId: row.request_id,
    traceparent: row.traceparent ?? undefined,
  }
}
