import { expect, test } from 'bun:test'
import type { TransactionSql } from 'postgres'
import { countRows, newJob, probeKind, submission } from '#test/support/job-engine.ts'
import { startPostgres } from '#test/support/postgres-server.ts'
import { startRedis } from '#test/support/redis-server.ts'
import {
  acceptSteps,
  applyMigrations,
  auditCounts,
  eventually,
  finished,
  never,
  openWorld,
  worldOn,
} from './world.ts'

const steps = (count: number) => Array.from({ length: count }, (_, index) => `step-${index}`)

/** A world whose servers the test may stop. */
async function openFragileWorld() {
  const [server, redis] = await Promise.all([startPostgres(), startRedis()])
  await applyMigrations(server.url)
  const world = await worldOn({ postgresUrl: server.url, redisUrl: redis.url })
  return {
    ...world,
    server,
    redis,
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]()
      await redis.stop('SIGKILL')
      await server.stop('immediate')
    },
  }
}

function effectOf(jobId: string, attempt: number) {
  return {
    result: null,
    effect: (transaction: TransactionSql) =>
      transaction`insert into test_effect values (${jobId}, ${attempt})`,
  }
}

test('what the engine lost is dispatched again, and what runs on takes effect once', async () => {
  await using world = await openFragileWorld()
  const accepting = await world.accept()
  const gate = Promise.withResolvers<void>()
  await world.work(async ({ jobId, attempt }) => {
    await gate.promise
    return effectOf(jobId, attempt)
  })
  const ids = await acceptSteps(accepting, steps(120))
  await eventually(async () => (await accepting.queue.missing(probeKind, ids)).length === 0)
  await world.redis.flushAll()
  gate.resolve()
  const jobs = await Promise.all(ids.map((id) => finished(accepting, id, 28_000)))
  expect(jobs.every((job) => job.state === 'completed')).toBe(true)
  expect(await countRows(world.sql, 'test_effect')).toBe(120)
  expect(await auditCounts(world.sql)).toEqual({ 'job.accepted': 120, 'job.completed': 120 })
}, 40_000)

test('with Redis down jobs are accepted, and dispatched when it is back', async () => {
  await using world = await openFragileWorld()
  const waiting = await acceptedWithoutRedis(world, 50)
  await waiting.areDispatched()
  expect(await countRows(world.sql, 'test_effect')).toBe(50)
}, 40_000)

test('a claim from before the clock of Postgres was set back binds nobody', async () => {
  await using world = await openFragileWorld()
  const waiting = await acceptedWithoutRedis(world, 5)
  const claimed = await world.sql`
    update postern_outbox set due_at = now() + interval '24 hours'`
  expect(claimed.count).toBeGreaterThan(0)
  await waiting.areDispatched()
}, 40_000)

/** Jobs that only the outbox has; they are dispatched once Redis is started again. */
async function acceptedWithoutRedis(
  world: Awaited<ReturnType<typeof openFragileWorld>>,
  count: number,
) {
  const accepting = await world.accept()
  await world.work(({ jobId, attempt }) => Promise.resolve(effectOf(jobId, attempt)))
  await world.redis.stop('SIGKILL')
  const ids = await acceptSteps(accepting, steps(count))
  expect(await countRows(world.sql, 'postern_outbox')).toBeGreaterThan(0)
  return {
    async areDispatched(): Promise<void> {
      await world.redis.start()
      await Promise.all(ids.map((id) => finished(accepting, id, 20_000)))
      await eventually(async () => (await countRows(world.sql, 'postern_outbox')) === 0)
    },
  }
}

test('a large backlog of batches is dispatched although one call could not carry it', async () => {
  await using world = await openFragileWorld()
  const accepting = await world.accept()
  await world.redis.stop('SIGKILL')
  const text = 'x'.repeat(2_000)
  for (let batch = 0; batch < 6; batch += 1) {
    const jobs = Array.from({ length: 1_000 }, () =>
      newJob('a', { payload: { step: 'a', text }, delayMs: 3_600_000 }),
    )
    await accepting.intake.accept(submission(jobs))
  }
  await world.redis.start()
  await eventually(async () => (await countRows(world.sql, 'postern_outbox')) === 0, 30_000)
  expect(await accepting.queue.counts(probeKind)).toMatchObject({ delayed: 6_000 })
}, 60_000)

