import { expect, test } from 'bun:test'
import { PosternError } from '#core/errors.ts'
import { newJob, probeKind, submission, testCaller } from '#test/support/job-engine.ts'
import {
  type Accepting,
  acceptSteps,
  auditCounts,
  eventually,
  finished,
  never,
  openWorld,
  problemCode,
} from './world.ts'

const nothing = () => Promise.resolve({ result: null })
const steps = (count: number) => Array.from({ length: count }, (_, index) => `step-${index}`)

async function statusOf(accepting: Accepting) {
  const statuses = await accepting.queues.status()
  return statuses.find((status) => status.kind === 'probe')
}

test('an unknown queue is not found', async () => {
  await using world = await openWorld()
  const { queues } = await world.accept()
  await expect(queues.pause('other', testCaller)).rejects.toMatchObject({ code: 'queue.not_found' })
  await expect(queues.drain('other', testCaller)).rejects.toMatchObject({ code: 'queue.not_found' })
  const replay = queues.replayFailed('other', 1, testCaller)
  await expect(replay).rejects.toMatchObject({ code: 'queue.not_found' })
  expect(await auditCounts(world.sql)).toEqual({})
})

test('a paused queue accepts and runs nothing until it is resumed', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  let runs = 0
  await world.work(() => {
    runs += 1
    return nothing()
  })
  await accepting.queues.pause('probe', testCaller)
  const ids = await acceptSteps(accepting, steps(5))
  await eventually(async () => (await accepting.queue.missing(probeKind, ids)).length === 0)
  expect(await statusOf(accepting)).toMatchObject({ paused: true, accepted: 5, running: 0 })
  expect(runs).toBe(0)
  await accepting.queues.resume('probe', testCaller)
  await Promise.all(ids.map((id) => finished(accepting, id)))
  expect(await auditCounts(world.sql)).toMatchObject({ 'queue.paused': 1, 'queue.resumed': 1 })
})

test('drain cancels what has not begun, each with its record, and leaves what runs', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  const gate = Promise.withResolvers<void>()
  const working = await world.work(async () => {
    await gate.promise
    return { result: null }
  })
  const [held = ''] = await acceptSteps(accepting, ['held'])
  await eventually(async () => (await accepting.jobs.find(held, 'any'))?.state === 'running')
  await accepting.queues.pause('probe', testCaller)
  const waiting = await acceptSteps(accepting, steps(520))
  expect(await accepting.queues.drain('probe', testCaller)).toBe(520)
  gate.resolve()
  const jobs = await Promise.all(waiting.map((id) => finished(accepting, id)))
  expect(jobs.every((job) => problemCode(job.problem) === 'job.cancelled')).toBe(true)
  expect((await finished(accepting, held)).state).toBe('completed')
  await eventually(async () => working.workers.active() === 0)
  const counts = await auditCounts(world.sql)
  expect(counts['job.cancelled']).toBe(520)
  expect(counts['queue.drained']).toBeGreaterThanOrEqual(1)
  // What was on its way to the engine while it was drained is in there, and fenced when it runs.
  await accepting.queues.resume('probe', testCaller)
  await eventually(async () => (await accepting.queue.missing(probeKind, waiting)).length === 520)
  const after = await Promise.all(waiting.map((id) => accepting.jobs.find(id, 'any')))
  expect(new Set(after.map((job) => job?.state))).toEqual(new Set(['cancelled']))
})

test('replay retries every failed job once, and none twice that fails again at once', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  await world.work(() => {
    throw new PosternError('request.body_invalid')
  })
  // More than a page, so that jobs of the first have failed again when the second is read.
  const ids = await acceptSteps(accepting, steps(1_200))
  await Promise.all(ids.map((id) => finished(accepting, id, 60_000)))
  await eventually(async () => (await accepting.queue.missing(probeKind, ids)).length === 1_200)
  expect(await accepting.queues.replayFailed('probe', 1_000_000, testCaller)).toBe(1_200)
  await Promise.all(ids.map((id) => finished(accepting, id, 60_000)))
  expect(await auditCounts(world.sql)).toEqual({
    'job.accepted': 1_200,
    'job.failed': 2_400,
    'job.retried': 1_200,
  })
}, 180_000)

test('replay takes the oldest first and no more than its limit', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  const working = await world.work(() => {
    throw new PosternError('request.body_invalid')
  })
  const ids = await acceptSteps(accepting, steps(4))
  await Promise.all(ids.map((id) => finished(accepting, id)))
  await working.close()
  expect(await accepting.queues.replayFailed('probe', 3, testCaller)).toBe(3)
  const states = await Promise.all(ids.sort().map((id) => accepting.jobs.find(id, 'any')))
  expect(states.map((job) => job?.state)).toEqual(['accepted', 'accepted', 'accepted', 'failed'])
})

test('status tells what Postgres holds and what the engine holds', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  await world.work((_, signal) => never(signal))
  const later = newJob('later', { delayMs: 60_000 })
  await accepting.intake.accept(submission([later]))
  await acceptSteps(accepting, ['now'])
  const status = await eventually(async () => {
    const seen = await statusOf(accepting)
    return seen?.running === 1 && seen
  })
  expect(status).toMatchObject({
    accepted: 1,
    running: 1,
    failed: 0,
    paused: false,
    engine: { active: 1, delayed: 1 },
  })
})
