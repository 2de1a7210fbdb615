import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis'
import { z } from 'zod'
import { ConfigError } from '../config.ts'
import { PosternError } from '../errors.ts'
import { readAuthority } from '../read-authority.ts'
import { isDecodable, undecodable } from '../url-login.ts'
import type { RedisLogin } from './live-redis.ts'
import { skipUnreadTraces } from './unread-traces.ts'

export type RedisConnectOptions = {
  /** `rediss://user:password@host:port`, resolved from its reference. */
  readonly url: string
  /** The authority of the server's certificate; without it the system's roots. */
  readonly caFile?: string | undefined
  readonly mode: 'production' | 'development'
  readonly cluster: boolean
}

const portDefault = 6379
/** Milliseconds for name, TCP and TLS together. */
const connectTimeoutMs = 2_000
/** A producer's request waits for it, so it asks again soon; the attempt costs one packet. */
const producerRetryMs = 200
/** A worker has nothing else to do than to come back. */
const workerRetryMaxMs = 2_000
/** Longer than a slow server needs for a batch, shorter than a caller waits. */
const commandTimeoutMs = 2_000
/** BullMQ's blocking reads return after 10 s at the latest: silence beyond that is a dead peer. */
const workerSilenceMs = 20_000
const producerSilenceMs = 3_000
const retryAfterSeconds = 1

/** For HTTP requests: while Redis is down every command fails at once. */
export function connectProducer(options: RedisConnectOptions): Redis | Cluster {
  return connectRedis(options, {
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    retryStrategy: () => producerRetryMs,
    commandTimeout: commandTimeoutMs,
    socketTimeout: producerSilenceMs,
  })
}

/** For BullMQ's workers, which duplicate it for their blocking reads: it never gives up. */
export function connectWorker(options: RedisConnectOptions): Redis | Cluster {
  return connectRedis(options, {
    maxRetriesPerRequest: null,
    enableOfflineQueue: true,
    retryStrategy: (attempts) => Math.min(attempts * producerRetryMs, workerRetryMaxMs),
    // No commandTimeout: it would end the blocking reads.
    socketTimeout: workerSilenceMs,
  })
}

/** To look whether a login is let in: one node, tried once, nothing said before it is asked. */
export function connectUnproved(options: Omit<RedisConnectOptions, 'cluster'>): Redis {
  const { host, port, tls } = parseRedisUrl({ ...options, cluster: false })
  const connection = new Redis({
    ...{ host, port, lazyConnect: true, enableReadyCheck: false, connectTimeout: connectTimeoutMs },
    ...{ commandTimeout: commandTimeoutMs, retryStrategy: () => null, maxRetriesPerRequest: 0 },
    ...(tls === undefined ? {} : { tls }),
  })
  connection.on('error', () => undefined)
  return connection
}

/** The login that a URL holds. Throws `ConfigError` for one that holds none. */
export function redisLogin(url: string): RedisLogin {
  const { username, password } = parseRedisUrl({ url, mode: 'development', cluster: false })
  if (username !== undefined && password !== undefined) return { username, password }
  throw urlProblem('it has no user and password')
}

type Temper = Pick<
  RedisOptions,
  'maxRetriesPerRequest' | 'commandTimeout' | 'socketTimeout' | 'retryStrategy'
> & { readonly enableOfflineQueue: boolean; readonly retryStrategy: (attempts: number) => number }

function connectRedis(options: RedisConnectOptions, temper: Temper): Redis | Cluster {
  skipUnreadTraces()
  const connection = openRedis(options, temper)
  // ioredis prints what nobody listens to; commands and BullMQ's own events tell of an outage.
  connection.on('error', () => undefined)
  return connection
}

function openRedis(options: RedisConnectOptions, temper: Temper): Redis | Cluster {
  const address = parseRedisUrl(options)
  const { host, port, database, ...login } = address
  const connection = { ...temper, ...login, connectTimeout: connectTimeoutMs }
  if (!options.cluster) return new Redis({ ...connection, host, port, db: database })
  const { retryStrategy, enableOfflineQueue, ...redisOptions } = connection
  return new Cluster([{ host, port }], {
    redisOptions,
    enableOfflineQueue,
    clusterRetryStrategy: retryStrategy,
    // The nodes' names as announced: certificates are held against them, not against addresses.
    dnsLookup: (name, found) => found(null, name),
  } satisfies ClusterOptions)
}

