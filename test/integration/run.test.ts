import { expect, test } from 'bun:test'
import { PosternError } from '#core/errors.ts'
import { countRows, newJob, submission } from '#test/support/job-engine.ts'
import {
  acceptSteps,
  auditCounts,
  eventually,
  finished,
  never,
  openWorld,
  problemCode,
} from './world.ts'

const nothing = () => Promise.resolve({ result: null })

test('every accepted job ends once, with its effect, outcome and audit record', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  await world.work(({ jobId, attempt }) =>
    Promise.resolve({
      result: { done: jobId },
      effect: (transaction) => transaction`insert into test_effect values (${jobId}, ${attempt})`,
    }),
  )
  const ids = await acceptSteps(
    accepting,
    Array.from({ length: 200 }, (_, index) => `step-${index}`),
  )
  const jobs = await Promise.all(ids.map((id) => finished(accepting, id)))
  expect(jobs.map((job) => job.state)).toEqual(ids.map(() => 'completed'))
  expect(jobs.map((job) => job.result)).toEqual(ids.map((id) => ({ done: id })))
  expect(await countRows(world.sql, 'test_effect')).toBe(200)
  expect(await auditCounts(world.sql)).toEqual({ 'job.accepted': 200, 'job.completed': 200 })
  await eventually(async () => (await countRows(world.sql, 'postern_outbox')) === 0)
})

test('a refusal is final: it is stored once and never tried again', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  let attempts = 0
  await world.work(() => {
    attempts += 1
    throw new PosternError('request.body_invalid', { detail: 'The wallet is closed.' })
  })
  const [id = ''] = await acceptSteps(accepting, ['a'])
  const job = await finished(accepting, id)
  expect(job.state).toBe('failed')
  expect(job.problem).toMatchObject({
    type: '/problems/request.body_invalid',
    status: 422,
    detail: 'The wallet is closed.',
  })
  await eventually(async () => (await accepting.queue.missing(probe(), [id])).length === 1)
  expect(attempts).toBe(1)
  expect(await auditCounts(world.sql)).toEqual({ 'job.accepted': 1, 'job.failed': 1 })
})

test('a payload that no longer matches its kind is refused without running', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  let attempts = 0
  await world.work(() => {
    attempts += 1
    return nothing()
  })
  const job = newJob('a', { payload: { step: 1, extra: true } })
  await accepting.intake.accept(submission([job]))
  expect(problemCode((await finished(accepting, job.id)).problem)).toBe('job.payload_refused')
  expect(attempts).toBe(0)
})

test('an outage is tried again with backoff and then fails with its own problem', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  const attempts: number[] = []
  await world.work(({ attempt }) => {
    attempts.push(attempt)
    throw new PosternError('webhook.unreachable')
  })
  const [id = ''] = await acceptSteps(accepting, ['a'])
  expect(problemCode((await finished(accepting, id)).problem)).toBe('webhook.unreachable')
  expect(attempts).toEqual([1, 2, 3])
})

test('an outage that passes leaves a completed job', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  await world.work(({ attempt }) => {
    if (attempt < 3) throw new PosternError('webhook.unreachable')
    return Promise.resolve({ result: { attempt } })
  })
  const [id = ''] = await acceptSteps(accepting, ['a'])
  expect(await finished(accepting, id)).toMatchObject({
    state: 'completed',
    result: { attempt: 3 },
  })
})

test('a bug fails the job as internal and tells the caller nothing else', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  await world.work(() => {
    throw new TypeError('secret word of the stack')
  })
  const job = newJob('a', { attemptsMax: 1 })
  await accepting.intake.accept(submission([job]))
  const { problem } = await finished(accepting, job.id)
  expect(problem).toEqual({ type: '/problems/internal', title: 'Internal error', status: 500 })
})

test.each([
  ['cooperative', never],
  ['deaf', () => new Promise<never>(() => undefined)],
])('a %s processor past its timeout fails with job.timed_out', async (_, hang) => {
  await using world = await openWorld()
  const accepting = await world.accept()
  await world.work((_attempt, signal) => hang(signal))
  const job = newJob('a', { attemptsMax: 1, timeoutMs: 100 })
  await accepting.intake.accept(submission([job]))
  expect(problemCode((await finished(accepting, job.id)).problem)).toBe('job.timed_out')
})

test('a timeout is an outage: the next attempt may be in time', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  await world.work(({ attempt }, signal) => (attempt === 1 ? never(signal) : nothing()))
  const job = newJob('a', { timeoutMs: 1_000 })
  await accepting.intake.accept(submission([job]))
  expect((await finished(accepting, job.id)).state).toBe('completed')
})

