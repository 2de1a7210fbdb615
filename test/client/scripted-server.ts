import { createPosternClient, type PosternClientOptions } from 'postern/client'

export const secretToken = 'eyJhbGciOiJFZERTQSJ9.c2VjcmV0LXRva2Vu.c2lnbmF0dXJl'

export type Seen = {
  readonly method: string
  readonly path: string
  readonly headers: Headers
  readonly body: string
}

type Answerer = (seen: Seen, at: number) => Response | Promise<Response>

/** A server that answers as it is told, and a client of it; `seen` is what has come, in order. */
export function scriptedServer(answer: Answerer, options: Partial<PosternClientOptions> = {}) {
  const seen: Seen[] = []
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    development: false,
    async fetch(request) {
      const { pathname, search } = new URL(request.url)
      const { method, headers } = request
      const one = { method, path: pathname + search, headers, body: await request.text() }
      seen.push(one)
      return await answer(one, seen.length)
    },
  })
  const client = createPosternClient({ baseUrl: server.url, token: secretToken, ...options })
  return { client, seen, url: server.url, [Symbol.dispose]: () => void server.stop(true) }
}

export function problem(status: number, code: string, headers: Record<string, string> = {}) {
  const body = { type: `/problems/${code}`, title: 'As scripted', status, code }
  const type = { 'content-type': 'application/problem+json' }
  return new Response(JSON.stringify(body), { status, headers: { ...type, ...headers } })
}

export const job = {
  id: '0190a3f2-7c1e-7a4b-9d2e-5f60718293a4',
  ...{ kind: 'score-wallet', state: 'running', issuer: 'i', subject: 's', priority: 10 },
  ...{ attemptsMax: 5, timeoutMs: 60_000, requestId: 'r', dispatch: 1, attempt: 1 },
  acceptedAt: '2026-03-01T09:30:00.000Z',
}
export const endedJob = { ...job, state: 'completed', finishedAt: '2026-03-01T09:31:00.000Z' }

/** No pause between attempts: what is told here is none of the clock's. */
export const atOnce = { 'retry-after': '0' }
