import { expect, test } from 'bun:test'
import type { JobChange, JobFilter } from '#core/job/job-store.ts'
import { newJob, submission, testCaller } from '#test/support/job-engine.ts'
import { type Accepting, acceptSteps, eventually, finished, never, openWorld } from './world.ts'

const owner = { issuer: testCaller.principal.issuer, subject: testCaller.principal.subject }
const nothing = () => Promise.resolve({ result: null })

async function allPages(accepting: Accepting, filter: Omit<JobFilter, 'limit'>): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | undefined
  do {
    const page = await accepting.jobs.list({ ...filter, limit: 3, cursor }, owner)
    expect(page.jobs.length).toBeLessThanOrEqual(3)
    ids.push(...page.jobs.map((job) => job.id))
    cursor = page.next
  } while (cursor !== undefined)
  return ids
}

test('a list gives every job once, newest first, whatever the page size', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  const jobs = Array.from({ length: 10 }, (_, index) =>
    newJob('a', { tag: index % 2 === 0 ? 'even' : 'odd' }),
  )
  for (const job of jobs) await accepting.intake.accept(submission([job]))
  const newestFirst = jobs.map((job) => job.id).reverse()
  expect(await allPages(accepting, {})).toEqual(newestFirst)
  expect(await allPages(accepting, { tag: 'odd' })).toEqual(
    newestFirst.filter((_, index) => index % 2 === 0),
  )
  expect(await allPages(accepting, { state: 'completed' })).toEqual([])
  expect(await allPages(accepting, { kind: 'other' })).toEqual([])
  expect(await allPages(accepting, { subject: owner.subject })).toEqual(newestFirst)
  expect(await allPages(accepting, { subject: 'somebody-else' })).toEqual([])
})

test('the bounds of a list are inclusive below and exclusive above', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  const [id = ''] = await acceptSteps(accepting, ['a'])
  const at = (await accepting.jobs.find(id, 'any'))?.acceptedAt
  expect(await allPages(accepting, { since: at })).toEqual([id])
  expect(await allPages(accepting, { until: at })).toEqual([])
})

test('a wait ends with the outcome, with its time, or with its caller', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  const gate = Promise.withResolvers<void>()
  await world.work(async () => {
    await gate.promise
    return { result: 'here' }
  })
  const [id = ''] = await acceptSteps(accepting, ['a'])
  const open = new AbortController().signal
  const inTime = await accepting.jobs.waitFinished(id, owner, { timeoutMs: 100, signal: open })
  expect(inTime?.finishedAt).toBeUndefined()
  const gone = AbortSignal.timeout(50)
  const left = await accepting.jobs.waitFinished(id, owner, { timeoutMs: 60_000, signal: gone })
  expect(left?.finishedAt).toBeUndefined()
  const waits = Array.from({ length: 20 }, () =>
    accepting.jobs.waitFinished(id, owner, { timeoutMs: 10_000, signal: open }),
  )
  gate.resolve()
  for (const job of await Promise.all(waits)) expect(job?.result).toBe('here')
})

/** A stream without a cursor begins when it is read for the first time, which may be after the first job. */
const beforeEverything = '0.00000000-0000-0000-0000-000000000000'

function watch(
  accepting: Accepting,
  scope: { job: string } | { kind: string },
  cursor: string | undefined,
) {
  const seen: JobChange[] = []
  const stop = new AbortController()
  const ended = (async () => {
    const stream = accepting.jobs.changes(scope, owner, { cursor, signal: stop.signal })
    for await (const change of stream) seen.push(change)
  })()
  return {
    seen,
    async stop() {
      stop.abort()
      await ended
    },
  }
}

test('a stream of one job begins with the job as it is and ends with how it ended', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  const gate = Promise.withResolvers<void>()
  await world.work(async () => {
    await gate.promise
    return { result: null }
  })
  const [id = ''] = await acceptSteps(accepting, ['a'])
  const stream = watch(accepting, { job: id }, undefined)
  await eventually(() => stream.seen.length >= 1)
  gate.resolve()
  await eventually(() => stream.seen.at(-1)?.job.state === 'completed')
  expect(['accepted', 'running']).toContain(stream.seen[0]?.job.state ?? '')
  await stream.stop()
})

test('a stream resumed from its last cursor misses nothing and repeats nothing', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  await world.work(nothing)
  const first = watch(accepting, { kind: 'probe' }, beforeEverything)
  const early = await acceptSteps(accepting, ['a', 'b', 'c'])
  const lastOf = (seen: readonly JobChange[]) =>
    new Set(seen.filter((change) => change.job.finishedAt !== undefined).map((one) => one.job.id))
  await eventually(() => lastOf(first.seen).size === early.length)
  await first.stop()
  const late = await acceptSteps(accepting, ['d', 'e'])
  await Promise.all(late.map((id) => finished(accepting, id)))
  const second = watch(accepting, { kind: 'probe' }, first.seen.at(-1)?.cursor)
  await eventually(() => lastOf(second.seen).size === late.length)
  await second.stop()
  expect(lastOf(second.seen)).toEqual(new Set(late))
  const cursors = [...first.seen, ...second.seen].map((change) => change.cursor)
  expect(new Set(cursors).size).toBe(cursors.length)
})

test('a long transaction delays a stream and loses none of its own or later changes', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  await world.work(nothing)
  const stream = watch(accepting, { kind: 'probe' }, beforeEverything)
  const slow = newJob('slow')
  const [later = ''] = await world.sql.begin(async (transaction) => {
    await transaction`
      insert into postern_job (id, kind, issuer, subject, payload, priority, attempts_max,
        timeout_ms, request_id, accepted_at)
      values (${slow.id}, 'probe', ${owner.issuer}, ${owner.subject}, '{"step":"slow"}', 0, 1, 1000,
        'r', now())`
    const ids = await acceptSteps(accepting, ['later'])
    await Promise.all(ids.map((id) => finished(accepting, id)))
    expect(stream.seen).toEqual([])
    return ids
  })
  await eventually(() => stream.seen.some((change) => change.job.id === later))
  const order = stream.seen.map((change) => change.job.id)
  expect(order.indexOf(slow.id)).toBe(0)
  expect(order).toContain(later)
  await stream.stop()
})

test.each(['', 'x', '1', '1.2', '99999999999999999999.0190a3f2-0000-7000-8000-000000000000'])(
  'a stream refuses the cursor %p, which it never sent',
  async (cursor) => {
    await using world = await openWorld()
    const accepting = await world.accept()
    const stream = accepting.jobs.changes({ kind: 'probe' }, owner, {
      cursor,
      signal: AbortSignal.timeout(1_000),
    })
    const next = stream[Symbol.asyncIterator]().next()
    await expect(next).rejects.toMatchObject({ code: 'request.malformed' })
  },
)

test('a stream shows nothing of other subjects', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  await world.work((_, signal) => never(signal))
  const stream = accepting.jobs.changes(
    { kind: 'probe' },
    { ...owner, subject: 'service-b' },
    { cursor: beforeEverything, signal: AbortSignal.timeout(700) },
  )
  await acceptSteps(accepting, ['a'])
  for await (const change of stream) throw new Error(`saw ${change.job.id}`)
})
