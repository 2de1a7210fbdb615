import { hostname } from 'node:os'
import { Command } from 'commander'
import { postgresAuditLog } from '#core/audit/postgres-audit-log.ts'
import { startJournal } from '#core/audit/start-journal.ts'
import { openLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { confirmRole, type DatabaseRole } from '#core/postgres/database-role.ts'
import { loginOf } from '#core/postgres/database-url.ts'
import { resolveCredential } from '#core/secret/resolve-credential.ts'
import { listenProbes } from '#gateway/listen-probes.ts'
import { bind } from './bind.ts'
import type { CommandIo } from './command-io.ts'
import { required, requireSettings } from './foundation.ts'
import { auditSettings, openAuditSettings } from './open-audit.ts'
import { openSecretStore } from './open-secret-store.ts'
import { openSequencer, sequencerConnections } from './open-sequencer.ts'
import { exitOnBug } from './process-life.ts'

const role: DatabaseRole = 'postern_sequencer'
/** Seconds that closing the pool waits for statements under way. */
const closeSeconds = 5
/** A leader that is stopped in mid-commit holds the head's row: another waits this long. */
const idleTransactionMs = 5_000

export function auditSequenceCommand(io: CommandIo): Command {
  return new Command('sequence')
    .description('give audit records their place in the signed log, and publish it')
    .addHelpText(
      'after',
      `
Examples:
  $ postern audit sequence
  $ POSTERN_SEQUENCER_PROBE_PORT=9092 postern audit sequence

Needs POSTERN_DATABASE_URL, POSTERN_AUDIT_ORIGIN, POSTERN_AUDIT_KEYS and POSTERN_AUDIT_STORE;
POSTERN_AUDIT_POLICY names the witnesses. Several may run: one leads, another follows within 5 s of
its end. Answers /healthz, /readyz and /metrics on POSTERN_SEQUENCER_PROBE_PORT at 127.0.0.1. Where
the published or the witnessed log is more than the database holds, or another one, nothing is
signed, \`postern_audit_refused\` is 1 and the log says what to do.`,
    )
    .action(() => auditSequence(io))
}

async function auditSequence(io: CommandIo): Promise<void> {
  const config = io.config()
  requireSettings(config, ['POSTERN_DATABASE_URL', ...auditSettings])
  const log = openLog({ level: config.POSTERN_LOG_LEVEL, fields: { process: 'sequencer' } })
  exitOnBug(log)
  await using stack = new AsyncDisposableStack()
  stack.defer(() => log.flush())
  const secrets = openSecretStore(config)
  const settings = await openAuditSettings(config, secrets)
  const url = await resolveCredential(secrets, required(config, 'POSTERN_DATABASE_URL'))
  const sql = stack.adopt(
    connectPostgres({
      url,
      caFile: config.POSTERN_DATABASE_CA_FILE,
      mode: config.POSTERN_MODE,
      applicationName: 'postern sequencer',
      max: sequencerConnections,
      role,
      idleTransactionMs,
    }),
    (open) => open.end({ timeout: closeSeconds }),
  )
  await confirmRole({ sql, role, login: loginOf(url) })
  const metrics = createMetrics()
  const now = () => new Date()
  const journal = await startJournal(sql, {
    replica: `sequencer@${hostname()}`,
    at: now(),
    details: { version: io.version, origin: settings.origin },
  })
  // Closed before the sequencer, which gives its last record a place.
  const audit = postgresAuditLog({ sql, journal, log, metrics, now })
  const database = await openSequencer({ settings, sql, log, metrics, stack })
  stack.defer(() => audit.close())
  const readiness = async () => {
    const ready = await database.newestTree().then(
      () => true,
      () => false,
    )
    return { ready }
  }
  const place = { address: '127.0.0.1', port: config.POSTERN_SEQUENCER_PROBE_PORT }
  const probes = stack.adopt(
    bind('POSTERN_SEQUENCER_PROBE_PORT', place, () =>
      listenProbes({ port: place.port, readiness, metrics }),
    ),
    (open) => open.stop(),
  )
  log.info('sequence.ready', { probes: probes.url })
  const signal = await io.terminated()
  log.info('sequence.stopping', { signal })
}
