import type { Sql } from 'postgres'
import { PosternError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { groupCommit } from '../postgres/group-commit.ts'
import type { AuditLog } from './audit-log.ts'
import { type AuditRecord, encodeAuditRecord } from './record.ts'

const batchMax = 256
const batchesInFlightMax = 2
const waitingMax = 10_000
/** `may` records are at most this late. */
const noteMsMax = 1_000
/** `may` records that are kept while Postgres is slow; the oldest are lost first. */
const notedMax = 10_000

/** A pool of exactly one connection is enough: batches are pipelined on it. */
export function postgresAuditLog(options: {
  readonly sql: Sql
  readonly log: Log
  readonly metrics: Metrics
}): AuditLog & { close(): Promise<void> } {
  const { sql, log, metrics } = options
  let noted: AuditRecord[] = []
  let timer: Timer | undefined

  const commits = groupCommit<AuditRecord, void>({
    run: async (records) => {
      await insertRecords(sql, records)
      return records.map(() => ({ ok: true, value: undefined }))
    },
    batchMax,
    inFlightMax: batchesInFlightMax,
    waitingMax,
    refuse: unavailable,
  })

  async function flushNoted(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    while (noted.length > 0) {
      const records = noted.splice(0, batchMax)
      try {
        await insertRecords(sql, records)
      } catch (error) {
        metrics.auditLost.inc(records.length)
        log.error('audit.lost', { records: records.length, error })
      }
    }
  }

  async function flush(): Promise<void> {
    await flushNoted()
    await commits.idle()
  }

  return {
    append: (record) =>
      commits.submit(record).catch((cause: unknown) => {
        throw unavailable(cause)
      }),
    note(record) {
      noted.push(record)
      if (noted.length > notedMax) {
        noted = noted.slice(batchMax)
        metrics.auditLost.inc(batchMax)
      }
      timer ??= setTimeout(() => void flushNoted(), noteMsMax)
    },
    flush,
    close: flush,
  }
}

function unavailable(cause?: unknown): PosternError {
  return new PosternError('audit.unavailable', { retryAfterSeconds: 1, cause })
}

async function insertRecords(sql: Sql, records: readonly AuditRecord[]): Promise<void> {
  const rows = records.map((record) => ({ rec: record.id, audit: encodeAuditRecord(record) }))
  await sql`
    insert into postern_audit_intake (rec, body)
    select rec, convert_to(audit, 'UTF8')
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(rec uuid, audit text)`
}