test('with Postgres down an acceptance is refused as an outage, and none after it is back', async () => {
  await using world = await openFragileWorld()
  const accepting = await world.accept()
  await acceptSteps(accepting, ['before'])
  await world.server.stop()
  for (const step of ['a', 'b']) {
    const refused = accepting.intake.accept(submission([newJob(step)]))
    await expect(refused).rejects.toMatchObject({
      code: 'database.unavailable',
      retryAfterSeconds: 1,
    })
  }
  await world.server.start()
  await eventually(() => acceptSteps(accepting, ['after']).catch(() => undefined))
  expect(await countRows(world.sql, 'postern_job')).toBe(2)
})

test('a restart of Postgres under running jobs spends none of their attempts', async () => {
  await using world = await openFragileWorld()
  const accepting = await world.accept()
  const gate = Promise.withResolvers<void>()
  const attempts: number[] = []
  await world.work(async ({ jobId, attempt }) => {
    attempts.push(attempt)
    await gate.promise
    return effectOf(jobId, attempt)
  })
  const jobs = steps(40).map((step) => newJob(step, { attemptsMax: 1 }))
  await accepting.intake.accept(submission(jobs))
  await eventually(() => attempts.length === jobs.length)
  await world.server.stop()
  gate.resolve()
  // Every job comes back at least once while Postgres is away.
  await eventually(async () => {
    const { active = 0, delayed = 0 } = await accepting.queue.counts(probeKind)
    return active === 0 && delayed === jobs.length
  })
  await Bun.sleep(3_500)
  await world.server.start()
  await eventually(() => accepting.jobs.list({ limit: 1 }, 'any').catch(() => undefined))
  const ended = await Promise.all(jobs.map((job) => finished(accepting, job.id, 20_000)))
  expect(ended.map((job) => [job.state, job.dispatch])).toEqual(jobs.map(() => ['completed', 1]))
  expect(new Set(attempts)).toEqual(new Set([1]))
  expect(await countRows(world.sql, 'test_effect')).toBe(40)
}, 60_000)

test('a cancellation reaches its worker after Postgres was away', async () => {
  await using world = await openFragileWorld()
  const accepting = await world.accept()
  const working = await world.work((_, signal) => never(signal))
  await world.server.stop()
  await Bun.sleep(1_000)
  await world.server.start()
  const [id = ''] = await eventually(() => acceptSteps(accepting, ['a']).catch(() => undefined))
  await eventually(() => working.workers.active() === 1)
  await eventually(async () => {
    const rows = await world.sql`
      select 1 from pg_stat_activity where query like 'listen "postern_cancel"%'`.catch(() => [])
    return rows.length > 0
  })
  const { principal } = submission([]).caller
  const answer = await accepting.jobs.cancel(id, principal, submission([]).caller)
  expect(answer?.outcome).toBe('cancelled')
  await eventually(() => working.workers.active() === 0)
}, 40_000)

test('a worker that died without a word is replaced, and its jobs take effect once', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  const doomed = await world.workElsewhere()
  const ids = await acceptSteps(accepting, steps(30))
  await doomed.held
  doomed.signal('SIGKILL')
  const working = await world.work(({ jobId, attempt }) =>
    Promise.resolve(effectOf(jobId, attempt)),
  )
  const jobs = await Promise.all(ids.map((id) => finished(accepting, id, 35_000)))
  expect(jobs.every((job) => job.state === 'completed')).toBe(true)
  expect(await countRows(world.sql, 'test_effect')).toBe(30)
  expect(await working.metrics.registry.metrics()).toMatch(
    /^postern_jobs_stalled_total\{kind="probe"\} [1-9]/m,
  )
}, 60_000)