function parseRedisUrl({ url, caFile, mode, cluster }: RedisConnectOptions) {
  const parsed = URL.parse(url)
  if (parsed === null || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === '') {
    throw urlProblem('not a URL of the form rediss://user@host:port')
  }
  if (!isDecodable(parsed)) throw urlProblem(undecodable)
  const isTls = parsed.protocol === 'rediss:'
  if (!isTls && mode === 'production') {
    throw urlProblem('redis:// is plain text and does not prove who the server is; use rediss://')
  }
  const database = Number(parsed.pathname.slice(1))
  if (!Number.isInteger(database)) throw urlProblem('the database after the slash is not a number')
  if (cluster && database !== 0) throw urlProblem('a cluster has only database 0')
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? portDefault : Number(parsed.port),
    database,
    ...(parsed.username === '' ? {} : { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password === '' ? {} : { password: decodeURIComponent(parsed.password) }),
    ...(isTls
      ? { tls: { rejectUnauthorized: true, ...readAuthority('POSTERN_REDIS_CA_FILE', caFile) } }
      : {}),
  }
}

function urlProblem(problem: string): ConfigError {
  return new ConfigError([`POSTERN_REDIS_URL: ${problem}`])
}

export type RedisFacts = {
  readonly version: string
  /** Without an append-only file a restart empties the queues; the sweeper fills them again. */
  readonly isPersistent: boolean
}

/** The oldest server that BullMQ's scripts are written for. */
const versionMin = [6, 2] as const

const information = z.object({
  redis_version: z.string(),
  maxmemory_policy: z.string(),
  aof_enabled: z.string(),
})

/**
 * Reads from every node's INFO what a queue cannot do without; managed servers block CONFIG.
 * Throws `ConfigError` with the fix, or `queue.unavailable` when Redis cannot be reached.
 */
export async function checkRedis(connection: Redis | Cluster): Promise<RedisFacts> {
  const found = await readInformation(connection)
  const problems = found.flatMap((node) => [
    ...(node.maxmemory_policy === 'noeviction'
      ? []
      : [
          `maxmemory-policy is ${node.maxmemory_policy} and would drop jobs when memory is short; ` +
            'set maxmemory-policy noeviction on the server',
        ]),
    ...(isNewEnough(node.redis_version)
      ? []
      : [`Redis ${node.redis_version} is too old; upgrade to ${versionMin.join('.')} or newer`]),
  ])
  if (problems.length > 0) {
    throw new ConfigError([...new Set(problems)].map((problem) => `POSTERN_REDIS_URL: ${problem}`))
  }
  return {
    version: found.map((node) => node.redis_version).join(', '),
    isPersistent: found.every((node) => node.aof_enabled === '1'),
  }
}

async function readInformation(connection: Redis | Cluster) {
  try {
    await ready(connection)
    const nodes = connection instanceof Cluster ? connection.nodes('master') : [connection]
    const texts = await Promise.all(nodes.map((node) => node.info()))
    return texts.map((text) =>
      information.parse(Object.fromEntries(text.split('\r\n').map((line) => line.split(':', 2)))),
    )
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new PosternError('queue.unavailable', { reason, retryAfterSeconds, cause })
  }
}

/** A fail-fast connection refuses commands until its first handshake is over. */
async function ready(connection: Redis | Cluster): Promise<void> {
  if (connection.status === 'ready') return
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  connection.once('ready', resolve)
  connection.once('error', reject)
  const late = setTimeout(
    () => reject(new Error(`not ready within ${connectTimeoutMs} ms`)),
    connectTimeoutMs,
  )
  try {
    await promise
  } finally {
    clearTimeout(late)
    connection.off('ready', resolve)
    connection.off('error', reject)
  }
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > versionMin[0] || (major === versionMin[0] && minor >= versionMin[1])
}
