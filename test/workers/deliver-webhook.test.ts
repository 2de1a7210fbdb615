import { afterEach, beforeEach, expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import type { Job } from '#core/job/job-store.ts'
import { deliverWebhook } from '#workers/deliver-webhook.ts'

const key = 'a-key-of-the-test'
const now = new Date('2026-11-24T12:00:00Z')
const finished: Job = {
  id: '01a20f12-c4f6-7606-9ce0-d90c9c29338d',
  kind: 'score-wallet',
  state: 'completed',
  issuer: 'https://issuer.test',
  subject: 'service-a',
  tag: undefined,
  priority: 0,
  notBefore: undefined,
  attemptsMax: 3,
  timeoutMs: 1_000,
  callbackUrl: undefined,
  requestId: 'request-1',
  traceparent: undefined,
  acceptedAt: '2026-11-24T11:59:58.000Z',
  startedAt: '2026-11-24T11:59:59.000Z',
  finishedAt: '2026-11-24T11:59:59.500Z',
  dispatch: 1,
  attempt: 1,
  result: { trustScore: '61.5' },
  problem: undefined,
}

type Received = { readonly headers: Headers; readonly body: string }
let received: Received[] = []
let answerWith: () => Response = () => new Response(null, { status: 204 })
let receiver: ReturnType<typeof Bun.serve>

beforeEach(() => {
  received = []
  receiver = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      received.push({ headers: request.headers, body: await request.text() })
      return answerWith()
    },
  })
})
afterEach(() => receiver.stop(true))

function deliver(options: { job?: Job | undefined; signingKeys?: readonly string[] } = {}) {
  const { job = finished, signingKeys = [key] } = options
  return deliverWebhook({
    findJob: (id) => Promise.resolve(id === job.id ? job : undefined),
    signingKeys: () => signingKeys,
    now: () => now,
  }).process(
    {
      jobId: 'delivery-1',
      payload: { jobId: finished.id, url: new URL('/hook', receiver.url).href },
      attempt: 1,
      attemptsMax: 8,
      requestId: 'request-1',
      traceparent: undefined,
    },
    AbortSignal.timeout(5_000),
  )
}

test.each([
  [400, 'webhook.refused'],
  [404, 'webhook.refused'],
  [410, 'webhook.refused'],
  [408, 'webhook.unreachable'],
  [429, 'webhook.unreachable'],
  [500, 'webhook.unreachable'],
  [503, 'webhook.unreachable'],
])('an answer of %d is %s', async (status, code) => {
  answerWith = () => new Response(null, { status })
  await expect(deliver()).rejects.toMatchObject({ code })
})

test('a redirect is refused and not followed', async () => {
  answerWith = () => new Response(null, { status: 302, headers: { location: '/elsewhere' } })
  await expect(deliver()).rejects.toMatchObject({ code: 'webhook.refused' })
  expect(received).toHaveLength(1)
})

test('a receiver that is not there is unreachable', async () => {
  await receiver.stop(true)
  await expect(deliver()).rejects.toMatchObject({ code: 'webhook.unreachable' })
})

test('without a key nothing is sent', async () => {
  await expect(deliver({ signingKeys: [] })).rejects.toMatchObject({ code: 'webhook.refused' })
  expect(received).toHaveLength(0)
})

test('a job that is gone is final', async () => {
  const job = { ...finished, id: '01a20f12-c4f6-7606-9ce0-000000000000' }
  await expect(deliver({ job })).rejects.toMatchObject({ code: 'job.not_found' })
})

test('the receiver can verify who sent it, when, and that nothing was changed', async () => {
  answerWith = () => new Response(null, { status: 204 })
  const { result } = await deliver()
  expect(result).toEqual({ status: 204 })
  const [{ headers, body } = { headers: new Headers(), body: '' }] = received
  const timestamp = headers.get('webhook-timestamp')
  expect(Number(timestamp) * 1_000).toBe(now.getTime())
  const id = headers.get('webhook-id')
  expect(id).toBe('delivery-1')
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  expect(headers.get('webhook-signature')).toBe(`v1,${expected}`)
  expect(JSON.parse(body)).toMatchObject({
    type: 'job.completed',
    data: { id: finished.id, state: 'completed', result: { trustScore: '61.5' } },
  })
})

/** As a receiver reads the header: any of its signatures will do. */
function isAccepted({ headers, body }: Received, known: string | Uint8Array): boolean {
  const signed = `${headers.get('webhook-id')}.${headers.get('webhook-timestamp')}.${body}`
  const expected = createHmac('sha256', known).update(signed).digest('base64')
  return (headers.get('webhook-signature') ?? '').split(' ').includes(`v1,${expected}`)
}

test('while a key is replaced a receiver that knows either of the two accepts, and one of neither does not', async () => {
  await deliver({ signingKeys: ['the-new-key', key] })
  const [one] = received
  if (one === undefined) throw new Error('nothing came')
  const known = ['the-new-key', key, 'another-key']
  expect(known.map((each) => isAccepted(one, each))).toEqual([true, true, false])
})

test('a key of the form of Standard Webhooks signs with the bytes that it holds', async () => {
  const bytes = Buffer.from('the bytes of a key, all 32 of it')
  await deliver({ signingKeys: [`whsec_${bytes.toString('base64')}`] })
  const [one] = received
  if (one === undefined) throw new Error('nothing came')
  expect(isAccepted(one, bytes)).toBe(true)
})
