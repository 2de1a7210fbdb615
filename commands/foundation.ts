import { hostname } from 'node:os'
import type { Sql } from 'postgres'
import { type Config, ConfigError } from '#core/config.ts'
import { PosternError } from '#core/errors.ts'
import type { QueueEngine } from '#core/job/bullmq-engine.ts'
import { bullJobQueue } from '#core/job/bullmq-job-queue.ts'
import type { JobQueue } from '#core/job/job-queue.ts'
import { checkRedis, connectProducer, connectWorker } from '#core/job/redis-connect.ts'
import type { Log } from '#core/log.ts'
import { createMetrics, type Metrics } from '#core/metrics.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { confirmRole, type DatabaseRole } from '#core/postgres/database-role.ts'
import { loginOf, queueConnectionString } from '#core/postgres/database-url.ts'
import { queueSchema } from '#core/postgres/queue-schema.ts'
import { resolveCredential } from '#core/secret/resolve-credential.ts'
import type { SecretStore } from '#core/secret/secret-store.ts'
import { openSecretStore } from './open-secret-store.ts'

/** What every long-running command stands on; opened in order, closed in reverse by `stack`. */
export type Foundation = {
  readonly config: Config
  readonly log: Log
  readonly metrics: Metrics
  readonly version: string
  readonly host: string
  readonly now: () => Date
  readonly secrets: SecretStore | undefined
  /** `name#member` of every secret read so far; the first reads come before there is a log. */
  readonly secretsRead: () => readonly string[]
  /** A pool of its own, so that one use cannot starve another. */
  readonly database: (use: string, connections: number) => Sql
  readonly engine: QueueEngine
  readonly queue: JobQueue
  readonly stack: AsyncDisposableStack
}

/** Seconds that closing a pool waits for statements under way. */
const closeSeconds = 5
/** Statements of status pages and the reconciler; the hot paths have pools of their own. */
const sharedConnections = 4

export async function openFoundation(options: {
  readonly config: Config
  readonly log: Log
  readonly version: string
  /** Whose rights this process has in Postgres; undefined on the embedded engine, which has one session. */
  readonly role: DatabaseRole | undefined
  readonly stack: AsyncDisposableStack
}): Promise<Foundation> {
  const { config, log, version, role, stack } = options
  const read = new Set<string>()
  const secrets = namingReads(openSecretStore(config), read)
  const databaseUrl = await resolveCredential(secrets, required(config, 'POSTERN_DATABASE_URL'))
  const database = (use: string, connections: number): Sql =>
    stack.adopt(
      connectPostgres({
        url: databaseUrl,
        caFile: config.POSTERN_DATABASE_CA_FILE,
        mode: config.POSTERN_MODE,
        applicationName: `postern ${use}`,
        max: connections,
        role,
      }),
      (sql) => sql.end({ timeout: closeSeconds }),
    )
  const engine = await openEngine({ config, secrets, databaseUrl, role, log, stack })
  const sql = database('queue', sharedConnections)
  if (role !== undefined) await confirmRole({ sql, role, login: loginOf(databaseUrl) })
  const queue = stack.adopt(bullJobQueue({ engine, sql, log }), (open) => open.close())
  const metrics = createMetrics()
  const now = () => new Date()
  const host = hostname()
  const secretsRead = () => [...read]
  return {
    ...{ config, log, metrics, version, host, now, secrets, secretsRead },
    ...{ database, engine, queue, stack },
  }
}

function namingReads(store: SecretStore | undefined, read: Set<string>): SecretStore | undefined {
  return (
    store && {
      ...store,
      read(reference) {
        read.add(`${reference.name}#${reference.member}`)
        return store.read(reference)
      },
    }
  )
}

async function openEngine(options: {
  readonly config: Config
  readonly secrets: SecretStore | undefined
  readonly databaseUrl: string
  readonly role: DatabaseRole | undefined
  readonly log: Log
  readonly stack: AsyncDisposableStack
}): Promise<QueueEngine> {
  const { config, secrets, databaseUrl, role, log, stack } = options
  if (config.POSTERN_QUEUE === 'postgres') {
    const connectionString = queueConnectionString({
      url: databaseUrl,
      caFile: config.POSTERN_DATABASE_CA_FILE,
      mode: config.POSTERN_MODE,
    })
    return { backend: 'postgres', connectionString, schema: queueSchema, role }
  }
  const redis = {
    url: await resolveCredential(secrets, required(config, 'POSTERN_REDIS_URL')),
    caFile: config.POSTERN_REDIS_CA_FILE,
    mode: config.POSTERN_MODE,
    cluster: config.POSTERN_REDIS_CLUSTER,
  }
  const producer = stack.adopt(connectProducer(redis), (open) => open.disconnect())
  const worker = stack.adopt(connectWorker(redis), (open) => open.disconnect())
  // A Redis that would drop jobs is refused; one that is away is not: accepting goes on without it.
  await checkRedis(producer).catch((error: unknown) => {
    if (!(error instanceof PosternError)) throw error
    log.warn('redis.away', { error })
  })
  return { backend: 'redis', producer, worker }
}

/** What a process with a gateway cannot do without. */
export function serveSettings(config: Config): readonly (keyof Config)[] {
  return ['POSTERN_ACCESS_FILE', ...engineSettings(config)]
}

/** What every process on the engines cannot do without. */
export function engineSettings(config: Config): readonly (keyof Config)[] {
  const redis = ['POSTERN_REDIS_URL'] as const
  return ['POSTERN_DATABASE_URL', ...(config.POSTERN_QUEUE === 'redis' ? redis : [])]
}

/** Throws `ConfigError` with all that is missing, so that it need not be found out one by one. */
export function requireSettings(config: Config, names: readonly (keyof Config)[]): void {
  const missing = names.filter((name) => config[name] === undefined)
  if (missing.length > 0) throw new ConfigError(missing.map(missingLine))
}

function missingLine(name: keyof Config): string {
  return `${name}: required by this command and not set`
}

/** The value of a setting that this command cannot do without. */
export function required<Name extends keyof Config>(
  config: Config,
  name: Name,
): NonNullable<Config[Name]> {
  const value = config[name]
  if (value !== undefined && value !== null) return value
  throw new ConfigError([missingLine(name)])
}
