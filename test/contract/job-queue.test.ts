import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { PosternError } from '#core/errors.ts'
import type { Delivery, JobQueue } from '#core/job/job-queue.ts'
import { defineJobKind } from '#core/job/kind.ts'
import { eventually } from '#test/integration/world.ts'
import { probeKind } from '#test/support/job-engine.ts'
import { type QueueWorld, queueWorlds } from './queue-worlds.ts'

setDefaultTimeout(60_000)

/** Every call of the port ends within this, whatever the engine does; the rest is the clock's. */
const boundMs = 5_000

let kindsMade = 0
/** A queue of its own for each test. */
function freshKind() {
  kindsMade += 1
  return defineJobKind({ ...probeKind, name: `probe-${kindsMade}` })
}

function delivery(kind: Delivery['kind'], changes: Partial<Delivery> = {}): Delivery {
  return {
    id: Bun.randomUUIDv7(),
    kind,
    payload: { step: 'a' },
    dispatch: 1,
    priority: 0,
    delayMs: 0,
    attemptsMax: 3,
    timeoutMs: 1_000,
    requestId: 'request-1',
    traceparent: undefined,
    ...changes,
  }
}

const calls: readonly (readonly [string, (queue: JobQueue) => Promise<unknown>])[] = [
  ['add', (queue) => queue.add([delivery(probeKind)])],
  ['remove', (queue) => queue.remove(probeKind, Bun.randomUUIDv7())],
  ['missing', (queue) => queue.missing(probeKind, [Bun.randomUUIDv7()])],
  ['setPaused', (queue) => queue.setPaused(probeKind, true)],
  ['counts', (queue) => queue.counts(probeKind)],
  ['ping', (queue) => queue.ping()],
]

async function outcomeOf(name: string, call: Promise<unknown>) {
  const started = performance.now()
  const code = await call.then(
    () => 'answered',
    (error: unknown) => (error instanceof PosternError ? error.code : error),
  )
  return { name, code, isInTime: performance.now() - started < boundMs }
}

function succeeds(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => true,
    () => false,
  )
}

