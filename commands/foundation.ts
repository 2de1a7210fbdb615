import { hostname } from 'node:os'
import type { Cluster, Redis } from 'ioredis'
import type { Sql } from 'postgres'
import type { Config } from '#core/config.ts'
import { PosternError } from '#core/errors.ts'
import type { QueueEngine } from '#core/job/bullmq-engine.ts'
import { bullJobQueue } from '#core/job/bullmq-job-queue.ts'
import type { JobQueue } from '#core/job/job-queue.ts'
import { liveRedis } from '#core/job/live-redis.ts'
import { checkRedis, connectProducer, connectWorker } from '#core/job/redis-connect.ts'
import type { Log } from '#core/log.ts'
import { createMetrics, type Metrics } from '#core/metrics.ts'
import type { ConnectOptions } from '#core/postgres/connect.ts'
import { confirmRole, type DatabaseRole } from '#core/postgres/database-role.ts'
import { loginOf, queueConnectionString } from '#core/postgres/database-url.ts'
import type { LivePool } from '#core/postgres/live-pool.ts'
import { queueSchema } from '#core/postgres/queue-schema.ts'
import { resolveCredential } from '#core/secret/resolve-credential.ts'
import type { SecretUse } from '#core/secret/secret-follower.ts'
import type { SecretReader } from '#core/secret/secret-reader.ts'
import type { Tracing } from '#core/trace/tracing.ts'
import {
  connectLiveDatabase,
  databaseUrl,
  type LoginSecret,
  loginSecret,
  type SecretsByVersion,
} from './connect-database.ts'
import { adoptRedisLogin, databaseUse, type Logins } from './follow-logins.ts'
import { openProcessTracing } from './open-tracing.ts'
import { openWebhookKeys } from './open-webhook-keys.ts'
import { openRecordedSecrets, type RecordedSecrets } from './recorded-secrets.ts'
import { required } from './require-settings.ts'

/** What every long-running command stands on; opened in order, closed in reverse by `stack`. */
export type Foundation = {
  readonly config: Config
  readonly log: Log
  readonly metrics: Metrics
  /** Undefined: nothing is traced. */
  readonly tracing: Tracing | undefined
  readonly version: string
  readonly host: string
  readonly now: () => Date
  readonly secrets: SecretReader | undefined
  /** Called once there is a log for the reads of secrets. */
  readonly recordSecrets: RecordedSecrets['recordTo']
  /** A pool of its own, so that one use cannot starve another. */
  readonly database: (use: string, connections: number, plans?: Plans) => Sql
  readonly engine: QueueEngine
  readonly queue: JobQueue
  readonly stack: AsyncDisposableStack
  /** Those in force, newest first; none where none is set, and in a gateway. */
  readonly webhookKeys: () => readonly string[]
  /** What is followed while the process runs; undefined where all are literals. */
  readonly logins: Logins | undefined
}

export function secretsOf({ secrets, logins }: Foundation): SecretsByVersion {
  return { secrets, store: logins?.store }
}

type Plans = Pick<ConnectOptions, 'prefersIndexes'>

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
  const metrics = createMetrics()
  const recorded = openRecordedSecrets(config, metrics)
  const { secrets, recordTo: recordSecrets } = recorded
  const tracing = await openProcessTracing({
    ...{ config, secrets, role, version, metrics, log, stack },
  })
  const login = await loginSecret(config, 'POSTERN_DATABASE_URL', recorded)
  let url = login?.members[login.member] ?? (await databaseUrl(config, secrets))
  const pools: LivePool[] = []
  const database = (use: string, connections: number, plans: Plans = {}): Sql => {
    const pool = connectLiveDatabase(config, url, { use, connections, role, ...plans })
    pools.push(pool)
    metrics.watchPool(use, pool.connections)
    return stack.adopt(pool.sql, (sql) => sql.end({ timeout: closeSeconds }))
  }
  const onAdopted = (next: string) => {
    url = next
  }
  const { engine, redisUse } = await openEngine({
    ...{ config, recorded, databaseUrl: url, role, log, stack },
  })
  const webhook = role === 'postern_gateway' ? undefined : await openWebhookKeys(config, recorded)
  const sql = database('queue', sharedConnections)
  if (role !== undefined) await confirmRole({ sql, role, login: loginOf(url) })
  const queue = stack.adopt(bullJobQueue({ engine, sql, log }), (open) => open.close())
  const now = () => new Date()
  const host = hostname()
  return {
    ...{ config, log, metrics, tracing, version, host, now, secrets, recordSecrets },
    ...{ database, engine, queue, stack },
    webhookKeys: () => webhook?.keys() ?? [],
    logins: recorded.store && {
      store: recorded.store,
      pointers: recorded.pointers,
      uses: [
        ...foundationUse(config, { login, pools, onAdopted }),
        ...(redisUse === undefined ? [] : [redisUse]),
        ...(webhook?.use === undefined ? [] : [webhook.use]),
      ],
    },
  }
}

function foundationUse(
  config: Config,
  {
    login,
    pools,
    onAdopted,
  }: {
    readonly login: LoginSecret | undefined
    readonly pools: readonly LivePool[]
    /** Pools that are opened from then on have the new login at once. */
    readonly onAdopted: (url: string) => void
  },
): readonly SecretUse[] {
  if (login === undefined) return []
  const use = databaseUse(login, pools)
  const adopt: SecretUse['adopt'] = async (members) => {
    // BullMQ's pools on Postgres have the login of their start: the old one must live on.
    if (config.POSTERN_QUEUE === 'postgres') throw new Error('restart to take the new login over')
    await use.adopt(members)
    onAdopted(members[login.member] ?? '')
  }
  return [{ ...use, adopt }]
}

async function openEngine(options: {
  readonly config: Config
  readonly recorded: RecordedSecrets
  readonly databaseUrl: string
  readonly role: DatabaseRole | undefined
  readonly log: Log
  readonly stack: AsyncDisposableStack
}): Promise<{ readonly engine: QueueEngine; readonly redisUse?: SecretUse }> {
  const { config, recorded, databaseUrl, role, log, stack } = options
  if (config.POSTERN_QUEUE === 'postgres') {
    const connectionString = queueConnectionString({
      url: databaseUrl,
      caFile: config.POSTERN_DATABASE_CA_FILE,
      mode: config.POSTERN_MODE,
    })
    return { engine: { backend: 'postgres', connectionString, schema: queueSchema, role } }
  }
  const login = await loginSecret(config, 'POSTERN_REDIS_URL', recorded)
  const redis = {
    url:
      login?.members[login.member] ??
      (await resolveCredential(recorded.secrets, required(config, 'POSTERN_REDIS_URL'))),
    caFile: config.POSTERN_REDIS_CA_FILE,
    mode: config.POSTERN_MODE,
    cluster: config.POSTERN_REDIS_CLUSTER,
  }
  const open = (connection: Redis | Cluster) =>
    liveRedis(stack.adopt(connection, (opened) => opened.disconnect()))
  const live = [open(connectProducer(redis)), open(connectWorker(redis))] as const
  const [{ connection: producer }, { connection: worker }] = live
  // A Redis that would drop jobs is refused; one that is away is not: accepting goes on without it.
  await checkRedis(producer).catch((error: unknown) => {
    if (!(error instanceof PosternError)) throw error
    log.warn('redis.away', { error })
  })
  const engine = { backend: 'redis', producer, worker } as const
  if (login === undefined) return { engine }
  return { engine, redisUse: { ...login, adopt: adoptRedisLogin(login, live) } }
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
