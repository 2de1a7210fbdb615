import type { Sql } from 'postgres'
import { PosternError } from '../errors.ts'
import { rethrowAsOutage } from '../postgres/outage.ts'
import { type JobRow, jobColumns, jobOf, visibleTo } from './job-row.ts'
import type { JobSignals } from './job-signals.ts'
import type { JobChange, Visibility } from './job-store.ts'

/** A change that no notification announces is seen this late at most. */
const pollMs = 500
const pageMax = 500

export type ChangesRequest = {
  readonly scope: { readonly job: string } | { readonly kind: string }
  readonly visibility: Visibility
  readonly cursor: string | undefined
  readonly signal: AbortSignal
}

/** A cursor is the writing transaction's id (64 bits) and the job's: `7319.0190a3f2-…`. */
const cursorPattern = /^(\d{1,19})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

export function isCursor(text: string): boolean {
  return cursorPattern.test(text)
}

const firstId = '00000000-0000-0000-0000-000000000000'

/**
 * Changes in the order of their transactions. Only what lies below the oldest transaction still
 * under way is read, so nothing can later appear behind the cursor; a long transaction delays the
 * stream, never breaks it.
 */
export async function* jobChanges(
  { sql, signals }: { readonly sql: Sql; readonly signals: JobSignals },
  request: ChangesRequest,
): AsyncGenerator<JobChange> {
  const { signal } = request
  let position = await startOf(sql, request)
  while (!signal.aborted) {
    const woken = 'job' in request.scope ? request.scope.job : ''
    const ended = new AbortController()
    const named = signals.wait('finished', woken, {
      timeoutMs: pollMs,
      signal: AbortSignal.any([signal, ended.signal]),
    })
    const rows = await readPage(sql, request, position).catch(rethrowAsOutage)
    for (const row of rows) {
      position = { changed: row.changed, id: row.id }
      yield { cursor: `${row.changed}.${row.id}`, job: jobOf(row) }
    }
    if (rows.length === pageMax) ended.abort()
    await named
  }
}

type Position = { readonly changed: string; readonly id: string }

async function startOf(sql: Sql, { cursor, scope }: ChangesRequest): Promise<Position> {
  if (cursor !== undefined) {
    const [, changed, id] = cursorPattern.exec(cursor) ?? []
    if (changed !== undefined && id !== undefined) return { changed, id }
    throw new PosternError('request.malformed', { reason: 'cursor_odd' })
  }
  // A stream of one job begins with the job as it is; a stream of a kind with what comes next.
  if ('job' in scope) return { changed: '0', id: firstId }
  const [row] = await sql<{ xmin: string }[]>`
    select pg_snapshot_xmin(pg_current_snapshot())::text as xmin`.catch(rethrowAsOutage)
  return { changed: row?.xmin ?? '0', id: firstId }
}

async function readPage(
  sql: Sql,
  { scope, visibility }: ChangesRequest,
  { changed, id }: Position,
): Promise<JobRow[]> {
  const inScope = 'job' in scope ? sql`id = ${scope.job}` : sql`kind = ${scope.kind}`
  return await sql<JobRow[]>`
    select ${jobColumns(sql)} from postern_job
    where ${inScope} and ${visibleTo(sql, visibility)}
      and (changed, id) > (${changed}::text::xid8, ${id}::uuid)
      and changed < pg_snapshot_xmin(pg_current_snapshot())
    order by postern_job.changed, id limit ${pageMax}`
}
