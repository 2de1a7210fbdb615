import type { Sql } from 'postgres'
import type { Config } from '#core/config.ts'
import { confirmRole, type DatabaseRole } from '#core/postgres/database-role.ts'
import { loginOf } from '#core/postgres/database-url.ts'
import { connectLiveDatabase, databaseUrl, loginSecret } from './connect-database.ts'
import { type LiveLogKeys, openLiveLogKeys } from './follow-log-keys.ts'
import { databaseUse, type Logins } from './follow-logins.ts'
import { type AuditSettings, auditSettings, openAuditSettings } from './open-audit.ts'
import { sequencerConnections } from './open-sequencer.ts'
import { openRecordedSecrets, type RecordedSecrets } from './recorded-secrets.ts'
import { requireSettings } from './require-settings.ts'

const role: DatabaseRole = 'postern_sequencer'
/** Seconds that closing the pool waits for statements under way. */
const closeSeconds = 5
/** A leader that is stopped in mid-commit holds the head's row: another waits this long. */
const idleTransactionMs = 5_000

export type SequencerDatabase = {
  readonly sql: Sql
  readonly settings: AuditSettings
  readonly recordSecrets: RecordedSecrets['recordTo']
  /** Undefined without a secret store. */
  readonly logins: Logins | undefined
  /** Undefined for a literal. */
  readonly logKeys: LiveLogKeys | undefined
}

/** What whoever changes the log stands on: its settings, and a pool with the sequencer's rights. */
export async function openSequencerDatabase(
  config: Config,
  stack: AsyncDisposableStack,
): Promise<SequencerDatabase> {
  requireSettings(config, ['POSTERN_DATABASE_URL', ...auditSettings])
  const recorded = openRecordedSecrets(config)
  const { secrets, store, recordTo: recordSecrets } = recorded
  const opened = await openAuditSettings(config, secrets)
  const logKeys = await openLiveLogKeys(config, opened, recorded)
  const settings = { ...opened, keys: logKeys?.keys ?? opened.keys }
  const secret = await loginSecret(config, 'POSTERN_DATABASE_URL', recorded)
  const url = secret?.members[secret.member] ?? (await databaseUrl(config, secrets))
  const pool = connectLiveDatabase(config, url, {
    ...{ use: 'sequencer', connections: sequencerConnections, role, idleTransactionMs },
  })
  const sql = stack.adopt(pool.sql, (open) => open.end({ timeout: closeSeconds }))
  await confirmRole({ sql, role, login: loginOf(url) })
  const uses = secret === undefined ? [] : [databaseUse(secret, [pool])]
  const logins = store && { store, pointers: recorded.pointers, uses }
  return { sql, settings, recordSecrets, logins, logKeys }
}
