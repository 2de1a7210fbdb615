import type { BulkJobOptions } from 'bullmq'
import type { Cluster, Redis } from 'ioredis'
import type { Sql } from 'postgres'
import type { Log } from '../log.ts'
import { bounded } from './bounded-call.ts'
import { type BullQueue, openBullQueue, type QueueEngine, queuePrefix } from './bullmq-engine.ts'
import type { Delivery, JobQueue } from './job-queue.ts'
import { canaryKindName } from './kind.ts'

/** The name of the backoff that workers bring; BullMQ's own has no cap. */
const cappedBackoff = 'capped'

export type BullJobQueueOptions = {
  readonly engine: QueueEngine
  /** For the Postgres backend: its tables are read where BullMQ has no call that takes many ids. */
  readonly sql: Sql
  readonly log: Log
}

/** Adapter over BullMQ, on Redis or on Postgres. Jobs are added in bulk, in one round trip. */
export function bullJobQueue(options: BullJobQueueOptions): JobQueue {
  // One that still waits is not added again: without workers they would pile up.
  const canaryId = `canary-${Bun.randomUUIDv7()}`
  const { engine, log } = options
  const queues = new Map<string, BullQueue>()

  function queueOf(name: string): BullQueue {
    const known = queues.get(name)
    if (known !== undefined) return known
    const opened = openBullQueue(engine, name)
    opened.on('error', (error) => log.debug('queue.error', { kind: name, error }))
    queues.set(name, opened)
    // A queue whose first contact failed never works again, also when the engine is back.
    opened.waitUntilReady().catch(() => forget(name, opened))
    return opened
  }

  function forget(name: string, queue: BullQueue): void {
    if (queues.get(name) === queue) queues.delete(name)
    queue.close().catch((error: unknown) => log.debug('queue.error', { kind: name, error }))
  }

  function findHeld(name: string, ids: readonly string[]): Promise<Set<string>> {
    if (engine.backend === 'redis') return heldOnRedis(engine.producer, name, ids)
    return heldOnPostgres(options.sql, engine.schema, name, ids)
  }

  return {
    backend: engine.backend,
    async add(deliveries) {
      const byKind = Map.groupBy(deliveries, (delivery) => delivery.kind.name)
      await bounded(
        Promise.all([...byKind].map(([name, some]) => addAll(queueOf(name), some.map(bulkJob)))),
      )
    },
    async remove(kind, id) {
      if ((await bounded(queueOf(kind.name).remove(id))) === 1) return true
      // The Postgres backend answers 0 for a running job and for none.
      return !(await bounded(findHeld(kind.name, [id]))).has(id)
    },
    async missing(kind, ids) {
      const held = await bounded(findHeld(kind.name, ids))
      return ids.filter((id) => !held.has(id))
    },
    async setPaused(kind, paused) {
      const queue = queueOf(kind.name)
      if ((await bounded(queue.isPaused())) === paused) return
      await bounded(paused ? queue.pause() : queue.resume())
    },
    counts: (kind) => bounded(queueOf(kind.name).getJobCounts()),
    async ping() {
      const canary = { name: canaryKindName, data: {}, opts: { jobId: canaryId } }
      await bounded(queueOf(canaryKindName).addBulk([canary]))
    },
    async close() {
      await Promise.allSettled([...queues.values()].map((queue) => bounded(queue.close())))
      queues.clear()
    },
  }
}

async function heldOnPostgres(
  sql: Sql,
  schema: string,
  name: string,
  ids: readonly string[],
): Promise<Set<string>> {
  const rows = await sql<{ id: string }[]>`
    select id from ${sql(schema)}.job where queue = ${name} and id = any(${[...ids]})`
  return new Set(rows.map((row) => row.id))
}

async function heldOnRedis(
  producer: Redis | Cluster,
  name: string,
  ids: readonly string[],
): Promise<Set<string>> {
  const pipeline = producer.pipeline()
  for (const id of ids) pipeline.exists(`${queuePrefix(name)}:${name}:${id}`)
  const answers = (await pipeline.exec()) ?? []
  return new Set(
    ids.filter((_, index) => {
      const [error, exists] = answers[index] ?? [new Error('no answer'), 0]
      if (error !== null) throw error
      return exists === 1
    }),
  )
}

/** A pipeline is given every command of the client when it is made, which costs as much as some jobs. */
const addedSinglyMax = 8

async function addAll(queue: BullQueue, jobs: readonly BulkJob[]): Promise<void> {
  if (jobs.length > addedSinglyMax) await queue.addBulk([...jobs])
  else await Promise.all(jobs.map(({ name, data, opts }) => queue.add(name, data, opts)))
}

type BulkJob = { readonly name: string; readonly data: unknown; readonly opts: BulkJobOptions }

function bulkJob(delivery: Delivery): BulkJob {
  const { id, kind, payload, dispatch, timeoutMs, requestId, traceparent } = delivery
  return {
    name: kind.name,
    data: { payload, dispatch, timeoutMs, requestId, traceparent },
    opts: {
      jobId: id,
      attempts: delivery.attemptsMax,
      backoff: { type: cappedBackoff },
      ...(delivery.priority > 0 ? { priority: delivery.priority } : {}),
      ...(delivery.delayMs > 0 ? { delay: delivery.delayMs } : {}),
    },
  }
}
