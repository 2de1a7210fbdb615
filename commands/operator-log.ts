import { hostname } from 'node:os'
import type { Sql } from 'postgres'
import type { AuditLog } from '#core/audit/audit-log.ts'
import type { AuditJournal } from '#core/audit/journal.ts'
import { postgresAuditLog } from '#core/audit/postgres-audit-log.ts'
import { startJournal } from '#core/audit/start-journal.ts'
import { silentLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { resolveCredential } from '#core/secret/resolve-credential.ts'
import type { CommandIo } from './command-io.ts'
import { required } from './foundation.ts'
import { openSecretStore } from './open-secret-store.ts'

export type OperatorLog = {
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly audit: AuditLog
  readonly now: () => Date
}

/** Seconds that closing the connection waits for statements under way. */
const closeSeconds = 1

/** For an act at a terminal: its records are numbered like those of any process. */
export async function withOperatorLog(
  io: CommandIo,
  act: string,
  operator: string,
  run: (log: OperatorLog) => Promise<void>,
): Promise<void> {
  const config = io.config()
  const sql = connectPostgres({
    url: await resolveCredential(openSecretStore(config), required(config, 'POSTERN_DATABASE_URL')),
    caFile: config.POSTERN_DATABASE_CA_FILE,
    mode: config.POSTERN_MODE,
    applicationName: `postern ${act}`,
    max: 1,
  })
  const now = () => new Date()
  try {
    const replica = `${act}@${hostname()}`
    const journal = await startJournal(sql, { replica, at: now(), details: { operator } })
    const metrics = createMetrics()
    const audit = postgresAuditLog({ sql, journal, log: silentLog(), metrics, now })
    try {
      await run({ sql, journal, audit, now })
    } finally {
      await audit.close()
    }
  } finally {
    await sql.end({ timeout: closeSeconds })
  }
}
