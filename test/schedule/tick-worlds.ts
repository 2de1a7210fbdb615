import { createPostgresBackend, Queue } from 'bullmq'
import { type QueueEngine, queuePrefix } from '#core/job/bullmq-engine.ts'
import { connectProducer, connectWorker } from '#core/job/redis-connect.ts'
import { silentLog } from '#core/log.ts'
import type { DatabaseRole } from '#core/postgres/database-role.ts'
import { queueConnectionString } from '#core/postgres/database-url.ts'
import { queueSchema } from '#core/postgres/queue-schema.ts'
import { bullTickQueue, tickQueueName } from '#core/schedule/tick-queue.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'
import { startRedis } from '#test/support/redis-server.ts'
import { type ScheduleWorld, scheduleWorldOn } from './schedule-world.ts'

/** Schedules with an engine that ticks. */
export type TickWorld = Awaited<ReturnType<typeof redisTicks>>

export async function redisTicks() {
  const server = await startRedis()
  const world = await scheduleWorldOn(await (await sharedPostgres()).createDatabase(), {
    ...{ hasRoles: true, queue: 'redis' },
  })
  const redis = { url: server.url, mode: 'development', cluster: false } as const
  const producer = connectProducer(redis).on('error', () => undefined)
  const worker = connectWorker(redis).on('error', () => undefined)
  return tickWorld(
    world,
    { backend: 'redis', producer, worker },
    {
      wipe: async () => void (await producer.flushall()),
      stop: () => server.stop('SIGKILL'),
      start: () => server.start(),
      async close() {
        producer.disconnect()
        worker.disconnect()
        await server.stop('SIGKILL')
      },
    },
  )
}

export async function postgresTicks() {
  const url = await (await sharedPostgres()).createDatabase()
  const world = await scheduleWorldOn(url, { hasRoles: true, queue: 'postgres' })
  return postgresTicksOn(world, 'postern_worker')
}

/** The engine's tables lie in the database of the schedules. */
export function postgresTicksOn(world: ScheduleWorld, role?: DatabaseRole) {
  const connectionString = queueConnectionString({
    ...{ url: world.url, caFile: undefined, mode: 'development' },
  })
  const engine = { backend: 'postgres', connectionString, schema: queueSchema, role } as const
  return tickWorld(world, engine, {
    wipe: async () => void (await world.sql`truncate public.scheduler, public.job cascade`),
    stop: () => Promise.reject(new Error('it is the database itself')),
    start: () => Promise.resolve(),
    close: () => Promise.resolve(),
  })
}

function tickWorld(
  world: ScheduleWorld,
  engine: QueueEngine,
  server: {
    readonly wipe: () => Promise<void>
    readonly stop: () => Promise<void>
    readonly start: () => Promise<void>
    readonly close: () => Promise<void>
  },
) {
  const log = silentLog()
  const ticks = bullTickQueue(engine, log)
  /** The engine as somebody sees it who goes past us. */
  const options = { prefix: queuePrefix(tickQueueName) }
  const raw =
    engine.backend === 'redis'
      ? new Queue(tickQueueName, { ...options, connection: engine.producer })
      : new Queue(
          tickQueueName,
          {
            ...options,
            connection: {
              connectionString: engine.connectionString,
              schema: engine.schema,
              skipMigrations: true,
            },
          },
          createPostgresBackend,
        )
  raw.on('error', () => undefined)
  return {
    ...world,
    ...server,
    engine,
    ticks,
    raw,
    /** Every tick that waits for its time comes now. */
    async tickNow(): Promise<void> {
      for (const job of await raw.getDelayed()) await job.promote()
    },
    async drifted(): Promise<Record<string, number>> {
      const { values } = await world.metrics.scheduleDrift.get()
      return Object.fromEntries(values.map(({ labels, value }) => [`${labels.what}`, value]))
    },
    async close() {
      await raw.close()
      await ticks.close()
      await world.close()
      await server.close()
    },
  }
}
