import { expect, test } from 'bun:test'
import { PosternProblem } from 'postern/client'
import { atOnce, endedJob, job, problem, scriptedServer } from './scripted-server.ts'

const { id } = job
const receipt = { id, kind: 'score-wallet', acceptedAt: job.acceptedAt }
const body = { payload: { wallet: 'w' } }

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error: unknown) => (error instanceof PosternProblem ? error.code : String(error)),
  )

test.each([
  [429, 'access.rate_limited'],
  [503, 'database.unavailable'],
  [409, 'idempotency.in_flight'],
])('after a %d %s the same request comes again, under the same key', async (status, code) => {
  using server = scriptedServer((_seen, at) =>
    at < 3 ? problem(status, code, atOnce) : Response.json(receipt, { status: 202 }),
  )
  expect(await server.client.call('enqueue-score-wallet', { body })).toEqual(receipt)
  const keys = server.seen.map(({ headers }) => headers.get('idempotency-key'))
  expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/)
  expect(new Set(keys).size).toBe(1)
  expect(server.seen.map((one) => one.body)).toEqual(Array(3).fill(JSON.stringify(body)))
})

test('two calls have two keys, and a caller may bring one', async () => {
  using server = scriptedServer(() => Response.json(receipt, { status: 202 }))
  await server.client.call('enqueue-score-wallet', { body })
  await server.client.call('enqueue-score-wallet', { body })
  await server.client.call('enqueue-score-wallet', { body, idempotencyKey: 'mine' })
  const keys = server.seen.map(({ headers }) => headers.get('idempotency-key'))
  expect(new Set(keys).size).toBe(3)
  expect(keys[2]).toBe('mine')
})

test('a proxy that has no server behind it is asked again, up to the limit', async () => {
  const page = () => new Response('<h1>502</h1>', { status: 502, headers: atOnce })
  using server = scriptedServer(page, { attemptsMax: 3 })
  expect(await codeOf(server.client.call('list-kinds'))).toBe('client.answer_unexpected')
  expect(server.seen).toHaveLength(3)
})

test('a refusal is final', async () => {
  using server = scriptedServer(() => problem(404, 'job.not_found', atOnce))
  expect(await codeOf(server.client.call('get-job', { params: { id } }))).toBe('job.not_found')
  expect(server.seen).toHaveLength(1)
})

test('whoever is told to come back later than a client waits hears it at once', async () => {
  using server = scriptedServer(() => problem(429, 'job.queue_full', { 'retry-after': '31' }))
  const error = await server.client.call('list-kinds').catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'job.queue_full', retryAfterSeconds: 31 })
  expect(server.seen).toHaveLength(1)
})

test('a token that is refused is fetched anew, once for all calls that it was refused to', async () => {
  let fetched = 0
  const token = () => {
    fetched += 1
    return `token-${fetched}`
  }
  using server = scriptedServer(
    ({ headers }) =>
      headers.get('authorization') === 'Bearer token-2'
        ? Response.json({ kinds: [] })
        : problem(401, 'auth.token_rejected'),
    { token },
  )
  const calls = Array.from({ length: 10 }, () => server.client.call('list-kinds'))
  expect(await Promise.all(calls)).toEqual(Array(10).fill({ kinds: [] }))
  expect(fetched).toBe(2)
})

test.each([
  ['a string', 'fixed', 1, 0],
  ['a function with nothing else to give', () => 'fixed', 1, 2],
  ['a function with another one that is refused too', () => crypto.randomUUID(), 2, 2],
])('a refused token from %s is refused to the caller', async (_name, option, requests, asked) => {
  let times = 0
  const token =
    typeof option === 'string'
      ? option
      : () => {
          times += 1
          return option()
        }
  using server = scriptedServer(() => problem(401, 'auth.token_rejected'), { token })
  expect(await codeOf(server.client.call('list-kinds'))).toBe('auth.token_rejected')
  expect(server.seen).toHaveLength(requests)
  expect(times).toBe(asked)
})

