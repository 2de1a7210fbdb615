import type { AuditRecord } from './record.ts'

/**
 * Where records go that do not ride in a business transaction.
 * Safe concurrently. A record with an id already written is not written twice by `append`'s retry.
 */
export type AuditLog = {
  /**
   * Resolves once the record is committed in Postgres; concurrent calls share commits.
   * Throws `audit.unavailable` when it could not be made durable in time, and
   * `audit.record_too_large`: then do not act.
   */
  append(record: AuditRecord): Promise<void>
  /**
   * A `may` record: returns at once, written within a second with its neighbours, and lost
   * (counted in `postern_audit_lost_total`) when Postgres is away.
   */
  note(record: AuditRecord): void
  /** Writes what is buffered. */
  flush(): Promise<void>
}
