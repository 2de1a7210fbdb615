import type { Sql } from 'postgres'
import { isRetryable, PosternError } from '../errors.ts'
import { inTime } from '../in-time.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { groupCommit, runOrSplit } from '../postgres/group-commit.ts'
import type { AuditLog } from './audit-log.ts'
import type { AuditJournal } from './journal.ts'
import { insertJournalRows } from './journal-rows.ts'
import { type AuditRecord, systemRecord } from './record.ts'

const batchMax = 256
const batchesInFlightMax = 2
const waitingMax = 10_000
/** `may` records are at most this late. */
const noteMsMax = 1_000
/** A log that answers slowly must not hold every caller. */
const appendMsDefault = 250
/** Milliseconds between two records that say how far this process's numbers are settled. */
const heartbeatMs = 30_000
/** Void numbers in one record: at 36 bytes and less for each it stays within an entry of the log. */
const rangesMax = 1_000
/** `may` records that are kept while Postgres is slow; the oldest are lost first. */
const notedMax = 10_000

export type PostgresAuditLogOptions = {
  /** A pool of exactly one connection is enough: batches are pipelined on it. */
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly log: Log
  readonly metrics: Metrics
  readonly now: () => Date
  /**
   * Milliseconds for a `must` record to be durable; later it counts as not written, and what waits
   * for it is refused. Default 250.
   */
  readonly appendMs?: number
}

type Insert = (records: readonly AuditRecord[]) => Promise<void>

/** `close` writes the process's last record. */
export function postgresAuditLog(
  options: PostgresAuditLogOptions,
): AuditLog & { close(): Promise<void> } {
  const { sql, journal, appendMs = appendMsDefault } = options
  const insert: Insert = (records) => journal.write(records, (rows) => insertJournalRows(sql, rows))
  const notes = noteBuffer(options, insert)

  const commits = groupCommit<AuditRecord, void>({
    run: (records) => insertOrSplit(records, insert),
    batchMax,
    inFlightMax: batchesInFlightMax,
    waitingMax,
    refuse: unavailable,
  })

  async function append(record: AuditRecord): Promise<void> {
    try {
      await inTime(commits.submit(record), appendMs, () => new Error('not durable in time'))
    } catch (cause) {
      throw isRefused(cause) ? cause : unavailable(cause)
    }
  }

  async function flush(): Promise<void> {
    await notes.flush()
    await commits.idle()
  }

  async function close(): Promise<void> {
    clearInterval(heartbeat)
    await flush()
    await settle(options, insert, 'process.stopped')
  }

  const heartbeat = setInterval(
    () => void settle(options, insert, 'process.heartbeat'),
    heartbeatMs,
  )

  return { append, note: notes.add, flush, close }
}

/** A record that is refused for itself, and not because the log is away, fails alone. */
function insertOrSplit(records: readonly AuditRecord[], insert: Insert) {
  const insertAll = async (items: readonly AuditRecord[]): Promise<readonly undefined[]> => {
    await insert(items)
    return items.map(() => undefined)
  }
  return runOrSplit(records, insertAll, (error) => !isRefused(error))
}

function isRefused(error: unknown): boolean {
  return error instanceof PosternError && !isRetryable(error)
}

/** Records of the `may` class, written with their neighbours; the oldest are lost first. */
function noteBuffer({ log, metrics }: PostgresAuditLogOptions, insert: Insert) {
  let noted: AuditRecord[] = []
  let timer: Timer | undefined

  async function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    while (noted.length > 0) {
      const records = noted.splice(0, batchMax)
      const fates = await insertOrSplit(records, insert)
      const [error, ...others] = fates.flatMap((fate) => (fate.ok ? [] : [fate.error]))
      if (error === undefined) continue
      metrics.auditLost.inc(1 + others.length)
      log.error('audit.lost', { records: 1 + others.length, error })
    }
  }

  function add(record: AuditRecord): void {
    noted.push(record)
    if (noted.length > notedMax) {
      noted = noted.slice(batchMax)
      metrics.auditLost.inc(batchMax)
    }
    timer ??= setTimeout(() => void flush(), noteMsMax)
  }

  return { add, flush }
}

/** Says how far this process's numbers are settled, and first which of them are void. */
async function settle(
  { journal, log, now }: PostgresAuditLogOptions,
  insert: Insert,
  type: 'process.heartbeat' | 'process.stopped',
): Promise<void> {
  // The mark before the void numbers: what is settled by then and void has been reported by then.
  const settled = journal.settled()
  let ranges = journal.takeVoid()
  const own = (of: AuditRecord['type'], details: AuditRecord['details']): AuditRecord => {
    const target = `process/${journal.replica}`
    const id = Bun.randomUUIDv7()
    return systemRecord({ id, type: of, at: now(), target, outcome: 'ok', details })
  }
  try {
    while (ranges.length > 0) {
      await insert([own('audit.void', { ranges: ranges.slice(0, rangesMax) })])
      ranges = ranges.slice(rangesMax)
    }
    await insert([own(type, { settled })])
  } catch (error) {
    journal.putBackVoid(ranges)
    log.warn('audit.heartbeat_failed', { error })
  }
}

function unavailable(cause?: unknown): PosternError {
  return new PosternError('audit.unavailable', { retryAfterSeconds: 1, cause })
}
