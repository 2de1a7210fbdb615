import { expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { z } from 'zod'
import { findJob } from '#core/job/job-row.ts'
import { newJob, submission } from '#test/support/job-engine.ts'
import { deliverWebhook } from '#workers/deliver-webhook.ts'
import { auditCounts, eventually, openWorld, problemCode } from './world.ts'

const signingKey = 'a key of thirty-two characters..'
const eventSchema = z.looseObject({ type: z.string(), data: z.looseObject({ id: z.string() }) })

type Received = { readonly headers: Headers; readonly body: string; readonly path: string }

/** A real receiver that answers with the given statuses, the last one for ever. */
function receiver(statuses: readonly number[]) {
  const received: Received[] = []
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url)
      received.push({ headers: request.headers, body: await request.text(), path: pathname })
      const status = statuses[Math.min(received.length, statuses.length) - 1] ?? 200
      const headers = status === 307 ? { location: '/elsewhere' } : undefined
      return new Response(null, { status, ...(headers === undefined ? {} : { headers }) })
    },
  })
  return { received, url: `http://127.0.0.1:${server.port}/hook`, stop: () => server.stop(true) }
}

async function runWithCallback(statuses: readonly number[]) {
  const world = await openWorld()
  const target = receiver(statuses)
  world.atEnd(target.stop)
  const accepting = await world.accept()
  const deliver = deliverWebhook({
    findJob: (id) => findJob(world.sql, id, 'any'),
    signingKeys: () => [signingKey],
    now: () => new Date(),
  })
  await world.work(() => Promise.resolve({ result: { score: 1 } }), { others: [deliver] })
  const job = newJob('a', { callbackUrl: target.url, tag: 'desk-a' })
  await accepting.intake.accept(submission([job]))
  const delivery = await eventually(async () => {
    const { jobs } = await accepting.jobs.list({ kind: 'deliver-webhook', limit: 5 }, 'any')
    return jobs.find((one) => one.finishedAt !== undefined)
  }, 20_000)
  return { world, target, job, delivery }
}

test('a finished job is told to its callback once, signed over id, time and body', async () => {
  const { world, target, job, delivery } = await runWithCallback([204])
  await using _ = world
  expect(target.received).toHaveLength(1)
  const { headers, body } = target.received[0] ?? { headers: new Headers(), body: '' }
  expect(headers.get('webhook-id')).toBe(delivery.id)
  const signed = `${delivery.id}.${headers.get('webhook-timestamp')}.${body}`
  const expected = createHmac('sha256', signingKey).update(signed).digest('base64')
  expect(headers.get('webhook-signature')).toBe(`v1,${expected}`)
  const event = eventSchema.parse(JSON.parse(body))
  expect(event).toMatchObject({ type: 'job.completed', data: { id: job.id, tag: 'desk-a' } })
  expect(delivery).toMatchObject({ state: 'completed', result: { status: 204 } })
  expect(await auditCounts(world.sql)).toEqual({ 'job.accepted': 1, 'job.completed': 2 })
})

test('a receiver that answers 500 or 429 is asked again with the same id', async () => {
  const { world, target, delivery } = await runWithCallback([500, 429, 200])
  await using _ = world
  expect(target.received.map((one) => one.headers.get('webhook-id'))).toEqual([
    delivery.id,
    delivery.id,
    delivery.id,
  ])
  expect(delivery.state).toBe('completed')
})

test.each([400, 404, 410])('a receiver that answers %i is not asked again', async (status) => {
  const { world, target, delivery } = await runWithCallback([status, 200])
  await using _ = world
  expect(target.received).toHaveLength(1)
  expect(problemCode(delivery.problem)).toBe('webhook.refused')
})

test('a redirect is refused and never followed', async () => {
  const { world, target, delivery } = await runWithCallback([307, 200])
  await using _ = world
  expect(target.received.map((one) => one.path)).toEqual(['/hook'])
  expect(problemCode(delivery.problem)).toBe('webhook.refused')
})

test('without a signing key nothing is sent', async () => {
  const world = await openWorld()
  await using _ = world
  const target = receiver([200])
  world.atEnd(target.stop)
  const deliver = deliverWebhook({
    findJob: (id) => findJob(world.sql, id, 'any'),
    signingKeys: () => [],
    now: () => new Date(),
  })
  const accepting = await world.accept()
  await world.work(() => Promise.resolve({ result: null }), { others: [deliver] })
  await accepting.intake.accept(submission([newJob('a', { callbackUrl: target.url })]))
  await eventually(async () => {
    const { jobs } = await accepting.jobs.list({ kind: 'deliver-webhook', limit: 1 }, 'any')
    return jobs[0]?.state === 'failed'
  })
  expect(target.received).toEqual([])
})