test('a token that could not be fetched is fetched by the next call', async () => {
  let times = 0
  const token = async () => {
    times += 1
    if (times === 1) throw new Error('issuer away')
    return 'token'
  }
  using server = scriptedServer(() => Response.json({ kinds: [] }), { token })
  expect(await codeOf(server.client.call('list-kinds'))).toBe('Error: issuer away')
  expect(await codeOf(server.client.call('list-kinds'))).toBe('answered')
})

const hanging = () => new Promise<string>(() => undefined)

test('a token that does not come is waited for as long as its call, and no longer than its caller', async () => {
  using server = scriptedServer(() => Response.json({ kinds: [] }), {
    ...{ token: hanging, attemptsMax: 1 },
  })
  const { client } = server
  expect(await codeOf(client.call('list-kinds', { timeoutMs: 20 }))).toBe('client.timed_out')
  const reason = new Error('gone')
  const leaving = new AbortController()
  const call = client.call('list-kinds', { signal: leaving.signal })
  const next = client.watchQueue('score-wallet', { signal: leaving.signal }).next()
  leaving.abort(reason)
  for (const left of [call, next]) expect(await left.catch((error: unknown) => error)).toBe(reason)
  expect(server.seen).toEqual([])
})

test('a token that is not renewed in time ends its call', async () => {
  let times = 0
  const token = () => {
    times += 1
    return times === 1 ? 'first' : hanging()
  }
  using server = scriptedServer(() => problem(401, 'auth.token_rejected'), {
    ...{ token, attemptsMax: 1 },
  })
  const call = server.client.call('list-kinds', { timeoutMs: 500 })
  expect(await codeOf(call)).toBe('client.timed_out')
  expect(server.seen).toHaveLength(1)
})

test('a wait whose server does not answer ends at its own limit, before that of a request', async () => {
  using server = scriptedServer(() => new Promise<Response>(() => undefined))
  expect(await codeOf(server.client.waitFor(id, { timeoutMs: 10 }))).toBe('client.timed_out')
  expect(server.seen).toHaveLength(1)
})

test.each([Number.POSITIVE_INFINITY, 2 ** 31])(
  'a wait of %d ms is none that is over',
  async (timeoutMs) => {
    using server = scriptedServer(() => Response.json(endedJob))
    expect(await server.client.waitFor(id, { timeoutMs })).toMatchObject({ state: 'completed' })
  },
)

test('a wait outlasts refusals and early answers, and ends with the job', async () => {
  using server = scriptedServer(
    (_seen, at) => {
      if (at === 1) return problem(503, 'gateway.draining', atOnce)
      return Response.json(at === 2 ? job : endedJob)
    },
    { attemptsMax: 1 },
  )
  expect(await server.client.waitFor(id)).toMatchObject({ state: 'completed' })
  expect(server.seen.map((one) => one.path)).toEqual(Array(3).fill(`/v1/jobs/${id}?wait=30`))
})

test('a wait ends at its limit, with its caller and with the right to see the job', async () => {
  using server = scriptedServer(() => Response.json(job))
  expect(await codeOf(server.client.waitFor(id, { timeoutMs: 10 }))).toBe('client.timed_out')
  const reason = new Error('gone')
  const waiting = new AbortController()
  const wait = server.client.waitFor(id, { signal: waiting.signal })
  waiting.abort(reason)
  expect(await wait.catch((error: unknown) => error)).toBe(reason)
  using other = scriptedServer(() => problem(404, 'job.not_found'))
  expect(await codeOf(other.client.waitFor(id))).toBe('job.not_found')
})

test('queries, paths in front of the gateway and bodies of text arrive as they are', async () => {
  using server = scriptedServer(() => Response.json({ id, rows: 1, stored: 1, duplicates: 0 }))
  const text = 'wallet,signature\nw,s\n'
  await server.client.call('ingest-trades', { mediaType: 'text/csv', body: text })
  await server.client.call('list-jobs', { query: { tag: 'a:b', limit: 5 } })
  const [upload, list] = server.seen
  expect(upload).toMatchObject({ method: 'POST', path: '/v1/trades', body: text })
  expect(upload?.headers.get('content-type')).toBe('text/csv')
  expect(list?.path).toBe('/v1/jobs?tag=a%3Ab&limit=5')
})
