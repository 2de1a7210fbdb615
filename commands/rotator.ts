import { hostname } from 'node:os'
import { Command } from 'commander'
import { postgresAuditLog } from '#core/audit/postgres-audit-log.ts'
import { startJournal } from '#core/audit/start-journal.ts'
import { type Config, ConfigError } from '#core/config.ts'
import { startProcessRegistry } from '#core/job/process-registry.ts'
import { openLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import { confirmRole, type DatabaseRole } from '#core/postgres/database-role.ts'
import { loginOf } from '#core/postgres/database-url.ts'
import { readFingerprintKey } from '#core/secret/rotation/fingerprint.ts'
import { postgresRotationJournal } from '#core/secret/rotation/postgres-rotation-journal.ts'
import { startRotator } from '#core/secret/rotation/rotator.ts'
import { listenProbes } from '#gateway/listen-probes.ts'
import { bind } from './bind.ts'
import type { CommandIo } from './command-io.ts'
import { connectLiveDatabase, databaseUrl, loginSecret } from './connect-database.ts'
import { databaseUse, followLogins } from './follow-logins.ts'
import { examples } from './manual.ts'
import { type OpenSecretStore, openSecretStore } from './open-secret-store.ts'
import { openTarget } from './open-target.ts'
import { openRecordedSecrets, type RecordedSecrets } from './recorded-secrets.ts'
import { requireSettings } from './require-settings.ts'
import { runService, type Service } from './run-service.ts'

const role: DatabaseRole = 'postern_rotator'
/** Rotations, revocations and the follower side by side; two more listen. */
const connections = 4
/** Seconds that closing the pool waits for statements under way. */
const closeSeconds = 5

export function rotatorCommand(io: CommandIo): Command {
  return new Command('rotator')
    .summary('rotate what is due and end what is revoked')
    .description(`Needs POSTERN_DATABASE_URL and POSTERN_SECRET_STORE, with the right to write there. Takes up what
\`postern secrets rotate\`, \`revoke\`, the job check-rotation and /internal/secrets have opened, and
goes on after a crash where it stood. Several may run. Answers /healthz, /readyz and /metrics on
POSTERN_ROTATOR_PROBE_PORT at 127.0.0.1.`)
    .addHelpText(
      'after',
      examples('postern rotator', 'POSTERN_ROTATOR_PROBE_PORT=9093 postern rotator'),
    )
    .action(() => runRotator(io))
}

async function runRotator(io: CommandIo): Promise<void> {
  const config = io.config()
  requireSettings(config, ['POSTERN_DATABASE_URL'])
  const opened = openSecretStore(config)
  if (opened === undefined)
    throw new ConfigError(['POSTERN_SECRET_STORE: nothing is rotated without'])
  const log = openLog({ level: config.POSTERN_LOG_LEVEL, fields: { process: 'rotator' } })
  await runService(io, {
    log,
    start: (service) => startRotating(io, { config, opened }, service),
    onSignal: (signal) => log.info('rotator.stopping', { signal }),
  })
}

type Rotating = { readonly config: Config; readonly opened: OpenSecretStore }

async function startRotating(
  io: CommandIo,
  { config, opened }: Rotating,
  { log, stack }: Service,
): Promise<void> {
  const metrics = createMetrics()
  const recorded = openRecordedSecrets(config, metrics)
  const { sql, logins } = await openRotatorDatabase(config, recorded, stack)
  const now = () => new Date()
  const { version } = io
  const journal = await startJournal(sql, {
    ...{ replica: `rotator@${hostname()}`, at: now(), details: { version } },
  })
  const audit = stack.adopt(postgresAuditLog({ sql, journal, log, metrics, now }), (open) =>
    open.close(),
  )
  await recorded.recordTo(audit, now)
  const registry = stack.adopt(
    await startProcessRegistry({ sql, log, roles: ['rotator'], version, host: hostname() }),
    (open) => open.close(),
  )
  const usedBy = `rotator@${hostname()}`
  await followLogins({ logins, sql, journal, process: registry.id, usedBy, log, now, stack })
  const secrets = recorded.secrets
  if (secrets === undefined) throw new Error('invariant: a store has a reader')
  stack.adopt(
    await startRotator({
      ...{ sql, log, metrics, store: recorded.store ?? opened.store },
      journal: postgresRotationJournal({ sql, journal, now }),
      fingerprintKey: await readFingerprintKey(sql),
      openTarget: (name, pointer, closing) =>
        openTarget({ config, secrets, stack: closing }, name, pointer),
    }),
    (open) => open.close(),
  )
  const place = { address: '127.0.0.1', port: config.POSTERN_ROTATOR_PROBE_PORT }
  const readiness = async () => ({ ready: await isAnswering(sql) })
  const probes = stack.adopt(
    bind('POSTERN_ROTATOR_PROBE_PORT', place, () =>
      listenProbes({ port: place.port, readiness, metrics }),
    ),
    (open) => open.stop(),
  )
  log.info('rotator.ready', { probes: probes.url, store: opened.store.name })
}

async function isAnswering(sql: Awaited<ReturnType<typeof openRotatorDatabase>>['sql']) {
  return await sql`select 1`.then(
    () => true,
    () => false,
  )
}

/** It follows its own login like any other process: what it rotates may be that. */
async function openRotatorDatabase(
  config: Config,
  recorded: RecordedSecrets,
  stack: AsyncDisposableStack,
) {
  const secret = await loginSecret(config, 'POSTERN_DATABASE_URL', recorded)
  const url = secret?.members[secret.member] ?? (await databaseUrl(config, recorded.secrets))
  const pool = connectLiveDatabase(config, url, { use: 'rotator', connections, role })
  const sql = stack.adopt(pool.sql, (open) => open.end({ timeout: closeSeconds }))
  await confirmRole({ sql, role, login: loginOf(url) })
  const { store } = recorded
  const logins =
    secret === undefined || store === undefined
      ? undefined
      : {
          store,
          pointers: recorded.pointers,
          uses: [databaseUse(secret, [pool])],
        }
  return { sql, logins }
}
