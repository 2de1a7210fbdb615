import type { Sql } from 'postgres'
import { earlyBegin } from '../../postgres/early-begin.ts'
import { rethrowAsOutage } from '../../postgres/outage.ts'
import type { TileSource } from '../store/tile-source.ts'
import type { AuditReader, EntryFilter, EntryPage } from './audit-reader.ts'

/**
 * Milliseconds for one page. Filters without an index of their own walk the log; who asks for a type
 * that is rare and frequent ones lie between is told to name a range.
 */
const pageMsMax = 5_000

export function postgresAuditReader(options: {
  readonly sql: Sql
  readonly published: TileSource | undefined
}): AuditReader {
  const { sql, published } = options

  async function list(
    range: Parameters<AuditReader['list']>[0],
    filter: EntryFilter,
  ): Promise<EntryPage> {
    const { from, to, limit } = range
    const rows = await sql.begin(`${earlyBegin} read only`, async (transaction) => {
      await transaction`select set_config('statement_timeout', ${String(pageMsMax)}, true)`
      return await transaction<{ idx: string; record: string }[]>`
        select idx::text, convert_from(body, 'UTF8') as record from postern_audit_entry
        where idx >= ${from} and (${to ?? null}::bigint is null or idx < ${to ?? null}::bigint)
          and (${filter.subject ?? null}::text is null or subject = ${filter.subject ?? null})
          and (${filter.type ?? null}::text is null or type = ${filter.type ?? null})
          and (${filter.requestId ?? null}::text is null
            or request_id = ${filter.requestId ?? null})
          and (${filter.since ?? null}::timestamptz is null or ts >= ${filter.since ?? null})
          and (${filter.until ?? null}::timestamptz is null or ts < ${filter.until ?? null})
        -- Qualified: a bare name here is the column of the answer, which is text: 10 before 9.
        order by postern_audit_entry.idx limit ${limit + 1}`
    })
    const entries = rows.map((row) => ({ index: Number(row.idx), record: row.record }))
    const next = entries[limit]?.index
    return { entries: entries.slice(0, limit), next }
  }

  async function find(rec: string) {
    const [row] = await sql<{ idx: string; record: string }[]>`
      select idx::text, convert_from(body, 'UTF8') as record
      from postern_audit_entry where rec = ${rec}`
    return row && { index: Number(row.idx), record: row.record }
  }

  return {
    list: (range, filter) => list(range, filter).catch(rethrowAsOutage),
    find: (rec) => find(rec).catch(rethrowAsOutage),
    published,
  }
}
