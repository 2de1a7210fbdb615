/** What becomes of one request. */
export type Fault =
  /** Answered so, and not served. */
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers?: Record<string, string>
      readonly body?: string
    }
  /** Served, and the answer breaks off in its middle. */
  | { readonly kind: 'torn' }
  /** Served, and no byte of the answer's body arrives. */
  | { readonly kind: 'lost' }

export type FaultServer = {
  readonly url: string
  /** `METHOD /path` of what has come in, without queries. */
  readonly requests: string[]
  /** Strikes the next `times` requests for which `isMeant` holds. */
  strike(fault: Fault, options?: { times?: number; isMeant?: (request: Request) => boolean }): void
  clear(): void
  stop(): Promise<void>
}

type Strike = {
  readonly fault: Fault
  readonly isMeant: (request: Request) => boolean
  left: number
}

/** A server of a double, on loopback, that can be made to fail on purpose. */
export function faultServer(serve: (request: Request) => Promise<Response>): FaultServer {
  const strikes: Strike[] = []
  const requests: string[] = []

  function nextFault(request: Request): Fault | undefined {
    const strike = strikes.find(({ left, isMeant }) => left > 0 && isMeant(request))
    if (strike === undefined) return undefined
    strike.left -= 1
    return strike.fault
  }

  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      requests.push(`${request.method} ${new URL(request.url).pathname}`)
      const fault = nextFault(request)
      if (fault?.kind === 'answer') {
        const { status, headers = {}, body = '' } = fault
        return new Response(body, { status, headers })
      }
      const answer = await serve(request)
      if (fault === undefined) return answer
      const bytes = new Uint8Array(await answer.arrayBuffer())
      const sent = fault.kind === 'torn' ? bytes.slice(0, Math.floor(bytes.length / 2)) : undefined
      return new Response(brokenOff(sent), { status: answer.status, headers: answer.headers })
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}`,
    requests,
    strike(fault, { times = 1, isMeant = () => true } = {}) {
      strikes.push({ fault, isMeant, left: times })
    },
    clear() {
      strikes.length = 0
      requests.length = 0
    },
    stop: () => server.stop(true),
  }
}

function brokenOff(sent: Uint8Array | undefined): ReadableStream<Uint8Array> {
  let isFirst = true
  return new ReadableStream({
    pull(controller) {
      if (isFirst && sent !== undefined) controller.enqueue(sent)
      else controller.error(new Error('cut on purpose'))
      isFirst = false
    },
  })
}
