import type { Sql } from 'postgres'
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
      const [row] = await transaction<{ epoch: string }[]>`
        insert into postern_replica as r (name, epoch) values (${replica}, 1)
        on conflict (name) do update set epoch = r.epoch + 1 returning epoch::text`
      const own = Number(row?.epoch)
      const rec = Bun.randomUUIDv7()
      const opening = systemRecord({
        ...{ id: rec, type: 'process.started', at, details, outcome: 'ok' },
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