describe.each(queueWorlds)('on %s', (_, openWorld) => {
  let world: QueueWorld
  beforeAll(async () => {
    world = await openWorld()
    await eventually(() => world.queue.counts(probeKind).catch(() => undefined))
  })
  afterAll(() => world.close())

  test('a job that is still there is not added twice and keeps its first data', async () => {
    const kind = freshKind()
    const first = delivery(kind, { payload: { step: 'first' } })
    await world.queue.add([first])
    await world.queue.add([{ ...first, payload: { step: 'second' } }, delivery(kind)])
    const worker = world.startWorker(kind)
    await eventually(() => worker.received.length === 2)
    const got = worker.received.filter((one) => one.id === first.id)
    expect(got).toHaveLength(1)
    expect(got[0]?.data).toMatchObject({ payload: { step: 'first' } })
    worker.release()
    await worker.close()
  })

  test('a payload arrives as it was sent, whatever its characters', async () => {
    const kind = freshKind()
    const payload = { step: 'ä€𝄞"\\\n\t\u2028', deep: [1.5, 0, 1e21, null, { '': true }] }
    const sent = delivery(kind, { payload, traceparent: '00-1-2-01', dispatch: 7 })
    await world.queue.add([sent])
    const worker = world.startWorker(kind)
    await eventually(() => worker.received.length === 1)
    expect(worker.received[0]?.data).toEqual({
      payload,
      dispatch: 7,
      timeoutMs: 1_000,
      requestId: 'request-1',
      traceparent: '00-1-2-01',
    })
    worker.release()
    await worker.close()
  })

  test('a thousand jobs are added in one call', async () => {
    const kind = freshKind()
    const jobs = Array.from({ length: 1_000 }, () => delivery(kind))
    await world.queue.add(jobs)
    const ids = jobs.map((job) => job.id)
    expect(await world.queue.missing(kind, ids)).toEqual([])
    expect(await world.queue.counts(kind)).toMatchObject({ waiting: 1_000 })
  })

  test('jobs of several kinds in one call reach each their queue', async () => {
    const [one, two] = [freshKind(), freshKind()]
    await world.queue.add([delivery(one), delivery(two), delivery(one)])
    expect(await world.queue.counts(one)).toMatchObject({ waiting: 2 })
    expect(await world.queue.counts(two)).toMatchObject({ waiting: 1 })
  })

  test('missing names exactly what the engine does not hold, in the order asked', async () => {
    const kind = freshKind()
    const [held, delayed] = [delivery(kind), delivery(kind, { delayMs: 60_000 })]
    await world.queue.add([held, delayed])
    const [a, b] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()]
    expect(await world.queue.missing(kind, [b, held.id, a, delayed.id])).toEqual([b, a])
    expect(await world.queue.missing(kind, [])).toEqual([])
  })

  test('waiting and delayed jobs are removed and do not run; nothing held is as good', async () => {
    const kind = freshKind()
    const [waiting, delayed, kept] = [
      delivery(kind),
      delivery(kind, { delayMs: 60_000 }),
      delivery(kind),
    ]
    await world.queue.add([waiting, delayed, kept])
    expect(await world.queue.remove(kind, waiting.id)).toBe(true)
    expect(await world.queue.remove(kind, delayed.id)).toBe(true)
    expect(await world.queue.remove(kind, waiting.id)).toBe(true)
    const worker = world.startWorker(kind)
    await eventually(() => worker.received.length === 1)
    expect(worker.received[0]?.id).toBe(kept.id)
    worker.release()
    await worker.close()
  })

  test('a running job is not removed, and is gone once it has ended', async () => {
    const kind = freshKind()
    const job = delivery(kind)
    await world.queue.add([job])
    const worker = world.startWorker(kind)
    await eventually(() => worker.received.length === 1)
    expect(await world.queue.remove(kind, job.id)).toBe(false)
    expect(await world.queue.missing(kind, [job.id])).toEqual([])
    expect(await world.queue.counts(kind)).toMatchObject({ active: 1 })
    worker.release()
    await eventually(async () => (await world.queue.missing(kind, [job.id])).length === 1)
    await worker.close()
    await world.queue.add([job])
    expect(await world.queue.missing(kind, [job.id])).toEqual([])
  })

  test('a paused queue takes jobs and starts none; pausing twice is pausing once', async () => {
    const kind = freshKind()
    await world.queue.setPaused(kind, true)
    await world.queue.setPaused(kind, true)
    await world.queue.add([delivery(kind)])
    const worker = world.startWorker(kind)
    await Bun.sleep(300)
    expect(worker.received).toEqual([])
    await world.queue.setPaused(kind, false)
    await world.queue.setPaused(kind, false)
    await eventually(() => worker.received.length === 1)
    worker.release()
    await worker.close()
  })

  const absences = [
    ['down', (to: QueueWorld) => to.down(), (to: QueueWorld) => to.up()],
    ['silent', (to: QueueWorld) => to.freeze(), (to: QueueWorld) => to.thaw()],
  ] as const
  test.each(absences)(
    'while the engine is %s every call fails in time, and works when it is back',
    async (_how, leave, comeBack) => {
      const kind = freshKind()
      const kept = delivery(kind)
      await world.queue.add([kept])
      await leave(world)
      // One that has never met its engine must come to life as well.
      const queues = [world.queue, world.openAnother()]
      const outcomes = await Promise.all(
        queues.flatMap((queue) => calls.map(([name, call]) => outcomeOf(name, call(queue)))),
      )
      expect(outcomes).toEqual(
        queues.flatMap(() =>
          calls.map(([name]) => ({ name, code: 'queue.unavailable', isInTime: true })),
        ),
      )
      await comeBack(world)
      for (const queue of queues) {
        for (const [, call] of calls) await eventually(() => succeeds(call(queue)), 20_000)
        await queue.setPaused(probeKind, false)
      }
      expect(await world.queue.missing(kind, [kept.id])).toEqual([])
    },
  )

  test('a worker takes jobs again after its engine was away', async () => {
    const kind = freshKind()
    const worker = world.startWorker(kind)
    await world.queue.add([delivery(kind)])
    await eventually(() => worker.received.length === 1)
    await world.down()
    await world.up()
    const after = delivery(kind)
    await eventually(
      () =>
        world.queue
          .add([after])
          .then(() => true)
          .catch(() => undefined),
      20_000,
    )
    await eventually(() => worker.received.some((one) => one.id === after.id), 30_000)
    worker.release()
    await worker.close()
  })
})
