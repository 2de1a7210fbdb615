import { z } from 'zod'
import { scoreRequests } from './stage.ts'

/** One request in so many is a job; the others look at the one before. */
const jobEvery = 10
const swapsEach = 20
const bodiesMax = 500
const answerMsMax = 10_000
const accepted = z.object({ id: z.uuid() })

export type LoadTally = {
  readonly requests: number
  readonly ids: ReadonlySet<string>
  readonly failures: readonly string[]
  readonly slowestMs: number
}

/** At a fixed rate, whatever the answers take, to all gateways in turn. */
export function startLoad(options: {
  readonly urls: readonly string[]
  readonly token: (index: number) => string
  /** Requests a second. */
  readonly rate: number
}): { stop(): Promise<LoadTally> } {
  const { urls, token, rate } = options
  const next = scoreRequests(1, swapsEach)
  // Made before: what takes the client a millisecond is a request that it does not send.
  const bodies = Array.from({ length: bodiesMax }, next)
  const ids = new Set<string>()
  const failures: string[] = []
  let requests = 0
  let slowestMs = 0
  let last: string | undefined
  let isOver = false

  function requestOf(index: number): Request {
    const url = `${urls[index % urls.length]}/v1/jobs`
    const signal = AbortSignal.timeout(answerMsMax)
    const authorization = `Bearer ${token(index)}`
    if (last !== undefined && index % jobEvery !== 0) {
      return new Request(`${url}/${last}`, { headers: { authorization }, signal })
    }
    const typed = { 'content-type': 'application/json', 'idempotency-key': `rotation-${index}` }
    const headers = { authorization, ...typed }
    return new Request(`${url}/score-wallet`, {
      method: 'POST',
      headers,
      body: bodies[index % bodiesMax] ?? '',
      signal,
    })
  }

  async function send(index: number): Promise<void> {
    const askedAt = performance.now()
    const request = requestOf(index)
    try {
      const answer = await fetch(request)
      const text = await answer.text()
      if (!answer.ok) throw new Error(text)
      if (request.method === 'GET') return
      last = accepted.parse(JSON.parse(text)).id
      ids.add(last)
    } catch (error) {
      failures.push(`${request.method} ${request.url}: ${String(error).slice(0, 300)}`)
    } finally {
      slowestMs = Math.max(slowestMs, performance.now() - askedAt)
    }
  }

  async function run(): Promise<void> {
    // One job first, to have one to look at.
    await send(0)
    requests = 1
    const startedAt = performance.now()
    const answers = new Set<Promise<void>>()
    while (!isOver) {
      while (requests < ((performance.now() - startedAt) * rate) / 1_000) {
        const answer = send(requests).finally(() => answers.delete(answer))
        answers.add(answer)
        requests += 1
      }
      await Bun.sleep(1)
    }
    await Promise.all(answers)
  }

  const running = run()
  return {
    async stop() {
      isOver = true
      await running
      return { requests, ids, failures, slowestMs }
    },
  }
}
