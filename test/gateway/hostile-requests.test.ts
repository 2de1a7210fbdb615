import { expect, test } from 'bun:test'
import { memoryGateway, problemIn } from './memory-gateway.ts'

const world = memoryGateway()
const { request, post } = world
const path = '/v1/jobs/score-wallet'
const body = { payload: { wallet: 'w1' } }

test.each(['authorization', 'content-type', 'idempotency-key', 'traceparent'])(
  'a second %s header is refused',
  async (name) => {
    const headers = { [name]: 'Bearer all, Bearer all' }
    expect((await problemIn(await post(path, body, { headers }))).code).toBe('request.malformed')
  },
)

test.each([
  'a.example, b.example',
  'a.example/internal/queues',
  'a.example?x',
  'a.example#x',
  'a b',
])('the host %s is refused', async (host) => {
  const response = await request('/v1/kinds', { headers: { host } })
  expect((await problemIn(response)).code).toBe('request.malformed')
})

test.each([
  '//internal/queues',
  '/v1//jobs',
  '/v1/..;/internal/queues',
  '/v1/jobs;x=1',
  '/v1%2fjobs',
  '/v1/jobs%5cx',
  '/v1/jobs/%00',
  '/v1/jobs/%zz',
  '/%69nternal/queues',
  '/v1/jobs/%252e',
])('the path %s is refused before it is interpreted', async (odd) => {
  expect((await problemIn(await request(odd))).code).toBe('request.malformed')
})

test.each([
  '/v1/kinds?x=1',
  '/v1/kinds?',
  '/v1/jobs?status=failed',
  '/v1/jobs?limit=0x10',
  '/v1/jobs?limit=201',
  '/v1/jobs?limit=',
  '/v1/jobs?state=failed&state=completed',
  '/v1/jobs?__proto__=1',
  '/v1/jobs?since=yesterday',
  '/v1/jobs?since=0000-01-01T00:00:00Z',
  '/v1/jobs?until=0000-12-31T23:59:59Z',
  '/v1/jobs?tag=%00',
  '/v1/jobs?tag=',
  '/v1/jobs?kind=a%00b',
  '/v1/jobs?kind=Score',
  '/v1/jobs?cursor=1',
  '/v1/jobs/not-a-uuid',
  '/v1/jobs/0190a3f2-7c1e-7a4b-9d2e-5f60718293a4?wait=61',
])('the parameters of %s are refused', async (odd) => {
  expect((await problemIn(await request(odd))).code).toBe('request.query_invalid')
})

test.each([
  ['none', ''],
  ['text/plain', 'text/plain'],
  ['a form', 'application/x-www-form-urlencoded'],
  ['JSON in Latin-1', 'application/json; charset=iso-8859-1'],
  ['something like JSON', 'application/problem+json'],
])('a body of another media type is refused: %s', async (_name, type) => {
  const response = await request(path, {
    method: 'POST',
    headers: type === '' ? {} : { 'content-type': type },
    body: new TextEncoder().encode(JSON.stringify(body)),
  })
  expect((await problemIn(response)).code).toBe('request.media_type_unsupported')
})

test.each(['gzip', 'identity, br', 'x'])('a body encoded as %s is refused', async (coding) => {
  const headers = { 'content-type': 'application/json', 'content-encoding': coding }
  const response = await post(path, body, { headers })
  expect((await problemIn(response)).code).toBe('request.media_type_unsupported')
})

test('UTF-8 may be said in any case', async () => {
  const headers = { 'content-type': 'Application/JSON; charset="UTF-8"' }
  expect((await post(path, body, { headers })).status).toBe(202)
})

test.each([
  ['not JSON', '{', 'request.malformed'],
  ['a member twice', '{"payload":{"wallet":"a"},"payload":{"wallet":"b"}}', 'request.malformed'],
  ['a NUL', '{"payload":{"wallet":"\\u0000"}}', 'request.malformed'],
  ['a list', '[]', 'request.body_invalid'],
  ['null', 'null', 'request.body_invalid'],
])('a body that is %s is refused', async (_name, text, code) => {
  expect((await problemIn(await post(path, text))).code).toBe(code)
})

test('a body past the limit is refused by its declared length and by its bytes', async () => {
  const large = JSON.stringify({ payload: { wallet: 'w', note: 'x'.repeat(262_144) } })
  const declared = await post(path, large, { headers: { 'content-length': String(large.length) } })
  expect((await problemIn(declared)).code).toBe('request.body_too_large')
  const streamed = await request(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: new Blob([large]).stream(),
  })
  expect((await problemIn(streamed)).code).toBe('request.body_too_large')
})

test('faults in a body are named by pointer, without what was sent', async () => {
  const response = await post(path, { payload: { wallet: '', 'a/b': 'secret' }, priority: 9, x: 1 })
  const problem = await problemIn(response)
  expect(problem.code).toBe('request.body_invalid')
  expect(problem.errors?.map((error) => error.pointer).sort()).toEqual([
    '/payload/a~1b',
    '/payload/wallet',
    '/priority',
    '/x',
  ])
  expect(JSON.stringify(problem)).not.toContain('secret')
})

test('a value thrown that is no Error still ends as a problem', async () => {
  const broken = memoryGateway({
    overrides: {
      readiness: () => {
        // biome-ignore lint/style/useThrowOnlyError: this is what a library might do.
        throw 'postgres://user:password@host'
      },
    },
  })
  const problem = await problemIn(await broken.request('/readyz'))
  expect(problem.code).toBe('internal')
  expect(JSON.stringify(problem)).not.toContain('password')
})

test('a bug answers with its id and nothing of its words, and is logged once', async () => {
  const broken = memoryGateway({
    overrides: {
      readiness: () => {
        throw new Error('postgres://user:password@host')
      },
    },
  })
  const problem = await problemIn(await broken.request('/readyz'))
  expect(problem).toEqual({
    type: '/problems/internal',
    title: 'Internal error',
    status: 500,
    code: 'internal',
    instance: '/readyz',
    requestId: problem.requestId ?? '',
  })
  const errors = broken.lines.filter((line) => line.fields['code'] === 'internal')
  expect(errors.length).toBe(1)
  expect(errors[0]?.fields['requestId']).toBe(problem.requestId)
})

test.each([
  ['/v1/jobs/score-wallet', 'application/json', '{"payload":{"wallet":"w1"}}'],
  ['/v1/jobs', 'application/x-ndjson', '{"kind":"score-wallet","payload":{"wallet":"w1"}}'],
])('a body of %s held back until its token was revoked does nothing', async (path, type, text) => {
  const { request, access, submissions } = memoryGateway()
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const writer = writable.getWriter()
  const encoder = new TextEncoder()
  const headers = { 'content-type': type }
  const answered = request(path, { method: 'POST', headers, body: readable })
  await writer.write(encoder.encode(text.slice(0, 9)))
  access.revoke('all')
  await writer.write(encoder.encode(text.slice(9)))
  await writer.close()
  expect((await problemIn(await answered)).code).toBe('auth.token_rejected')
  expect(submissions.length).toBe(0)
})
