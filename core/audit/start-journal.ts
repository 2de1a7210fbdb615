import type { Sql, TransactionSql } from 'postgres'
import { PosternError } from '../errors.ts'
import { type AuditJournal, auditJournal } from './journal.ts'
import { insertJournalRows } from './journal-rows.ts'
import { encodeAuditRecord, systemRecord } from './record.ts'

/**
 * Begins the numbers of this start of `replica`: counts the start and writes its opening record,
 * number 0, in one transaction, so that a start without a record does not exist. Throws
 * `audit.unavailable`: then the process must not act.
 */
export async function startJournal(
  sql: Sql,
  start: {
    /** Stays the same from start to start, e.g. `gateway@host`; others may use it at once. */
    readonly replica: string
    readonly at: Date
    readonly details: Readonly<Record<string, unknown>>
  },
): Promise<AuditJournal> {
  const { replica, at, details } = start
  const epoch = await sql
    .begin(async (transaction) => {
      const { own, previous } = await nextEpoch(transaction, replica)
      const rec = Bun.randomUUIDv7()
      const opening = systemRecord({
        ...{ id: rec, type: 'process.started', at, outcome: 'ok' },
        details: { ...details, ...(previous === undefined ? {} : { previous }) },
        target: `process/${replica}`,
      })
      const body = encodeAuditRecord(opening, { replica, epoch: own, rseq: 0 })
      await insertJournalRows(transaction, [{ rec, body }])
      return own
    })
    .catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new PosternError('audit.unavailable', { reason, retryAfterSeconds: 1, cause })
    })
  return auditJournal({ replica, epoch, next: 1 })
}

/**
 * The second of the start by the database's clock, or one more than the last: a database that was
 * restored from a backup does not give a number again that the log knows. `previous` makes a start
 * that left no record show.
 */
async function nextEpoch(
  sql: TransactionSql,
  replica: string,
): Promise<{ readonly own: number; readonly previous: number | undefined }> {
  await sql`
    insert into postern_replica (name, epoch) values (${replica}, 0) on conflict (name) do nothing`
  const [before] = await sql<{ epoch: string }[]>`
    select epoch::text from postern_replica where name = ${replica} for update`
  const [after] = await sql<{ epoch: string }[]>`
    update postern_replica
    set epoch = greatest(epoch + 1, floor(extract(epoch from clock_timestamp()))::bigint)
    where name = ${replica} returning epoch::text`
  const previous = Number(before?.epoch)
  return { own: Number(after?.epoch), previous: previous === 0 ? undefined : previous }
}
