import { hostname } from 'node:os'
import { Command } from 'commander'
import { postgresAuditLog } from '#core/audit/postgres-audit-log.ts'
import { startJournal } from '#core/audit/start-journal.ts'
import type { Config } from '#core/config.ts'
import { startProcessRegistry } from '#core/job/process-registry.ts'
import { openLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import { listenProbes } from '#gateway/listen-probes.ts'
import { bind } from './bind.ts'
import type { CommandIo } from './command-io.ts'
import { adoptLogKeys, signingKeys } from './follow-log-keys.ts'
import { followLogins } from './follow-logins.ts'
import { examples } from './manual.ts'
import { openSequencer, sequencerConnections } from './open-sequencer.ts'
import { openSequencerDatabase } from './open-sequencer-database.ts'
import { runService, type Service } from './run-service.ts'

export function auditSequenceCommand(io: CommandIo): Command {
  return new Command('sequence')
    .summary('give audit records their place in the signed log, and publish it')
    .description(`Needs POSTERN_DATABASE_URL, POSTERN_AUDIT_ORIGIN, POSTERN_AUDIT_KEYS and POSTERN_AUDIT_STORE;
POSTERN_AUDIT_POLICY names the witnesses. Several may run: one leads, another follows within 5 s of
its end. Answers /healthz, /readyz and /metrics on POSTERN_SEQUENCER_PROBE_PORT at 127.0.0.1. Where
the published or the witnessed log is more than the database holds, or another one, nothing is
signed, \`postern_audit_refused\` is 1 and the log says what to do.`)
    .addHelpText(
      'after',
      examples(
        'postern audit sequence',
        'POSTERN_SEQUENCER_PROBE_PORT=9092 postern audit sequence',
      ),
    )
    .action(() => auditSequence(io))
}

async function auditSequence(io: CommandIo): Promise<void> {
  const config = io.config()
  const log = openLog({ level: config.POSTERN_LOG_LEVEL, fields: { process: 'sequencer' } })
  await runService(io, {
    log,
    start: (service) => startSequencing(io, config, service),
    onSignal: (signal) => log.info('sequence.stopping', { signal }),
  })
}

async function startSequencing(
  io: CommandIo,
  config: Config,
  { log, stack }: Service,
): Promise<void> {
  const opened = await openSequencerDatabase(config, stack)
  const { sql, settings, recordSecrets, logKeys } = opened
  // Opened when they are first needed, the last of them comes after half an hour and looks like a leak.
  await Promise.all(Array.from({ length: sequencerConnections }, () => sql`select`))
  const metrics = createMetrics()
  const now = () => new Date()
  const journal = await startJournal(sql, {
    replica: `sequencer@${hostname()}`,
    at: now(),
    details: { version: io.version, origin: settings.origin, keys: signingKeys(settings.keys()) },
  })
  // Closed before the sequencer, which gives its last record a place.
  const audit = postgresAuditLog({ sql, journal, log, metrics, now })
  const database = await openSequencer({ settings, sql, log, metrics, stack })
  stack.defer(() => audit.close())
  await recordSecrets(audit, now)
  const { version } = io
  const registry = stack.adopt(
    await startProcessRegistry({ sql, log, roles: ['sequencer'], version, host: hostname() }),
    (open) => open.close(),
  )
  const signing = logKeys === undefined ? [] : [adoptLogKeys(logKeys, { audit, log, now })]
  const logins = opened.logins && {
    ...opened.logins,
    uses: [...opened.logins.uses, ...signing],
  }
  const usedBy = `sequencer@${hostname()}`
  await followLogins({ logins, sql, journal, process: registry.id, usedBy, log, now, stack })
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
}
