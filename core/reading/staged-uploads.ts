import type { Sql } from 'postgres'
import { PosternError } from '../errors.ts'
import { databaseOutage } from '../postgres/outage.ts'

/** Uploads at once in one process: each keeps up to 64 MiB of rows in staging. */
const uploadsMax = 4
const retryAfterSeconds = 5
/** Leftovers of a process that died: no upload of 64 MiB takes an hour. */
const staleStaging = '1 hour'

export type StagedUploadsOptions<Row> = {
  readonly sql: Sql
  /** Unlogged, with the columns `ingest` (the upload's id) and `staged_at`. */
  readonly table: 'postern_market_staging' | 'postern_trade_staging'
  /** Adds a batch to the table. No connection is held between two of them. */
  readonly stage: (id: string, batch: readonly Row[]) => Promise<void>
}

export type Upload<Row, Result> = {
  readonly id: string
  readonly batches: AsyncIterable<readonly Row[]>
  /** Takes the upload's rows out of staging, so many as have been staged. */
  readonly commit: (rows: number) => Promise<Result>
}

/**
 * Uploads that stand in staging until one commit takes all of their rows. One that fails, its
 * source included, leaves nothing there. Throws `gateway.overloaded`, `database.unavailable` and
 * what source and commit throw.
 */
export function stagedUploads<Row>({ sql, table, stage }: StagedUploadsOptions<Row>) {
  let uploads = 0

  async function take<Result>({ id, batches, commit }: Upload<Row, Result>): Promise<Result> {
    try {
      await sql`
        delete from ${sql(table)} where staged_at < now() - ${staleStaging}::interval`
      let rows = 0
      for await (const batch of batches) {
        await stage(id, batch)
        rows += batch.length
      }
      return await commit(rows)
    } catch (error) {
      await sql`delete from ${sql(table)} where ingest = ${id}`.catch(ignoreOutage)
      throw databaseOutage(error) ?? error
    }
  }

  return async <Result>(upload: Upload<Row, Result>): Promise<Result> => {
    if (uploads >= uploadsMax) {
      const detail = `${uploadsMax} uploads are under way; try again when one has ended.`
      throw new PosternError('gateway.overloaded', { detail, retryAfterSeconds })
    }
    uploads += 1
    try {
      return await take(upload)
    } finally {
      uploads -= 1
    }
  }
}

/** A crash of Postgres in mid-upload empties an unlogged table. */
export function refuseLostRows(found: number, staged: number): void {
  if (found === staged) return
  throw new PosternError('database.unavailable', { reason: 'staging lost' })
}

/** What is left in staging is swept by a later upload; the first error is the one to tell. */
function ignoreOutage(error: unknown): void {
  if (databaseOutage(error) === undefined) throw error
}
