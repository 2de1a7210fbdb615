import { expect, test } from 'bun:test'
import type { TransactionSql } from 'postgres'
import { PosternError } from '#core/errors.ts'
import { countRows, newJob, probeKind, submission, testCaller } from '#test/support/job-engine.ts'
import { acceptSteps, auditCounts, eventually, finished, never, openWorld } from './world.ts'

const owner = { issuer: testCaller.principal.issuer, subject: testCaller.principal.subject }
const stranger = { ...owner, subject: 'service-b' }
const nothing = () => Promise.resolve({ result: null })

function insertEffect(jobId: string, attempt: number) {
  return {
    result: null,
    effect: (transaction: TransactionSql) =>
      transaction`insert into test_effect values (${jobId}, ${attempt})`,
  }
}

test('another subject can neither see, cancel, retry, list nor watch a job', async () => {
  await using world = await openWorld()
  const { intake, jobs } = await world.accept()
  const job = newJob('a')
  await intake.accept(submission([job]))
  const signal = AbortSignal.timeout(50)
  expect(await jobs.find(job.id, stranger)).toBeUndefined()
  expect(await jobs.cancel(job.id, stranger, testCaller)).toBeUndefined()
  expect(await jobs.retry(job.id, stranger, testCaller)).toBeUndefined()
  expect(await jobs.waitFinished(job.id, stranger, { timeoutMs: 5_000, signal })).toBeUndefined()
  expect((await jobs.list({ limit: 10 }, stranger)).jobs).toEqual([])
  expect((await jobs.find(job.id, owner))?.state).toBe('accepted')
  expect(await auditCounts(world.sql)).toEqual({ 'job.accepted': 1 })
})

test('a waiting job that is cancelled is taken out of the engine and never runs', async () => {
  await using world = await openWorld()
  const { intake, jobs, queue } = await world.accept()
  const job = newJob('a', { delayMs: 60_000 })
  await intake.accept(submission([job]))
  await eventually(async () => (await queue.missing(probeKind, [job.id])).length === 0)
  const answer = await jobs.cancel(job.id, owner, testCaller)
  expect(answer).toMatchObject({ outcome: 'cancelled', run: 'not_running' })
  expect(answer?.job).toMatchObject({
    state: 'cancelled',
    problem: { type: '/problems/job.cancelled' },
  })
  expect(await queue.missing(probeKind, [job.id])).toEqual([job.id])
  expect(await auditCounts(world.sql)).toEqual({ 'job.accepted': 1, 'job.cancelled': 1 })
})

test('a running job that is cancelled is aborted on the worker that holds it', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  const [holder, other] = [
    await world.work((_, signal) => never(signal)),
    await world.work(nothing),
  ]
  await other.close()
  const [id = ''] = await acceptSteps(accepting, ['a'])
  await eventually(() => holder.workers.active() === 1)
  const answer = await accepting.jobs.cancel(id, owner, testCaller)
  expect(answer?.outcome).toBe('cancelled')
  // On a machine that is late the answer does not wait for the confirmation.
  expect(['aborted', 'not_confirmed']).toContain(answer?.run ?? '')
  await eventually(() => holder.workers.active() === 0)
  await eventually(async () => (await accepting.queue.missing(probeKind, [id])).length === 1)
  expect((await accepting.jobs.find(id, 'any'))?.state).toBe('cancelled')
})

test('a processor that ignores its cancellation has no effect', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  const gate = Promise.withResolvers<void>()
  await world.work(async ({ jobId, attempt }) => {
    await gate.promise
    return insertEffect(jobId, attempt)
  })
  const [id = ''] = await acceptSteps(accepting, ['a'])
  await eventually(async () => (await accepting.jobs.find(id, 'any'))?.state === 'running')
  const answer = await accepting.jobs.cancel(id, owner, testCaller)
  expect(answer?.outcome).toBe('cancelled')
  gate.resolve()
  await eventually(async () => (await accepting.queue.missing(probeKind, [id])).length === 1)
  expect(await countRows(world.sql, 'test_effect')).toBe(0)
  expect(await auditCounts(world.sql)).toEqual({ 'job.accepted': 1, 'job.cancelled': 1 })
})

test('a run whose worker does not answer is cancelled all the same, and the answer says so', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  const worker = await world.workElsewhere()
  const [id = ''] = await acceptSteps(accepting, ['a'])
  await worker.held
  worker.signal('SIGSTOP')
  const answer = await accepting.jobs.cancel(id, owner, testCaller)
  expect(answer).toMatchObject({ outcome: 'cancelled', run: 'not_confirmed' })
})

