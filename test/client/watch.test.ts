import { expect, test } from 'bun:test'
import { type JobEvent, PosternProblem } from 'postern/client'
import { serverEvents } from '../../client/event-stream.ts'
import { sender } from '../../client/send.ts'
import { tokenSource } from '../../client/token.ts'
import { watch } from '../../client/watch.ts'
import { atOnce, endedJob, job, problem, scriptedServer, secretToken } from './scripted-server.ts'

const { id } = job

function stream(...chunks: readonly string[]): Response {
  const left = [...chunks]
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = left.shift()
      if (chunk === undefined) return controller.close()
      controller.enqueue(new TextEncoder().encode(chunk))
    },
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } })
}

const frame = (cursor: string, value: unknown) =>
  `id: ${cursor}\nevent: job\ndata: ${JSON.stringify(value)}\n\n`

async function all(events: AsyncIterable<JobEvent>): Promise<string[]> {
  const ids: string[] = []
  for await (const event of events) ids.push(`${event.id} ${event.job.state}`)
  return ids
}

test('a stream that is cut goes on behind the last event that was given', async () => {
  using server = scriptedServer((_seen, at) => {
    if (at === 1) return stream('retry: 1\n\n', frame('1-1', job), 'id: 1-2\nevent: job\ndata: {"i')
    if (at === 2) return problem(503, 'gateway.overloaded', atOnce)
    return stream(':\n\n', frame('1-3', endedJob))
  })
  expect(await all(server.client.watchJob(id))).toEqual(['1-1 running', '1-3 completed'])
  expect(server.seen.map(({ headers }) => headers.get('last-event-id'))).toEqual([
    null,
    '1-1',
    '1-1',
  ])
})

test('a stream goes on from an event of an earlier one', async () => {
  using server = scriptedServer(() => stream(frame('9', endedJob)))
  await all(server.client.watchJob(id, { lastEventId: '8' }))
  expect(server.seen[0]?.headers.get('last-event-id')).toBe('8')
})

test.each([
  ['auth.token_rejected', 401, 1],
  ['internal', 500, 1],
  ['gateway.draining', 503, 2],
])(
  'a stream that ends with %s is asked for again only if that may pass',
  async (code, status, asked) => {
    const last = `event: problem\ndata: ${JSON.stringify({ code, status, title: 'x' })}\n\n`
    using server = scriptedServer((_seen, at) =>
      at === 1 ? stream('retry: 1\n\n', last) : stream(frame('2', endedJob)),
    )
    const outcome = await all(server.client.watchJob(id)).catch((error: unknown) => error)
    expect(server.seen).toHaveLength(asked)
    if (asked === 1) expect(outcome).toMatchObject({ code, status })
    else expect(outcome).toEqual(['2 completed'])
  },
)

test.each([
  ['HTML', () => new Response('<p>', { headers: { 'content-type': 'text/html' } })],
  ['an event that is no JSON', () => stream('id: 1\nevent: job\ndata: {"id"\n\n')],
])('%s in place of events ends the stream', async (_name, answer) => {
  using server = scriptedServer(answer)
  const error = await all(server.client.watchJob(id)).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(PosternProblem)
  expect(error).toMatchObject({ code: 'client.answer_unexpected' })
  expect(server.seen).toHaveLength(1)
})

test('whoever stops listening closes the connection', async () => {
  const closed = Promise.withResolvers<void>()
  using server = scriptedServer(() => {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(frame('1', job))),
      cancel: () => closed.resolve(),
    })
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  })
  for await (const event of server.client.watchQueue('score-wallet')) {
    expect(event.id).toBe('1')
    break
  }
  await closed.promise
})

test('a caller who aborts is told his reason', async () => {
  using server = scriptedServer(() => new Promise<Response>(() => undefined))
  const leaving = new AbortController()
  const next = server.client.watchQueue('score-wallet', { signal: leaving.signal }).next()
  const reason = new Error('enough')
  leaving.abort(reason)
  expect(await next.catch((error: unknown) => error)).toBe(reason)
})

test('a connection that is taken and never answered is given up, and the next one tried', async () => {
  using server = scriptedServer(
    (_seen, at) =>
      at === 1 ? new Promise<Response>(() => undefined) : stream(frame('1', endedJob)),
    { timeoutMs: 500 },
  )
  expect(await all(server.client.watchJob(id))).toEqual(['1 completed'])
  expect(server.seen).toHaveLength(2)
})

