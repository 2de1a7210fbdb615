import { expect, test } from 'bun:test'
import { PosternError } from '#core/errors.ts'
import { insideAddress, memoryGateway, problemIn, receiptIn } from './memory-gateway.ts'

const path = '/v1/jobs/score-wallet'
const body = { payload: { wallet: 'w1' } }

test('an accepted job is answered with 202, its receipt and where it is', async () => {
  const { post, submissions } = memoryGateway()
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const response = await post(
    path,
    { ...body, tag: 'a:b', priority: 20 },
    { headers: { traceparent } },
  )
  expect(response.status).toBe(202)
  const receipt = await receiptIn(response)
  expect(response.headers.get('location')).toBe(`/v1/jobs/${receipt.id}`)
  expect(receipt.kind).toBe('score-wallet')
  const [submission] = submissions
  expect(submission?.jobs[0]).toMatchObject({ payload: { wallet: 'w1' }, priority: 20, tag: 'a:b' })
  expect(submission?.caller).toMatchObject({ clientAddress: insideAddress, traceparent })
  expect(submission?.caller.requestId).toBe(response.headers.get('x-request-id') ?? '')
})

test("what a job does not ask for comes from its kind; a caller's request id is not taken", async () => {
  const { post, submissions } = memoryGateway()
  const response = await post(path, body, { headers: { 'x-request-id': 'mine' } })
  expect(response.headers.get('x-request-id')).not.toBe('mine')
  expect(submissions[0]?.jobs[0]).toMatchObject({
    priority: 10,
    attemptsMax: 5,
    timeoutMs: 60_000,
    delayMs: 0,
    callbackUrl: undefined,
  })
})

test.each([
  ['an earlier place than the kind has', { priority: 9 }, '/priority'],
  ['more attempts than the kind has', { attemptsMax: 6 }, '/attemptsMax'],
  ['more time than the kind has', { timeoutMs: 60_001 }, '/timeoutMs'],
  ['a delay past 30 days', { delayMs: 30 * 24 * 3_600_000 + 1 }, '/delayMs'],
  ['a start past 30 days', { runAt: '2999-01-01T00:00:00Z' }, '/runAt'],
  ['a start in local time', { runAt: '2026-01-01T00:00:00+01:00' }, '/runAt'],
  ['both delay and start', { runAt: '2026-01-01T00:00:00Z', delayMs: 1 }, '/runAt'],
  ['a tag past 64 characters', { tag: 'x'.repeat(65) }, '/tag'],
  ['a tag with a line break', { tag: 'a\nb' }, '/tag'],
  ['a payload past 64 KiB', { payload: { wallet: 'w', note: 'x'.repeat(65_536) } }, '/payload'],
])('%s is refused', async (_name, options, pointer) => {
  const { post, submissions } = memoryGateway()
  const problem = await problemIn(await post(path, { ...body, ...options }))
  expect(problem.errors?.map((error) => error.pointer)).toEqual([pointer])
  expect(submissions.length).toBe(0)
})

test.each([
  'https://hooks.example/postern/',
  'https://hooks.example/postern/a?b=c',
  'https://HOOKS.example:443/postern',
])('the callback %s lies below the allowed prefix', async (callback) => {
  expect((await memoryGateway().post(path, { ...body, callback })).status).toBe(202)
})

test.each([
  'https://hooks.example.attacker.example/postern/',
  'https://hooks.example@attacker.example/postern/',
  'https://user:word@hooks.example/postern/',
  'https://hooks.example/posternity',
  'https://hooks.example/postern/../admin',
  'https://hooks.example/postern/%2e%2e/admin',
  'https://hooks.example/postern/..%2fadmin',
  'http://hooks.example/postern/',
  'https://hooks.example:8443/postern/',
  'https://hooks.example/postern/#x',
  'file:///etc/passwd',
  '/postern/',
  '',
])('the callback %s is refused', async (callback) => {
  const problem = await problemIn(await memoryGateway().post(path, { ...body, callback }))
  expect(problem.code).toBe('job.callback_refused')
})

test('the same key and payload get the first answer again, marked; quoted or bare', async () => {
  const { post, submissions } = memoryGateway()
  const first = await post(path, body, { headers: { 'idempotency-key': 'key-1' } })
  const again = await post(path, '{ "payload" : { "wallet":"w1" } }', {
    headers: { 'idempotency-key': '"key-1"' },
  })
  expect(first.headers.get('idempotent-replayed')).toBeNull()
  expect(again.status).toBe(202)
  expect(again.headers.get('idempotent-replayed')).toBe('true')
  expect(await receiptIn(again)).toEqual(await receiptIn(first))
  expect(submissions.length).toBe(1)
})

test('the same key with another payload is refused', async () => {
  const { post } = memoryGateway()
  const headers = { 'idempotency-key': 'key-1' }
  await post(path, body, { headers })
  const problem = await problemIn(await post(path, { payload: { wallet: 'w2' } }, { headers }))
  expect(problem.code).toBe('idempotency.mismatch')
})

test.each(['', '""', '"a', 'a"', 'a b', 'x'.repeat(129), 'ä'])(
  'the Idempotency-Key %p is refused',
  async (key) => {
    const response = await memoryGateway().post(path, body, { headers: { 'idempotency-key': key } })
    expect((await problemIn(response)).code).toBe('idempotency.key_invalid')
  },
)

test('a kind that does not exist, or that only Postern enqueues, is no kind', async () => {
  const { post } = memoryGateway()
  for (const name of ['mine-bitcoin', 'deliver-webhook']) {
    expect((await problemIn(await post(`/v1/jobs/${name}`, body))).code).toBe('job.kind_unknown')
  }
})

test('an outage of the database is 503 with Retry-After', async () => {
  const { post, failWith } = memoryGateway()
  failWith(new PosternError('database.unavailable', { reason: 'ECONNREFUSED 10.1.2.3' }))
  const response = await post(path, body)
  const problem = await problemIn(response)
  expect(problem.code).toBe('database.unavailable')
  expect(problem.detail).toBeUndefined()
  expect(response.headers.get('retry-after')).toBe('1')
})

test.each([
  ['?wait=30', {}],
  ['', { prefer: 'respond-async, wait=30' }],
])('with a wait (%p %p) the answer is the finished job', async (query, headers) => {
  const { post, firstSubmission, finish } = memoryGateway()
  const answer = post(`${path}${query}`, body, { headers })
  const submission = await firstSubmission()
  finish(submission.jobs[0]?.id ?? '')
  const response = await answer
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({ state: 'completed', result: { score: '1.5' } })
})

test('a wait that ends before the job does is answered with the receipt', async () => {
  const response = await memoryGateway().post(`${path}?wait=1`, body)
  expect(response.status).toBe(202)
})
