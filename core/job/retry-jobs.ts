import type { Sql } from 'postgres'
import type { Caller } from '../access/principal.ts'
import { callerRecord, encodeAuditRecord } from '../audit/record.ts'

/**
 * Accepts failed or cancelled jobs again under their ids: state, audit records and outbox in one
 * statement. Returns how many were; the others had another state by then.
 */
export async function retryJobs(
  options: { readonly sql: Sql; readonly onOutbox: () => void; readonly now: () => Date },
  request: { readonly ids: readonly string[]; readonly caller: Caller },
): Promise<number> {
  const { sql, onOutbox, now } = options
  const { ids, caller } = request
  const at = now()
  const records = ids.map((id) => {
    const rec = Bun.randomUUIDv7()
    const target = `job/${id}`
    const record = callerRecord(caller, { id: rec, type: 'job.retried', at, target, outcome: 'ok' })
    return { id, rec, audit: encodeAuditRecord(record) }
  })
  const [row] = await sql<{ count: number }[]>`
    with input as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(records)}::text::jsonb)
        as r(id uuid, rec uuid, audit text)
    ), again as (
      update postern_job set state = 'accepted', dispatch = dispatch + 1, started_at = null,
        fence = (dispatch + 1) * 1000, finished_at = null, not_before = null, result = null,
        problem = null,
        changed = pg_current_xact_id()
      where id in (select id from input) and state in ('failed', 'cancelled')
      returning id
    ), recorded as (
      insert into postern_audit_intake (rec, body)
      select rec, convert_to(audit, 'UTF8') from input join again using (id)
    ), outbox as (
      insert into postern_outbox (id, jobs, due_at)
      select ${Bun.randomUUIDv7()}, array_agg(id), now() from again having count(*) > 0
    )
    select count(*)::integer as count from again`
  const count = row?.count ?? 0
  if (count > 0) onOutbox()
  return count
}