test('the limit of the answer is none of the stream behind it', async () => {
  const passed = Promise.withResolvers<void>()
  using server = scriptedServer(
    () => {
      const body = new ReadableStream<Uint8Array>({
        async start(controller) {
          controller.enqueue(new TextEncoder().encode(frame('1', job)))
          await passed.promise
          controller.enqueue(new TextEncoder().encode(frame('2', endedJob)))
        },
      })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    },
    { timeoutMs: 300 },
  )
  const events = server.client.watchJob(id)
  expect((await events.next()).value?.id).toBe('1')
  AbortSignal.timeout(600).addEventListener('abort', () => passed.resolve())
  expect((await events.next()).value?.id).toBe('2')
  expect(server.seen).toHaveLength(1)
})

test('a caller who aborts between two events is told his reason', async () => {
  using server = scriptedServer(() => {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(frame('1', job))),
    })
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  })
  const leaving = new AbortController()
  const events = server.client.watchQueue('score-wallet', { signal: leaving.signal })
  await events.next()
  const reason = new Error('enough')
  leaving.abort(reason)
  expect(await events.next().catch((error: unknown) => error)).toBe(reason)
})

/**
 * Follows a server whose first two connections end after one sign of life and no event; the clock
 * stands `livedMs` further on at each look.
 */
async function followCuts(livedMs: number): Promise<readonly [unknown, number]> {
  let nowMs = 0
  const now = () => {
    nowMs += livedMs
    return nowMs
  }
  using server = scriptedServer((_seen, at) =>
    at < 3 ? stream(':\n') : stream(frame('1', endedJob)),
  )
  const sending = sender({
    ...{ tokens: tokenSource(secretToken), fetch: (url, init) => fetch(url, init) },
    ...{ attemptsMax: 1, retryAfterSecondsMax: 1 },
  })
  const options = { isLast: () => true, answerMsMax: 20_000, cutsMax: 2, now }
  const outcome = await all(watch(sending, new URL('/', server.url), options)).catch(
    (error: unknown) => error,
  )
  return [outcome, server.seen.length]
}

test('a quiet stream goes on over any number of cuts, as long as each connection lived 30 s', async () => {
  expect(await followCuts(30_000)).toEqual([['1 completed'], 3])
  const [outcome, asked] = await followCuts(29_999)
  expect(outcome).toMatchObject({ code: 'client.stream_cut' })
  expect(asked).toBe(2)
})

async function parse(...chunks: readonly string[]) {
  const { body } = stream(...chunks)
  const retries: number[] = []
  const found: string[] = []
  if (body === null) throw new Error('no body')
  for await (const event of serverEvents(body, { onRetry: (ms) => void retries.push(ms) })) {
    found.push(`${event.id}|${event.event}|${event.data}`)
  }
  return { found, retries }
}

// WHATWG HTML, 9.2.6.
test.each([
  ['lines ended by CRLF', ['id: 1\r\ndata: a\r\n\r\n'], ['1|message|a']],
  [
    'a CRLF between two pieces',
    ['data: a\r', '\n\r', '\ndata: b\n\n'],
    ['|message|a', '|message|b'],
  ],
  ['lines ended by CR', ['data: a\r\rdata: b\r\r', ':\n'], ['|message|a', '|message|b']],
  ['data of two lines', ['data: a\ndata: b\n\n'], ['|message|a\nb']],
  ['an id that lasts', ['id: 7\ndata: a\n\ndata: b\n\n'], ['7|message|a', '7|message|b']],
  ['an id with NUL', ['id: 7\0\ndata: a\n\n'], ['|message|a']],
  ['no data', ['event: job\nid: 3\n\n', 'data: a\n\n'], ['3|message|a']],
  ['unknown fields', ['constructor: x\n__proto__: y\ndata:a\n\n'], ['|message|a']],
  ['a character in two pieces', ['data: \u00e9\n\n'], ['|message|\u00e9']],
  ['an event that never ends', ['data: a\n'], []],
])('%s', async (_name, chunks, expected) => {
  expect((await parse(...chunks)).found).toEqual(expected)
})

test('a time to wait is taken from digits only', async () => {
  const { retries } = await parse('retry: 20\n\nretry: -1\nretry: 1e9\nretry:\n\n')
  expect(retries).toEqual([20])
})

test.each([
  ['a line', 'data: '],
  ['many lines', 'data: x\n'],
])('an event of %s that does not end is given up', async (_name, start) => {
  const line = start.endsWith('\n') ? start : ''
  const fill = line === '' ? 'x'.repeat(65_536) : line.repeat(65_536)
  const chunks = [start, ...Array.from({ length: 70 }, () => fill)]
  expect(await parse(...chunks).then(String, (error: unknown) => String(error))).toContain('Error')
})
