import { expect, test } from 'bun:test'
import { inspect } from 'node:util'
import { createPosternClient, PosternProblem } from 'postern/client'
import { answerBytesMax } from '../../client/answer.ts'
import { atOnce, job, problem, scriptedServer, secretToken } from './scripted-server.ts'

const { id } = job
const html = { 'content-type': 'text/html' }

async function problemOf(promise: Promise<unknown>): Promise<PosternProblem> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof PosternProblem)) throw new Error(`no problem: ${inspect(error)}`)
  expect(inspect(error, { depth: 9 }) + error.stack + JSON.stringify(error)).not.toContain(
    secretToken,
  )
  return error
}

test('a redirect is not followed: whoever it names does not get the token', async () => {
  using elsewhere = scriptedServer(() => Response.json(job))
  for (const status of [301, 302, 303, 307, 308]) {
    const to = new URL('/v1/jobs', elsewhere.url).href
    using here = scriptedServer(() => new Response(null, { status, headers: { location: to } }))
    const error = await problemOf(here.client.call('get-job', { params: { id } }))
    expect(error).toMatchObject({ code: 'client.redirected', status })
    expect(here.seen).toHaveLength(1)
    const stream = here.client.watchJob(id)
    expect((await problemOf(stream.next())).code).toBe('client.redirected')
  }
  expect(elsewhere.seen).toEqual([])
})

test.each([
  ['HTML', () => new Response('<h1>It works!</h1>', { headers: html }), 200],
  ['nothing', () => new Response(''), 200],
  ['JSON that is cut short', () => new Response('{"id":"0190a3f2', { status: 200 }), 200],
  [
    'a page of a proxy',
    () => new Response('<h1>Forbidden</h1>', { status: 403, headers: html }),
    403,
  ],
  ['a problem without a code', () => typed('{"title":"x"}'), 400],
  ['a problem that is cut short', () => typed('{"code":"job.not'), 400],
  ['a problem that is a list', () => typed('[]'), 400],
  ['a code of another alphabet', () => typed('{"code":"<script>"}'), 400],
])(
  '%s in place of an answer is one problem that names its status',
  async (_name, answer, status) => {
    using server = scriptedServer(answer)
    const error = await problemOf(server.client.call('get-job', { params: { id } }))
    expect(error).toMatchObject({ code: 'client.answer_unexpected', status })
    expect(server.seen).toHaveLength(1)
  },
)

function typed(text: string): Response {
  return new Response(text, {
    status: 400,
    headers: { 'content-type': 'application/problem+json' },
  })
}

test('a token that is sent back stands in no member of the error', async () => {
  using server = scriptedServer(() => {
    const body = {
      ...{ code: 'request.body_invalid', title: secretToken, detail: `Bearer ${secretToken}` },
      errors: [{ pointer: `/${secretToken}`, detail: secretToken }],
    }
    return new Response(JSON.stringify(body), {
      status: 422,
      headers: { 'content-type': 'application/problem+json', 'x-request-id': secretToken },
    })
  })
  const error = await problemOf(server.client.call('get-job', { params: { id } }))
  expect(error).toMatchObject({ code: 'request.body_invalid', detail: 'Bearer [token]' })
})

test('a fault of the network that quotes the request does not bring the token with it', async () => {
  const fetch = () => Promise.reject(new TypeError(`bad header Bearer ${secretToken}`))
  using server = scriptedServer(() => Response.json(job), { fetch, attemptsMax: 1 })
  const error = await problemOf(server.client.call('get-job', { params: { id } }))
  expect(error.code).toBe('client.unreachable')
  expect(inspect(error)).toContain('bad header Bearer [token]')
})

test.each(['', 'two words', 'line\nbreak', 'ümlaut', 'x'.repeat(15_001)])(
  'a token that no header can hold is refused without being named: %#',
  async (token) => {
    const options = { baseUrl: 'http://127.0.0.1:1', attemptsMax: 1 }
    expect(() => createPosternClient({ ...options, token })).toThrow('client.token_unusable')
    const client = createPosternClient({ ...options, token: () => token })
    const error = await problemOf(client.call('list-kinds'))
    expect(error.code).toBe('client.token_unusable')
  },
)

