import { runMigrations } from 'bullmq'
import { Redis } from 'ioredis'
import pg from 'pg'
import postgres from 'postgres'
import { openBullWorker, type QueueEngine } from '#core/job/bullmq-engine.ts'
import { bullJobQueue } from '#core/job/bullmq-job-queue.ts'
import type { JobQueue } from '#core/job/job-queue.ts'
import type { JobKind } from '#core/job/kind.ts'
import { silentLog } from '#core/log.ts'
import { startPostgres } from '#test/support/postgres-server.ts'
import { startRedis } from '#test/support/redis-server.ts'
import { memoryJobQueue } from './memory-job-queue.ts'

/** What a job looks like to the worker that received it. */
export type Received = { readonly id: string; readonly data: unknown }

/** One way to keep a queue, with the means to take it away and bring it back. */
export type QueueWorld = {
  readonly queue: JobQueue
  /** Another producer of the same engine, opened this moment. */
  openAnother(): JobQueue
  down(): Promise<void>
  up(): Promise<void>
  /** Sockets stay open and nobody answers, until `thaw`. */
  freeze(): Promise<void>
  thaw(): Promise<void>
  /** Begins to run jobs; each stays active until it is released. */
  startWorker(kind: JobKind): {
    readonly received: readonly Received[]
    release(): void
    close(): Promise<void>
  }
  close(): Promise<void>
}

export const queueWorlds: readonly (readonly [string, () => Promise<QueueWorld>])[] = [
  ['BullMQ on Redis', redisWorld],
  ['BullMQ on Postgres', postgresWorld],
  ['the memory fake', memoryWorld],
]

async function redisWorld(): Promise<QueueWorld> {
  const server = await startRedis({ persistence: true })
  const producer = new Redis(server.url, {
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    retryStrategy: () => 100,
  }).on('error', () => undefined)
  const worker = new Redis(server.url, {
    maxRetriesPerRequest: null,
    retryStrategy: () => 100,
  }).on('error', () => undefined)
  await Promise.all(
    [producer, worker].map((connection) => connection.ping().catch(() => undefined)),
  )
  const sql = postgres('postgres://127.0.0.1:1/unused', { max: 1 })
  const engine = { backend: 'redis', producer, worker } as const satisfies QueueEngine
  return bullWorld(engine, sql, {
    down: () => server.stop('SIGKILL'),
    up: () => server.start(),
    freeze: () => Promise.resolve(server.pause()),
    thaw: () => Promise.resolve(server.resume()),
    async close() {
      producer.disconnect()
      worker.disconnect()
      await server.stop('SIGKILL')
    },
  })
}

async function postgresWorld(): Promise<QueueWorld> {
  const server = await startPostgres()
  const schema = 'public'
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  await runMigrations(client, schema)
  await client.end()
  const sql = postgres(server.url, { max: 2, onnotice: () => undefined, backoff: () => 0.1 })
  const engine = { backend: 'postgres', connectionString: server.url, schema } as const
  return bullWorld(engine, sql, {
    down: () => server.stop('immediate'),
    up: () => server.start(),
    freeze: () => server.pause(),
    thaw: () => server.resume(),
    async close() {
      await sql.end({ timeout: 1 })
      await server.stop('immediate')
    },
  })
}

function bullWorld(
  engine: QueueEngine,
  sql: postgres.Sql,
  server: Pick<QueueWorld, 'down' | 'up' | 'freeze' | 'thaw' | 'close'>,
): QueueWorld {
  const open = () => bullJobQueue({ engine, sql, log: silentLog() })
  const opened: JobQueue[] = []
  const openAnother = () => {
    const queue = open()
    opened.push(queue)
    return queue
  }
  return {
    queue: openAnother(),
    openAnother,
    ...server,
    startWorker(kind) {
      const received: Received[] = []
      const gate = Promise.withResolvers<void>()
      const options = { concurrency: 100 }
      const worker = openBullWorker(
        engine,
        kind.name,
        async (job) => {
          received.push({ id: job.id ?? '', data: job.data })
          await gate.promise
        },
        options,
      )
      worker.on('error', () => undefined)
      return { received, release: gate.resolve, close: () => worker.close() }
    },
    async close() {
      await Promise.all(opened.map((queue) => queue.close()))
      await server.close()
    },
  }
}

function memoryWorld(): Promise<QueueWorld> {
  const queue = memoryJobQueue()
  return Promise.resolve({
    queue,
    openAnother: () => queue,
    down: () => Promise.resolve(queue.setAway(true)),
    up: () => Promise.resolve(queue.setAway(false)),
    freeze: () => Promise.resolve(queue.setAway(true)),
    thaw: () => Promise.resolve(queue.setAway(false)),
    startWorker(kind) {
      const received: Received[] = []
      const take = () => {
        const own = queue.held().filter((delivery) => delivery.kind.name === kind.name)
        for (const { id, payload, dispatch, timeoutMs, requestId, traceparent } of own) {
          if (received.some((one) => one.id === id) || queue.take(id) === undefined) continue
          received.push({ id, data: { payload, dispatch, timeoutMs, requestId, traceparent } })
        }
      }
      const timer = setInterval(take, 5)
      return {
        received,
        release: () => {
          for (const { id } of received) queue.acknowledge(id)
        },
        close: () => Promise.resolve(clearInterval(timer)),
      }
    },
    close: () => queue.close(),
  })
}
