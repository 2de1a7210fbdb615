/** What happens to the next request: answered in its place, or passed on and its answer lost. */
export type Fault = { readonly status: number } | 'lose-answer'

/**
 * A front before an S3 endpoint that fails on purpose: each request takes the next of `faults`, and
 * goes through once there is none. `requests` counts them all.
 */
export function faultyFront(endpoint: string) {
  const faults: Fault[] = []
  const seen = { requests: 0 }
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      seen.requests += 1
      const fault = faults.shift()
      if (typeof fault === 'object') return new Response(null, fault)
      const { pathname, search } = new URL(request.url)
      const answer = await fetch(`${endpoint}${pathname}${search}`, {
        method: request.method,
        headers: request.headers,
        decompress: false,
        ...(request.method === 'GET' || request.method === 'HEAD'
          ? {}
          : { body: await request.arrayBuffer() }),
      })
      if (fault === 'lose-answer') return new Response(null, { status: 500 })
      // Read whole, so that the length stands before it as in the answer of the service.
      const { status, headers } = answer
      return new Response(await answer.arrayBuffer(), { status, headers })
    },
  })
  return {
    endpoint: `http://127.0.0.1:${server.port}`,
    faults,
    seen,
    stop: () => server.stop(true),
  }
}