test.each([
  'ftp://gateway.example',
  'https://user:password@gateway.example',
  'https://gateway.example/?token=1',
  'gateway.example',
])('%s is no place to send a token to', (baseUrl) => {
  expect(() => createPosternClient({ baseUrl, token: 't' })).toThrow(TypeError)
})

test.each(['..', '.', '', 'a/b', 'a%2fb', 'a?b', 'x'.repeat(201)])(
  'the parameter %p does not lead to another path',
  async (bad) => {
    using server = scriptedServer(() => Response.json(job))
    const call = server.client.call('get-job', { params: { id: bad } })
    expect(await call.then(String, String)).toContain('TypeError')
    expect(server.seen).toEqual([])
  },
)

test('the name of a secret keeps its slashes, and none of its parts leads to another path', async () => {
  using server = scriptedServer(() => Response.json({ rotations: [] }))
  const call = (name: string) => server.client.call('list-rotations', { params: { name } })
  await call('postern/redis')
  for (const bad of ['a/../b', 'a//b', '/a', 'a/', 'a/b?c', 'a/b%2fc', `${'a/'.repeat(100)}b`]) {
    expect(await call(bad).then(String, String)).toContain('TypeError')
  }
  expect(server.seen.map(({ path }) => path)).toEqual(['/internal/secrets/postern/redis/rotations'])
})

test('an answer just past its limit is not kept', async () => {
  const piece = new Uint8Array(1_048_576).fill(0x20)
  using server = scriptedServer(() => {
    let left = answerBytesMax / piece.byteLength
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(left > 0 ? piece : new Uint8Array(1))
        if (left === 0) controller.close()
        left -= 1
      },
    })
    return new Response(body)
  })
  const error = await problemOf(server.client.call('get-job', { params: { id } }))
  expect(error.code).toBe('client.answer_too_large')
})

test('an answer that does not come is given up, and a caller who leaves is told his reason', async () => {
  using server = scriptedServer(() => new Promise<Response>(() => undefined), { attemptsMax: 1 })
  const input = { params: { id } }
  const late = await problemOf(server.client.call('get-job', { ...input, timeoutMs: 50 }))
  expect(late.code).toBe('client.timed_out')
  const reason = new Error('changed my mind')
  const left = server.client.call('get-job', { ...input, signal: AbortSignal.abort(reason) })
  expect(await left.catch((error: unknown) => error)).toBe(reason)
})

test('a caller who leaves while an answer is read is told his reason, and not of the network', async () => {
  const begun = Promise.withResolvers<void>()
  const fetchBegun = async (url: string, init: RequestInit) => {
    const response = await fetch(url, init)
    begun.resolve()
    return response
  }
  using server = scriptedServer(() => new Response(neverEnding()), {
    ...{ fetch: fetchBegun, attemptsMax: 1 },
  })
  const leaving = new AbortController()
  const call = server.client.call('get-job', { params: { id }, signal: leaving.signal })
  await begun.promise
  const reason = new Error('changed my mind')
  leaving.abort(reason)
  expect(await call.catch((error: unknown) => error)).toBe(reason)
})

function neverEnding(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array([0x7b])) })
}

test('an order that was refused because trading is halted is not sent again', async () => {
  using server = scriptedServer(() => problem(503, 'trading.halted', atOnce))
  const body = { symbol: 'AAPL', side: 'buy', quantity: '1', order_type: 'market' } as const
  expect((await problemOf(server.client.call('place-order', { body }))).code).toBe('trading.halted')
  expect(server.seen).toHaveLength(1)
})

test('a POST that a second arrival would do twice is sent once', async () => {
  using server = scriptedServer(() => problem(503, 'database.unavailable', atOnce))
  await problemOf(server.client.call('retry-job', { params: { id } }))
  expect(server.seen).toHaveLength(1)
  let times = 0
  const fetch = async () => {
    times += 1
    return new Response(cutShort(), { headers: { 'content-type': 'application/json' } })
  }
  using other = scriptedServer(() => Response.json(job), { fetch })
  const error = await problemOf(other.client.call('retry-job', { params: { id } }))
  expect([error.code, times]).toEqual(['client.unreachable', 1])
})

function cutShort(): ReadableStream<Uint8Array> {
  return new ReadableStream({ pull: (controller) => controller.error(new Error('cut')) })
}
