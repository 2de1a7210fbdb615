import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { mintScope } from '#core/access/access-file.ts'
import {
  developmentAccess,
  developmentAudience,
  loadOrCreateDevelopmentKey,
  mintDevelopmentToken,
} from '#core/access/development-issuer.ts'
import { formatVerifierKey } from '#core/audit/note/verifier-key.ts'
import { openTileSource } from '#core/audit/store/open-tile-store.ts'
import { type Config, ConfigError, parseConfig } from '#core/config.ts'
import { openLog } from '#core/log.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { openEmbeddedEngine } from '#core/postgres/embedded-engine.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { listen } from '#gateway/listen.ts'
import { bind } from './bind.ts'
import type { CommandIo } from './command-io.ts'
import { ensureDevelopmentAccount } from './development-account.ts'
import { openFoundation, secretsOf } from './foundation.ts'
import { jobKinds, queueNames } from './job-kinds.ts'
import { examples } from './manual.ts'
import { openAccess } from './open-access.ts'
import { openDevelopmentAudit } from './open-audit.ts'
import { openGateway } from './open-gateway.ts'
import { openIncidents } from './open-incidents.ts'
import { openIssuer } from './open-issuer.ts'
import { openSequencer, sequencerConnections } from './open-sequencer.ts'
import { openServices } from './open-services.ts'
import { openWorkers } from './open-workers.ts'
import { runService, type Service } from './run-service.ts'
import { ingestSample, welcome } from './welcome.ts'

/** A working day and a night; `postern token mint` makes the next one. */
const tokenSeconds = 86_400

/** Milliseconds: a cluster that is being made, which takes a slow machine so long, is not left half made. */
const startGraceMs = 20_000
/** All there are: whoever sits at the keyboard may try everything. */
const developerScopes: readonly string[] = [
  ...new Set([...jobKinds.values()].flatMap((kind) => kind.scope ?? [])),
  ...['jobs:read', 'jobs:read:any', 'jobs:write:batch'],
  ...['jobs:cancel', 'jobs:cancel:any', 'jobs:retry', 'jobs:retry:any'],
  ...['trades:write', 'scores:read', 'queues:read', 'queues:admin', 'metrics:read', 'audit:read'],
  ...['orders:write', 'orders:read', 'market:write', 'market:read'],
  ...['trading:read', 'trading:admin', 'trading:halt', 'trading:rearm', mintScope],
  ...['secrets:read', 'secrets:write', 'revocations:read', 'revocations:write'],
  ...['schedules:read', 'schedules:write', 'drift:read', 'incidents:read'],
]
/** Where a developer's own webhook receiver may listen. */
const localCallbacks = ['http://127.0.0.1:9099/', 'http://localhost:9099/']
/** Signs webhooks of `up` where nothing else is set; it is public. */
const developmentWebhookKey = 'postern-development-webhook-key'

const subject = 'developer'

type UpOptions = { readonly port?: string; readonly fresh?: boolean; readonly data?: string }

export function upCommand(io: CommandIo): Command {
  return new Command('up')
    .summary('everything in one process on a laptop, with an embedded Postgres')
    .description(`Listens on 127.0.0.1 only, prints a development token and lines to paste. State survives a restart;
the embedded engine does not sync its files, so it may not survive a power cut. A job may name a
callback below http://127.0.0.1:9099/. The audit log is published to <data>/audit, with its verifier
key in <data>/audit.vkey. For production see \`postern run\`.`)
    .option(
      '--port <port>',
      'listen on this port of 127.0.0.1 (default: POSTERN_LISTEN_PORT, 8080)',
    )
    .option('--data <directory>', 'keep state here (default: POSTERN_DATA_DIRECTORY, .postern)')
    .option('--fresh', 'throw away the state of earlier runs')
    .addHelpText('after', examples('postern up', 'postern up --port 9090 --fresh'))
    .action((options: UpOptions) => up(io, options))
}

async function up(io: CommandIo, options: UpOptions): Promise<void> {
  const asked = developmentConfig(io, options, undefined)
  const log = openLog({ level: asked.POSTERN_LOG_LEVEL, fields: { process: 'up' } })
  const data = asked.POSTERN_DATA_DIRECTORY
  await runService(io, {
    ...{ log, graceMs: startGraceMs },
    start: (service) => startAll(io, { options, data }, service),
    onSignal: (signal) => {
      log.info('up.stopping', { signal })
      io.stdout.write(`Stopping (${signal}); state is kept in ${data}.\n`)
    },
  })
}