test('a finished job cannot be cancelled: the answer holds how it ended', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  await world.work(nothing)
  const [id = ''] = await acceptSteps(accepting, ['a'])
  await finished(accepting, id)
  const answer = await accepting.jobs.cancel(id, owner, testCaller)
  expect(answer).toMatchObject({ outcome: 'too_late', job: { state: 'completed' } })
  expect(await auditCounts(world.sql)).toEqual({ 'job.accepted': 1, 'job.completed': 1 })
})

test('cancelling while the outcome commits gives exactly one of the two', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  await world.work(({ jobId, attempt }) => Promise.resolve(insertEffect(jobId, attempt)))
  const ids = await acceptSteps(
    accepting,
    Array.from({ length: 60 }, () => 'a'),
  )
  const answers = await Promise.all(ids.map((id) => accepting.jobs.cancel(id, owner, testCaller)))
  const cancelled = answers.filter((answer) => answer?.outcome === 'cancelled').length
  await Promise.all(ids.map((id) => finished(accepting, id)))
  const counts = await auditCounts(world.sql)
  expect(counts['job.cancelled'] ?? 0).toBe(cancelled)
  expect(counts['job.completed'] ?? 0).toBe(60 - cancelled)
  expect(await countRows(world.sql, 'test_effect')).toBe(60 - cancelled)
})

test.each(['accepted', 'completed'])('a job that is %s cannot be retried', async (state) => {
  await using world = await openWorld()
  const accepting = await world.accept()
  if (state === 'completed') await world.work(nothing)
  const [id = ''] = await acceptSteps(accepting, ['a'])
  if (state === 'completed') await finished(accepting, id)
  const retry = accepting.jobs.retry(id, owner, testCaller)
  await expect(retry).rejects.toMatchObject({ code: 'job.not_retryable' })
  expect((await auditCounts(world.sql))['job.retried']).toBeUndefined()
})

test('a failed job that is retried runs again under its id and takes effect once', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  let isBroken = true
  const gate = Promise.withResolvers<void>()
  await world.work(async ({ jobId, attempt }) => {
    if (isBroken) throw new PosternError('request.body_invalid')
    await gate.promise
    return insertEffect(jobId, attempt)
  })
  const [id = ''] = await acceptSteps(accepting, ['a'])
  await finished(accepting, id)
  await eventually(async () => (await accepting.queue.missing(probeKind, [id])).length === 1)
  isBroken = false
  expect(await accepting.jobs.retry(id, owner, testCaller)).toMatchObject({
    state: expect.stringMatching(/^(accepted|running)$/),
    dispatch: 2,
    problem: undefined,
    finishedAt: undefined,
  })
  gate.resolve()
  expect((await finished(accepting, id)).state).toBe('completed')
  expect(await countRows(world.sql, 'test_effect')).toBe(1)
  expect(await auditCounts(world.sql)).toEqual({
    'job.accepted': 1,
    'job.failed': 1,
    'job.retried': 1,
    'job.completed': 1,
  })
})

test('of many retries at once one is taken', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  const [id = ''] = await acceptSteps(accepting, ['a'])
  await accepting.jobs.cancel(id, owner, testCaller)
  const retries = await Promise.allSettled(
    Array.from({ length: 8 }, () => accepting.jobs.retry(id, owner, testCaller)),
  )
  expect(retries.filter((retry) => retry.status === 'fulfilled')).toHaveLength(1)
  expect((await auditCounts(world.sql))['job.retried']).toBe(1)
})

test('a run that was cancelled and retried while it went on has no effect from its first life', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  const gate = Promise.withResolvers<void>()
  let starts = 0
  await world.work(async ({ jobId }) => {
    starts += 1
    const life = starts
    if (life === 1) await gate.promise
    return insertEffect(jobId, life)
  })
  const [id = ''] = await acceptSteps(accepting, ['a'])
  await eventually(() => starts === 1)
  await accepting.jobs.cancel(id, owner, testCaller)
  await accepting.jobs.retry(id, owner, testCaller)
  gate.resolve()
  expect((await finished(accepting, id, 18_000)).state).toBe('completed')
  const effects = await world.sql<{ attempt: number }[]>`select attempt from test_effect`
  expect(effects.map((effect) => effect.attempt)).toEqual([2])
}, 30_000)