test.each([
  ['a result', () => Promise.resolve({ result: { text: 'a\u0000b' } })],
  ['a result with a lone surrogate', () => Promise.resolve({ result: { text: '\ud800' } })],
  [
    'the detail of a refusal',
    () => {
      throw new PosternError('request.body_invalid', { detail: 'a\u0000b' })
    },
  ],
])('%s that Postgres cannot hold ends the job and fails no neighbour', async (_, work) => {
  await using world = await openWorld()
  const accepting = await world.accept()
  await world.work(({ payload }) => (payload.step === 'bad' ? work() : nothing()))
  const bad = newJob('bad', { attemptsMax: 1 })
  const good = Array.from({ length: 20 }, () => newJob('good'))
  await accepting.intake.accept(submission([...good, bad]))
  const ended = await Promise.all(good.map((job) => finished(accepting, job.id)))
  expect(ended.every((job) => job.state === 'completed')).toBe(true)
  expect(problemCode((await finished(accepting, bad.id)).problem)).toBe('internal')
})

test('an effect that Postgres refuses is rolled back with its outcome, and the job fails', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  await world.work(({ jobId }) =>
    Promise.resolve({
      result: null,
      effect: async (transaction) => {
        await transaction`insert into test_effect values (${jobId}, 1)`
        await transaction`insert into test_effect values (${jobId}, null)`
      },
    }),
  )
  const job = newJob('a', { attemptsMax: 1 })
  await accepting.intake.accept(submission([job]))
  expect(problemCode((await finished(accepting, job.id)).problem)).toBe('internal')
  expect(await countRows(world.sql, 'test_effect')).toBe(0)
  expect(await auditCounts(world.sql)).toEqual({ 'job.accepted': 1, 'job.failed': 1 })
})

test('a delayed job does not run before its time', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  await world.work(() => Promise.resolve({ result: { at: Date.now() } }))
  const acceptedAt = Date.now()
  const job = newJob('a', { delayMs: 400 })
  await accepting.intake.accept(submission([job]))
  const { startedAt = '' } = await finished(accepting, job.id)
  expect(Date.parse(startedAt)).toBeGreaterThanOrEqual(acceptedAt + 400)
})

test('lower priority numbers run first, equal ones in the order of acceptance', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  const order: string[] = []
  const steps = [2, 0, 1, 0].map((priority, index) => newJob(`${priority}-${index}`, { priority }))
  await accepting.queues.pause('probe', submission([]).caller)
  for (const job of steps) await accepting.intake.accept(submission([job]))
  await world.work(({ payload }) => {
    order.push(payload.step)
    return nothing()
  })
  await accepting.queues.resume('probe', submission([]).caller)
  await Promise.all(steps.map((job) => finished(accepting, job.id)))
  expect(order).toEqual(['0-1', '0-3', '1-2', '2-0'])
})

test('a long run is seen as running, with its attempt and worker', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  const gate = Promise.withResolvers<void>()
  await world.work(async () => {
    await gate.promise
    return { result: null }
  })
  const [id = ''] = await acceptSteps(accepting, ['a'])
  const running = await eventually(async () => {
    const job = await accepting.jobs.find(id, 'any')
    return job?.state === 'running' && job
  })
  expect(running).toMatchObject({ attempt: 1, dispatch: 1, finishedAt: undefined })
  gate.resolve()
  expect((await finished(accepting, id)).startedAt).toBe(running.startedAt)
})

test('a shutdown puts running jobs back and spends none of their attempts', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  const first = await world.work((_, signal) => never(signal))
  const deaf = newJob('a', { attemptsMax: 1 })
  await accepting.intake.accept(submission([deaf]))
  await eventually(() => first.workers.active() === 1)
  await first.close(50)
  const attempts: number[] = []
  await world.work(({ attempt }) => {
    attempts.push(attempt)
    return nothing()
  })
  expect((await finished(accepting, deaf.id)).state).toBe('completed')
  expect(attempts).toEqual([1])
})

test('a shutdown lets a run end that ends before the deadline', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  const gate = Promise.withResolvers<void>()
  const working = await world.work(async () => {
    await gate.promise
    return { result: 'ended' }
  })
  const [id = ''] = await acceptSteps(accepting, ['a'])
  await eventually(() => working.workers.active() === 1)
  const closed = working.close(10_000)
  gate.resolve()
  await closed
  expect((await accepting.jobs.find(id, 'any'))?.state).toBe('completed')
})

function probe() {
  return newJob('a').kind
}
