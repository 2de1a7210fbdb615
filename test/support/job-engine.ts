import type { Sql } from 'postgres'
import { z } from 'zod'
import type { Caller } from '#core/access/principal.ts'
import { type AuditJournal, auditJournal } from '#core/audit/journal.ts'
import type { QueueEngine } from '#core/job/bullmq-engine.ts'
import { bullJobQueue } from '#core/job/bullmq-job-queue.ts'
import { deliverWebhookKind } from '#core/job/deliver-webhook-kind.ts'
import type { NewJob, Submission } from '#core/job/intake.ts'
import { postgresJobSignals } from '#core/job/job-signals.ts'
import { defineJobKind, type JobKind } from '#core/job/kind.ts'
import { postgresOutcomeWriter } from '#core/job/outcome-writer.ts'
import { postgresIntake } from '#core/job/postgres-intake.ts'
import { postgresJobStore } from '#core/job/postgres-job-store.ts'
import { postgresQueueControl } from '#core/job/postgres-queue-control.ts'
import type { Processor } from '#core/job/processor.ts'
import { connectProducer, connectWorker } from '#core/job/redis-connect.ts'
import { confirmAborted, isSettled, noteRunning } from '#core/job/run-store.ts'
import { startSweeper } from '#core/job/sweeper.ts'
import { silentLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import type { DatabaseRole } from '#core/postgres/database-role.ts'
import { startWorkers } from '#workers/start-workers.ts'

/** A kind whose processor is given by each test. */
export const probeKind = defineJobKind({
  name: 'probe',
  scope: 'jobs:write:probe',
  summary: 'For tests',
  payload: z.strictObject({ step: z.string(), text: z.string().optional() }),
  result: z.unknown(),
  attemptsMax: 3,
  backoff: { firstMs: 50, capMs: 200 },
  timeoutMs: 30_000,
  retentionDays: 1,
  priority: 0,
  concurrency: 50,
})

const testKinds = new Map<string, JobKind>([
  ['probe', probeKind],
  ['deliver-webhook', deliverWebhookKind],
])

export const testCaller: Caller = {
  principal: {
    issuer: 'https://issuer.test',
    subject: 'service-a',
    tokenId: 'token-1',
    keyId: 'key-1',
    scopes: new Set(['jobs:write:probe', 'jobs:read']),
    expiresAt: 4_102_444_800,
  },
  clientAddress: '127.0.0.1',
  userAgent: 'test',
  requestId: 'request-1',
  traceparent: undefined,
}

export function newJob(step: string, changes: Partial<NewJob> = {}): NewJob {
  return {
    id: Bun.randomUUIDv7(),
    kind: probeKind,
    payload: { step },
    priority: 0,
    delayMs: 0,
    attemptsMax: probeKind.attemptsMax,
    timeoutMs: probeKind.timeoutMs,
    callbackUrl: undefined,
    tag: undefined,
    ...changes,
  }
}

export function submission(jobs: readonly NewJob[], key?: string): Submission {
  const idempotency =
    key === undefined
      ? undefined
      : {
          method: 'POST',
          route: '/v1/jobs/:kind',
          key,
          fingerprint: new Bun.CryptoHasher('sha256')
            .update(JSON.stringify(jobs.map((job) => job.payload)))
            .digest('hex'),
        }
  return { jobs, idempotency, caller: testCaller }
}

/** Numbers records like a process that has just started. */
export function testJournal(): AuditJournal {
  return auditJournal({ replica: 'test', epoch: 1, next: 1 })
}

export type EngineUrls = { readonly postgresUrl: string; readonly redisUrl: string }

/** The accepting half: what `serve` opens, without HTTP. */
export async function openAccepting({ postgresUrl, redisUrl }: EngineUrls) {
  const sql = openPool(postgresUrl, 4, 'postern_gateway')
  const piped = openPool(postgresUrl, 1, 'postern_gateway')
  const engine = openEngine(redisUrl)
  const log = silentLog()
  const metrics = createMetrics()
  const now = () => new Date()
  const journal = testJournal()
  const queue = bullJobQueue({ engine, sql, log })
  const intake = postgresIntake({ sql: piped, journal, queue, log, metrics, now })
  const signals = await postgresJobSignals({
    open: () => openPool(postgresUrl, 1, 'postern_gateway'),
    log,
    channels: ['finished', 'aborted'],
  })
  const sweeper = startSweeper({ sql, journal, queue, kinds: testKinds, log, metrics, now })
  const onOutbox = () => sweeper.nudge()
  const stores = { sql, journal, queue, kinds: testKinds, signals, onOutbox, now }
  return {
    sql,
    intake,
    queue,
    jobs: postgresJobStore(stores),
    queues: postgresQueueControl(stores),
    metrics,
    async close() {
      await sweeper.close()
      await intake.close()
      await signals.close()
      await queue.close()
      await sql.end({ timeout: 1 })
      await piped.end({ timeout: 1 })
      closeEngine(engine)
    },
  }
}

function openPool(url: string, max: number, role: DatabaseRole): Sql {
  return connectPostgres({ url, mode: 'development', applicationName: 'test', max, role })
}

function openEngine(url: string) {
  const redis = { url, mode: 'development', cluster: false } as const
  const producer = connectProducer(redis).on('error', () => undefined)
  const worker = connectWorker(redis).on('error', () => undefined)
  return { backend: 'redis', producer, worker } as const satisfies QueueEngine
}

function closeEngine(engine: ReturnType<typeof openEngine>): void {
  engine.producer.disconnect()
  engine.worker.disconnect()
}

/** The working half: what `work` opens. */
export async function openWorking(
  { postgresUrl, redisUrl }: EngineUrls,
  processors: readonly Processor[],
) {
  const sql = openPool(postgresUrl, 8, 'postern_worker')
  const grouped = openPool(postgresUrl, 1, 'postern_worker')
  const engine = openEngine(redisUrl)
  const log = silentLog()
  const metrics = createMetrics()
  const now = () => new Date()
  const journal = testJournal()
  const queue = bullJobQueue({ engine, sql, log })
  const sweeper = startSweeper({ sql, journal, queue, kinds: testKinds, log, metrics, now })
  const signals = await postgresJobSignals({
    open: () => openPool(postgresUrl, 1, 'postern_worker'),
    log,
    channels: ['cancel'],
  })
  const worker = 'test'
  const workers = startWorkers({
    engine,
    processors,
    outcomes: postgresOutcomeWriter({
      ...{ grouped, sql, worker, journal },
      onWebhook: () => sweeper.nudge(),
    }),
    isSettled: (jobId) => isSettled(sql, jobId),
    confirmAborted: (jobId) => confirmAborted(sql, jobId),
    noteRunning: (notes) => noteRunning(sql, notes, worker),
    onCancel: (listener) => signals.listen('cancel', listener),
    onCanary: () => undefined,
    log,
    metrics,
    now,
  })
  return {
    sql,
    metrics,
    workers,
    async close(deadlineMs = 5_000) {
      await workers.drain(deadlineMs)
      await sweeper.close()
      await signals.close()
      await queue.close()
      await grouped.end({ timeout: 1 })
      await sql.end({ timeout: 1 })
      closeEngine(engine)
    },
  }
}

export async function countRows(sql: Sql, table: string): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::integer as count from ${sql(table)}`
  return row?.count ?? 0
}
