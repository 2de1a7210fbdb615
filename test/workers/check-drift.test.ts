import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import type { DriftLooks } from '#core/drift/check-drift.ts'
import type { DriftReport } from '#core/drift/finding.ts'
import { PosternError } from '#core/errors.ts'
import { type DriftWorld, openDriftWorld, report } from '#test/drift/drift-world.ts'
import { checkDrift } from '#workers/check-drift.ts'

setDefaultTimeout(60_000)

let world: DriftWorld
beforeAll(async () => {
  world = await openDriftWorld()
})
afterEach(async () => {
  await world.clear()
  await world.sql`truncate postern_job, postern_outbox`
})
afterAll(() => world.close())

const callbackUrl = 'https://hooks.example/postern'
const looksOf = (of: Partial<Record<keyof DriftLooks, DriftReport>>): DriftLooks => {
  const look = (one: DriftReport | undefined) => one && (async () => one)
  return { plan: look(of.plan), terraform: look(of.terraform), runtime: look(of.runtime) }
}

async function run(looks: DriftLooks, payload: object = {}) {
  const { process } = checkDrift({ sql: world.worker, looks, now: () => new Date(), callbackUrl })
  const attempt = {
    ...{ jobId: Bun.randomUUIDv7(), payload, attempt: 1, attemptsMax: 5 },
    ...{ requestId: 'request-7', traceparent: undefined },
  }
  const work = await process(attempt, new AbortController().signal)
  await world.worker.begin((transaction) => work.effect?.(transaction).then(() => undefined))
  return { ...work, jobId: attempt.jobId }
}

const webhooks = () => world.sql<{ payload: unknown }[]>`select payload from postern_job`
const runtime = report([], { source: 'runtime' })

test('it looks at what is configured, but makes a plan of its own only when asked', async () => {
  const terraform = report([], { source: 'terraform' })
  const { result } = await run(looksOf({ plan: report(['a']), terraform, runtime }))
  expect(result.sources).toMatchObject([
    { source: 'plan', verdict: 'drift', findings: 1, opened: 1, resolved: 0, reason: null },
    { source: 'runtime', verdict: 'clean' },
  ])
  const asked = await run(looksOf({ terraform }), { sources: ['terraform'] })
  expect(asked.result.sources).toMatchObject([{ source: 'terraform' }])
})

test('a source that it has not is a refusal, and nothing is stored', async () => {
  const asked = run(looksOf({ runtime }), { sources: ['runtime', 'terraform'] })
  await expect(asked).rejects.toMatchObject({ code: 'drift.not_configured', status: 409 })
  expect((await world.state('runtime')).run).toBeUndefined()
})

test('an outage is thrown on, and nothing is stored', async () => {
  const away = async () => {
    throw new PosternError('drift.source_unavailable', { reason: 'ECONNREFUSED' })
  }
  await expect(run({ ...looksOf({ runtime }), plan: away })).rejects.toMatchObject({ status: 503 })
  expect((await world.state('runtime')).run).toBeUndefined()
})

test('what is opened and what is resolved is told to the callback, what stays is not', async () => {
  const first = await run(looksOf({ plan: report(['a']) }))
  expect(await webhooks()).toMatchObject([{ payload: { jobId: first.jobId, url: callbackUrl } }])
  await run(looksOf({ plan: report(['a']) }))
  expect(await webhooks()).toHaveLength(1)
  await run(looksOf({ plan: report([]) }))
  expect(await webhooks()).toHaveLength(2)
})

test('without a callback nobody is told', async () => {
  const { process } = checkDrift({
    ...{ sql: world.worker, looks: looksOf({ plan: report(['a']) }), now: () => new Date() },
    callbackUrl: undefined,
  })
  const attempt = { jobId: Bun.randomUUIDv7(), payload: {}, attempt: 1, attemptsMax: 5 }
  const context = { requestId: 'request-7', traceparent: undefined }
  const { effect } = await process({ ...attempt, ...context }, new AbortController().signal)
  await world.worker.begin((transaction) => effect?.(transaction).then(() => undefined))
  expect(await webhooks()).toHaveLength(0)
  expect((await world.state()).open).toHaveLength(1)
})

test('its records are those of the run', async () => {
  const { records = [], result } = await run(looksOf({ plan: report(['a', 'b']), runtime }))
  expect(records.map(({ type }) => type)).toEqual([
    'drift.opened',
    'drift.opened',
    'drift.checked',
    'drift.checked',
  ])
  expect(result.sources).toHaveLength(2)
})
