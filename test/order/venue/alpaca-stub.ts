import type { Server, ServerWebSocket } from 'bun'
import { z } from 'zod'
import { alpacaExchange, fault } from './alpaca-exchange.ts'

/** What a request meets instead of an answer. */
export type StubFault =
  | {
      readonly kind: 'status'
      readonly status: number
      readonly body?: object
      readonly headers?: Record<string, string>
    }
  /** The request is served; its answer breaks off in the middle. */
  | { readonly kind: 'cut-answer' }
  /** The request is not served and never answered. */
  | { readonly kind: 'hang' }
  | { readonly kind: 'text'; readonly text: string }

export const stubKeys = { keyId: 'PKSTUB', secretKey: 'stub-secret' }

const login = z.object({ data: z.object({ key_id: z.string(), secret_key: z.string() }) })

/** Alpaca's trading interface on loopback: documented answers, and faults as they are planned. */
export function alpacaStub() {
  const { venue, updateOf, serve } = alpacaExchange()
  const planned: { readonly matches: RegExp; readonly fault: StubFault }[] = []
  const requests: string[] = []
  const sockets = new Set<ServerWebSocket<undefined>>()
  let keys = stubKeys
  let isStreamUp = true
  let pings = 0
  let pingsDue: { readonly count: number; readonly resolve: () => void } | undefined

  /** Binary frames, as Alpaca's paper stream sends them. */
  function send(message: object): void {
    for (const socket of sockets) socket.sendBinary(Buffer.from(JSON.stringify(message)))
  }

  const streaming = venue.stream({
    async onReport(report) {
      const data = await updateOf(report)
      if (data !== undefined) send({ stream: 'trade_updates', data })
    },
    onDisconnect: () => undefined,
    onReconnect: () => undefined,
  })

  function isKnown(keyId: string | null, secretKey: string | null): boolean {
    return keyId === keys.keyId && secretKey === keys.secretKey
  }

  async function answer(request: Request): Promise<Response> {
    const { headers, method, url } = request
    const asked = `${method} ${new URL(url).pathname}`
    requests.push(asked)
    if (!isKnown(headers.get('apca-api-key-id'), headers.get('apca-api-secret-key'))) {
      return fault(401, 40110000, 'request is not authorized')
    }
    const at = planned.findIndex(({ matches }) => matches.test(asked))
    const [met] = at === -1 ? [] : planned.splice(at, 1)
    return met === undefined ? await serve(request) : await meet(met.fault, () => serve(request))
  }

  function upgrade(request: Request, own: Server<undefined>): Response | undefined {
    if (isStreamUp && own.upgrade(request, { data: undefined })) return undefined
    return new Response('away', { status: 503 })
  }

  function hear(socket: ServerWebSocket<undefined>, text: string): void {
    const parsed = login.safeParse(JSON.parse(text))
    if (!parsed.success) {
      sockets.add(socket)
      socket.send(JSON.stringify({ stream: 'listening', data: { streams: ['trade_updates'] } }))
      return
    }
    const { key_id, secret_key } = parsed.data.data
    const status = isKnown(key_id, secret_key) ? 'authorized' : 'unauthorized'
    const data = { status, action: 'authenticate' }
    socket.send(JSON.stringify({ stream: 'authorization', data }))
  }

  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    fetch: (request, own) =>
      new URL(request.url).pathname === '/stream' ? upgrade(request, own) : answer(request),
    websocket: {
      message: (socket, text) => hear(socket, String(text)),
      ping: () => {
        pings += 1
        if (pings === pingsDue?.count) pingsDue.resolve()
      },
      close: (socket) => {
        sockets.delete(socket)
      },
    },
  })

  return {
    url: `http://127.0.0.1:${server.port}`,
    venue,
    /** `METHOD /path` of each, in order. */
    requests,
    send,
    /** Each of the faults meets one request that matches. */
    plan(matches: RegExp, ...faults: readonly StubFault[]) {
      planned.push(...faults.map((each) => ({ matches, fault: each })))
    },
    setKeys(next: typeof stubKeys) {
      keys = next
    },
    /** Cuts every stream and takes no new one. */
    cutStream() {
      isStreamUp = false
      for (const socket of sockets) socket.terminate()
    },
    mendStream() {
      isStreamUp = true
    },
    /** Resolves with the ping of that number. */
    pinged(count: number): Promise<void> {
      return new Promise((resolve) => {
        pingsDue = { count, resolve }
      })
    },
    async close() {
      await (await streaming).close()
      await server.stop(true)
    },
  }
}

async function meet(met: StubFault, serve: () => Promise<Response>): Promise<Response> {
  switch (met.kind) {
    case 'status':
      return Response.json(met.body ?? {}, { status: met.status, headers: met.headers ?? {} })
    case 'text':
      return new Response(met.text)
    case 'hang':
      return await new Promise<Response>(() => undefined)
    case 'cut-answer': {
      const text = await (await serve()).text()
      return new Response(tornOff(text.slice(0, text.length / 2)))
    }
  }
}

function tornOff(text: string): ReadableStream<Uint8Array> {
  let isSent = false
  return new ReadableStream({
    pull(controller) {
      // Without a reason, which the server would print.
      if (isSent) controller.error()
      else controller.enqueue(Buffer.from(text))
      isSent = true
    },
  })
}