async function startAll(
  io: CommandIo,
  { options, data }: { readonly options: UpOptions; readonly data: string },
  { log, stack }: Service,
): Promise<void> {
  io.stderr.write('postern: starting; the first time takes some seconds …\n')
  const embedded = stack.adopt(
    await openEmbeddedEngine({ directory: join(data, 'postgres'), fresh: options.fresh === true }),
    (open) => open.close(),
  )
  const config = developmentConfig(io, options, embedded.url)
  await migrateEmbedded(embedded.url)
  const start = { config, log, version: io.version }
  const foundation = await openFoundation({ ...start, role: undefined, stack })
  const { now } = foundation
  await ensureDevelopmentAccount(foundation.database('setup', 1), subject)
  const local = await openIssuer(config, secretsOf(foundation))
  const services = await openServices(foundation, ['gateway', 'worker'], local && [local.use])
  const key = await loadOrCreateDevelopmentKey(data)
  const scopes = developerScopes
  const audience = developmentAudience
  const document = developmentAccess({
    ...{ key, audience, scopes, callbackPrefixes: localCallbacks },
    localIssuer: local?.issuer.name,
  })
  const access = await openAccess(foundation, services, { document }, local?.issuer)
  const settings = await openDevelopmentAudit(config, foundation.secrets)
  await openSequencer({
    ...{ settings, log, stack },
    sql: foundation.database('sequencer', sequencerConnections),
    metrics: foundation.metrics,
  })
  const published = await openTileSource(settings.store, settings.storeOptions)
  const gateway = await openGateway(foundation, services, access, { published })
  const place = { address: config.POSTERN_LISTEN_ADDRESS, port: config.POSTERN_LISTEN_PORT }
  const listener = bind('POSTERN_LISTEN_PORT', place, () => listen({ gateway, ...place, log }))
  stack.defer(() => listener.stop(config.POSTERN_DRAIN_SECONDS * 1_000))
  const logKeys = settings.keys().signers.map((signer) => signer.key)
  await openWorkers(foundation, services, {
    published: { source: published, logKeys },
    environment: io.environment,
  })
  openIncidents(foundation, services, { access, hasWorkers: true })
  const ttlSeconds = tokenSeconds
  const minted = { key, subject, scopes, ttlSeconds, audience, now: now() }
  const token = await mintDevelopmentToken(minted)
  await ingestSample(listener.url, token)
  const keys = join(data, 'audit.vkey')
  const lines = logKeys.map((key) => `${formatVerifierKey(key)}\n`)
  await writeFile(keys, lines.join(''))
  io.stdout.write(
    welcome({ url: listener.url, token, data, audit: { store: settings.store, keys } }),
  )
}

/** Ours to set: the engine, the mode and the address; the rest may come from the environment. */
function developmentConfig(io: CommandIo, options: UpOptions, url: string | undefined): Config {
  if (io.environment['POSTERN_MODE'] === 'production') {
    throw new ConfigError(['POSTERN_MODE: `up` is for development; use `serve`, `work` or `run`'])
  }
  const { POSTERN_REDIS_URL: _redis, ...environment } = io.environment
  return parseConfig({
    POSTERN_LOG_LEVEL: 'warn',
    POSTERN_WEBHOOK_KEY: developmentWebhookKey,
    ...environment,
    ...(options.port === undefined ? {} : { POSTERN_LISTEN_PORT: options.port }),
    ...(options.data === undefined ? {} : { POSTERN_DATA_DIRECTORY: options.data }),
    ...(url === undefined ? {} : { POSTERN_DATABASE_URL: url }),
    POSTERN_MODE: 'development',
    POSTERN_QUEUE: 'postgres',
    POSTERN_LISTEN_ADDRESS: '127.0.0.1',
  })
}

async function migrateEmbedded(url: string): Promise<void> {
  const sql = connectPostgres({
    url,
    caFile: undefined,
    mode: 'development',
    applicationName: 'postern migrate',
    max: 1,
  })
  try {
    await migrate({ sql, queue: 'postgres', queues: queueNames })
  } finally {
    await sql.end({ timeout: 1 })
  }
}
