import type { Sql } from 'postgres'
import { incidentDaysKept } from '../incident/incident.ts'
import type { Log } from '../log.ts'
import type { JobKind } from './kind.ts'

/** Between two rounds; retention is counted in days. */
const roundMs = 600_000
/** Rows deleted in one statement, so that no lock is held for long. */
const rowsMax = 5_000

/** How long an Idempotency-Key replays its first answer. Published in README. */
const idempotencyDays = 7

/** Deletes finished jobs past their kind's retention, idempotency keys and incidents past theirs. */
export function startJanitor(options: {
  readonly sql: Sql
  readonly kinds: ReadonlyMap<string, JobKind>
  readonly log: Log
}): { close(): void } {
  const { sql, kinds, log } = options

  async function round(): Promise<void> {
    for (const kind of kinds.values()) {
      await repeat(
        () => sql`
          delete from postern_job where id in (
            select id from postern_job
            where kind = ${kind.name}
              and finished_at < now() - make_interval(days => ${kind.retentionDays})
            limit ${rowsMax})`,
      )
    }
    await repeat(
      () => sql`
        delete from postern_idempotency where ctid in (
          select ctid from postern_idempotency
          where created_at < now() - make_interval(days => ${idempotencyDays})
          limit ${rowsMax})`,
    )
    await repeat(
      () => sql`
        delete from postern_incident where id in (
          select id from postern_incident
          where recovered_at < now() - make_interval(days => ${incidentDaysKept})
          limit ${rowsMax})`,
    )
  }

  const timer = setInterval(() => {
    round().catch((error: unknown) => log.warn('janitor.failed', { error }))
  }, roundMs)
  return { close: () => clearInterval(timer) }
}

async function repeat(statement: () => Promise<{ readonly count: number }>): Promise<void> {
  let deleted = rowsMax
  while (deleted === rowsMax) deleted = (await statement()).count
}
