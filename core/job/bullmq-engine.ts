import {
  createPostgresBackend,
  type JobsOptions,
  type Processor,
  Queue,
  type QueueOptions,
  Worker,
  type WorkerOptions,
} from 'bullmq'
import type { Cluster, Redis } from 'ioredis'
import type { DatabaseRole } from '../postgres/database-role.ts'

/**
 * Where BullMQ keeps its queues. On Redis a producer connection fails fast and a worker connection
 * never gives up; both are opened and closed by the composition root.
 */
export type QueueEngine =
  | {
      readonly backend: 'redis'
      readonly producer: Redis | Cluster
      readonly worker: Redis | Cluster
    }
  | {
      readonly backend: 'postgres'
      readonly connectionString: string
      readonly schema: string
      /** Whose rights its connections have; without it the login's own. */
      readonly role?: DatabaseRole | undefined
    }

/** The backend is a type parameter of BullMQ's classes; what is used of them is the same for both. */
export type BullQueue = Pick<
  Queue,
  | 'add'
  | 'addBulk'
  | 'remove'
  | 'pause'
  | 'resume'
  | 'isPaused'
  | 'getJobCounts'
  | 'waitUntilReady'
  | 'close'
  | 'upsertJobScheduler'
  | 'getJobSchedulers'
  | 'removeJobScheduler'
> & { on(event: 'error', listener: (error: Error) => void): unknown }
export type BullWorker = Pick<Worker, 'close' | 'waitUntilReady'> & {
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'lockRenewalFailed', listener: (jobIds: string[]) => void): unknown
  on(event: 'stalled', listener: (jobId: string) => void): unknown
}

/** One hash tag per queue: its keys share a Cluster slot, and queues spread over the slots. */
export function queuePrefix(name: string): string {
  return `{postern-${name}}`
}

/** Postgres holds what became of a job; the engine keeps nothing that has ended. */
const engineJobOptions = {
  removeOnComplete: true,
  removeOnFail: true,
} as const satisfies JobsOptions

/** Nobody reads BullMQ's event stream: outcomes are in Postgres. */
const eventsKeptMax = 100

export function openBullQueue(engine: QueueEngine, name: string): BullQueue {
  const options = {
    prefix: queuePrefix(name),
    defaultJobOptions: engineJobOptions,
    skipWaitingForReady: true,
    streams: { events: { maxLen: eventsKeptMax } },
  } satisfies Omit<QueueOptions, 'connection'>
  if (engine.backend === 'redis') {
    return new Queue(name, { ...options, connection: engine.producer })
  }
  const connection = postgresConnection(engine)
  return new Queue(name, { ...options, connection }, createPostgresBackend)
}

/** Aborting a run is the workers' own business; BullMQ's signal per job is not used. */
export function openBullWorker(
  engine: QueueEngine,
  name: string,
  processor: Processor,
  options: Omit<WorkerOptions, 'connection' | 'prefix'>,
): BullWorker {
  const prefix = queuePrefix(name)
  if (engine.backend === 'redis') {
    return new Worker(name, processor, { ...options, prefix, connection: engine.worker })
  }
  const connection = postgresConnection(engine)
  return new Worker(name, processor, { ...options, prefix, connection }, createPostgresBackend)
}

function postgresConnection({
  connectionString,
  schema,
  role,
}: Extract<QueueEngine, { backend: 'postgres' }>) {
  // BullMQ adds its `search_path` to the options.
  const options = role === undefined ? {} : { options: `-c role=${role}` }
  return { connectionString, schema, skipMigrations: true, max: 4, ...options }
}
