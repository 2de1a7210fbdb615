import type { Sql } from 'postgres'
import type { Actor } from '../access/principal.ts'
import type { AuditJournal, JournalRow } from '../audit/journal.ts'
import { journalRows } from '../audit/journal-rows.ts'
import { actorRecord } from '../audit/record.ts'

/**
 * Accepts failed or cancelled jobs again under their ids: state, audit records and outbox in one
 * statement. Returns how many were; the others had another state by then.
 */
export async function retryJobs(
  options: RetryOptions,
  request: { readonly ids: readonly string[]; readonly actor: Actor },
): Promise<number> {
  const { ids, actor } = request
  const at = options.now()
  const records = ids.map((id) => {
    const target = `job/${id}`
    const rec = Bun.randomUUIDv7()
    return actorRecord(actor, { id: rec, type: 'job.retried', at, target, outcome: 'ok' })
  })
  const again = await options.journal.write(
    records,
    (rows) => acceptAgain(options.sql, ids, rows),
    (stored) => stored,
  )
  if (again.size > 0) options.onOutbox()
  return again.size
}

type RetryOptions = {
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly onOutbox: () => void
  readonly now: () => Date
}

/** Returns the ids of the records that were stored. */
async function acceptAgain(
  sql: Sql,
  ids: readonly string[],
  rows: readonly JournalRow[],
): Promise<ReadonlySet<string>> {
  const input = ids.map((id, index) => ({ id, rec: rows[index]?.rec }))
  const again = await sql<{ rec: string }[]>`
    with input as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(input)}::text::jsonb) as r(id uuid, rec uuid)
    ), again as (
      update postern_job set state = 'accepted', dispatch = dispatch + 1, started_at = null,
        fence = (dispatch + 1) * 1000, finished_at = null, not_before = null, result = null,
        problem = null,
        changed = pg_current_xact_id()
      where id in (select id from input) and state in ('failed', 'cancelled')
      returning id
    ), recorded as (
      insert into postern_audit_intake (rec, body)
      select rec, body from ${journalRows(sql, rows)} as r join input using (rec)
        join again using (id)
      returning 1
    ), outbox as (
      insert into postern_outbox (id, jobs, due_at)
      select ${Bun.randomUUIDv7()}, array_agg(id), now() from again having count(*) > 0
    )
    select rec, (select postern_recorded(
      (select count(*) from recorded), (select count(*) from again))) as recorded
    from again join input using (id)`
  return new Set(again.map((row) => row.rec))
}
