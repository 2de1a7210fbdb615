import { afterAll, beforeAll, expect, test } from 'bun:test'
import postgres, { type Sql } from 'postgres'
import { deliverWebhookKind } from '#core/job/deliver-webhook-kind.ts'
import { reconciler } from '#core/job/reconciler.ts'
import { silentLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { testJournal } from '#test/support/job-engine.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'
import { memoryJobQueue } from '../contract/memory-job-queue.ts'

const kind = deliverWebhookKind
let sql: Sql

beforeAll(async () => {
  sql = postgres(await (await sharedPostgres()).createDatabase(), { onnotice: () => undefined })
  await migrate({ sql, queue: 'redis' })
})
afterAll(() => sql.end({ timeout: 1 }))

/** An unfinished job of a minute ago that the engine does not hold. */
async function lostJob(dispatch: number): Promise<string> {
  const id = Bun.randomUUIDv7()
  await sql`
    insert into postern_job (id, kind, issuer, subject, payload, priority, attempts_max, timeout_ms,
      request_id, accepted_at, dispatch)
    values (${id}, ${kind.name}, 'issuer', 'subject', '{}', 0, 1, 1000, 'request',
      now() - interval '1 minute', ${dispatch})`
  return id
}

function compare(queue = memoryJobQueue()) {
  const reconcile = reconciler({
    sql,
    journal: testJournal(),
    queue,
    kinds: new Map([[kind.name, kind]]),
    log: silentLog(),
    metrics: createMetrics(),
    now: () => new Date(),
  })
  return { queue, reconcile }
}

test('a job lost by the engine is dispatched again, once for each loss', async () => {
  const id = await lostJob(1)
  const { queue, reconcile } = compare()
  await reconcile()
  await reconcile()
  expect(queue.held().map((delivery) => [delivery.id, delivery.dispatch])).toEqual([[id, 2]])
  await sql`delete from postern_job where id = ${id}`
  await sql`delete from postern_lease`
})

test('a job lost ten times ends as job.dispatches_exhausted, with one audit record', async () => {
  const id = await lostJob(10)
  const { queue, reconcile } = compare()
  await reconcile()
  await reconcile()
  expect(queue.held()).toEqual([])
  const [job] = await sql`select state, problem->>'type' as type from postern_job where id = ${id}`
  expect(job).toEqual({ state: 'failed', type: '/problems/job.dispatches_exhausted' })
  const records = await sql`
    select convert_from(body, 'UTF8')::jsonb->>'reason' as reason from postern_audit_intake
    where convert_from(body, 'UTF8')::jsonb->>'target' = ${`job/${id}`}`
  expect([...records]).toEqual([{ reason: 'job.dispatches_exhausted' }])
})
