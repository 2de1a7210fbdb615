import { hostname, userInfo } from 'node:os'
import type { Sql } from 'postgres'
import type { AuditLog } from '#core/audit/audit-log.ts'
import type { AuditJournal } from '#core/audit/journal.ts'
import { postgresAuditLog } from '#core/audit/postgres-audit-log.ts'
import { startJournal } from '#core/audit/start-journal.ts'
import { silentLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import type { CommandIo } from './command-io.ts'
import { connectDatabase, databaseUrl } from './connect-database.ts'
import { openRecordedSecrets } from './recorded-secrets.ts'

export type OperatorLog = {
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly audit: AuditLog
  readonly now: () => Date
  /** Another connection with the same login, for who listens; whoever opens it ends it. */
  readonly connect: () => Sql
}

/** Seconds that closing the connection waits for statements under way. */
const closeSeconds = 1

/** Milliseconds for a record: whoever halts an overloaded desk would rather wait than ask again. */
const appendMs = 5_000

/** Who sits there, for the records. */
export function operator(): string {
  return `${userInfo().username} at a terminal`
}

/** For an act at a terminal: its records are numbered like those of any process. */
export async function withOperatorLog(
  io: CommandIo,
  act: string,
  by: string,
  run: (log: OperatorLog) => Promise<void>,
): Promise<void> {
  const config = io.config()
  const { secrets, recordTo } = openRecordedSecrets(config)
  const url = await databaseUrl(config, secrets)
  const connect = () => connectDatabase(config, url, { use: act, connections: 1 })
  const sql = connect()
  const now = () => new Date()
  try {
    const replica = `${act}@${hostname()}`
    const journal = await startJournal(sql, { replica, at: now(), details: { operator: by } })
    const metrics = createMetrics()
    const log = silentLog()
    const audit = postgresAuditLog({ sql, journal, log, metrics, now, appendMs })
    try {
      await recordTo(audit, now)
      await run({ sql, journal, audit, now, connect })
    } finally {
      await audit.close()
    }
  } finally {
    await sql.end({ timeout: closeSeconds })
  }
}
