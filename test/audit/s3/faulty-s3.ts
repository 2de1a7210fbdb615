/** What happens to one request on its way to the real server. */
export type Fault =
  /** 503, and the server never hears of it. */
  | 'unavailable'
  /** The server does it, and the answer is 503. */
  | 'lost answer'
  /** 409, as when two write one key at once. */
  | 'conflict'
  /** No answer at all. */
  | 'silence'
  /** The head of the answer and half of the body. */
  | 'half'

/** An S3 endpoint in front of another that breaks the next requests, one by one, as it is told. */
export function faultyS3(endpoint: string) {
  const faults: Fault[] = []
  let requests = 0
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 60,
    async fetch(request) {
      requests += 1
      const fault = faults.shift()
      if (fault === 'unavailable') return refusal(503, 'SlowDown')
      if (fault === 'conflict') return refusal(409, 'ConditionalRequestConflict')
      if (fault === 'silence') {
        await new Promise((resolve) => request.signal.addEventListener('abort', resolve))
        return new Response(null)
      }
      const { pathname, search } = new URL(request.url)
      const body = request.method === 'PUT' ? await request.arrayBuffer() : null
      const answer = await fetch(`${endpoint}${pathname}${search}`, {
        method: request.method,
        headers: request.headers,
        body,
        decompress: false,
      })
      if (fault === 'lost answer') return refusal(503, 'ServiceUnavailable')
      if (fault !== 'half') return answer
      const bytes = await answer.arrayBuffer()
      return new Response(bytes.slice(0, bytes.byteLength / 2), { headers: answer.headers })
    },
  })
  return {
    endpoint: `http://127.0.0.1:${server.port}`,
    /** Breaks the next requests; resolves with how many came while `act` ran. */
    async during(next: readonly Fault[], act: () => Promise<unknown>): Promise<number> {
      faults.splice(0, faults.length, ...next)
      const before = requests
      await act()
      faults.length = 0
      return requests - before
    },
    stop: () => server.stop(true),
  }
}

function refusal(status: number, code: string): Response {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>told to</Message></Error>`
  return new Response(body, { status, headers: { 'content-type': 'application/xml' } })
}
