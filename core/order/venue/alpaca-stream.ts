import { z } from 'zod'
import { parsedJson } from '../../reading/parsed-json.ts'
import { type AlpacaCredentials, unavailable } from './alpaca-http.ts'
import { pauseUnlessEnded } from './report-delivery.ts'

/** Milliseconds without a byte after which a server counts as gone. */
const silenceMsDefault = 30_000
/** Milliseconds for connecting, logging in and subscribing. */
const openingMsMax = 10_000
/** Milliseconds before the first attempt to connect again, doubled up to the second. */
const reconnectMs = 500
const reconnectMsMax = 30_000
/** Characters; an update is some thousands. */
const messageCharsMax = 1_048_576

const messageSchema = z.object({ stream: z.string(), data: z.unknown() })
const authorizationSchema = z.object({ status: z.string() })
const listeningSchema = z.object({ streams: z.array(z.string()) })

export type AlpacaStreamOptions = {
  /** `wss://…/stream`. */
  readonly url: string
  readonly credentials: () => Promise<AlpacaCredentials>
  /** The `data` of each `trade_updates` message; undefined for one that is not readable. */
  readonly onUpdate: (data: unknown) => void
  readonly onDisconnect: () => void
  readonly onReconnect: () => void
  readonly signal: AbortSignal
  readonly silenceMs?: number
}

type Connection = { readonly closed: Promise<void> }

/**
 * Resolves once updates come; throws `venue.unavailable` when the first attempt fails. After that it
 * connects again for as long as the signal lets it; what it resolves to settles then.
 */
export async function followAlpaca(
  options: AlpacaStreamOptions,
): Promise<{ readonly ended: Promise<void> }> {
  const { signal } = options
  const first = await connect(options)

  async function reconnect(): Promise<Connection | undefined> {
    let waitMs = reconnectMs
    while (!signal.aborted) {
      await pauseUnlessEnded(waitMs, signal)
      waitMs = Math.min(waitMs * 2, reconnectMsMax)
      const connection = await connect(options).catch(() => undefined)
      if (connection !== undefined) return connection
    }
    return undefined
  }

  async function follow(): Promise<void> {
    let connection: Connection | undefined = first
    while (connection !== undefined) {
      await connection.closed
      if (signal.aborted) return
      options.onDisconnect()
      connection = await reconnect()
      if (connection !== undefined) options.onReconnect()
    }
  }

  return { ended: follow() }
}

/** Resolves when the server has said that it sends updates. */
async function connect(options: AlpacaStreamOptions): Promise<Connection> {
  const { keyId, secretKey } = await options.credentials()
  const opened = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  const socket = new WebSocket(options.url)
  socket.binaryType = 'arraybuffer'
  const send = (message: object) => socket.send(JSON.stringify(message))
  const stopWatching = watchSilence(socket, options.silenceMs ?? silenceMsDefault)
  const end = () => socket.terminate()
  options.signal.addEventListener('abort', end, { once: true })
  const opening = setTimeout(end, openingMsMax)

  socket.addEventListener('open', () => {
    send({ action: 'authenticate', data: { key_id: keyId, secret_key: secretKey } })
  })
  socket.addEventListener('message', ({ data }) => {
    const message = readMessage(data)
    if (message?.stream === 'authorization') {
      const login = authorizationSchema.safeParse(message.data)
      if (login.data?.status === 'authorized') {
        send({ action: 'listen', data: { streams: ['trade_updates'] } })
      } else end()
    } else if (message?.stream === 'listening') {
      const listening = listeningSchema.safeParse(message.data)
      if (listening.data?.streams.includes('trade_updates') === true) opened.resolve()
    } else if (message === undefined || message.stream === 'trade_updates') {
      options.onUpdate(message?.data)
    }
  })
  socket.addEventListener('close', () => {
    clearTimeout(opening)
    stopWatching()
    options.signal.removeEventListener('abort', end)
    opened.reject(unavailable('the stream did not open', {}))
    closed.resolve()
  })
  await opened.promise
  clearTimeout(opening)
  return { closed: closed.promise }
}

/** Text or binary frames, as the server likes; undefined when it is no message. */
function readMessage(data: unknown): z.infer<typeof messageSchema> | undefined {
  const text = data instanceof ArrayBuffer ? new TextDecoder().decode(data) : data
  if (typeof text !== 'string' || text.length > messageCharsMax) return undefined
  return messageSchema.safeParse(parsedJson(text)).data
}

/** Asks for a sign of life three times within the silence it bears. */
function watchSilence(socket: WebSocket, silenceMs: number): () => void {
  let heardMs = performance.now()
  const hear = () => {
    heardMs = performance.now()
  }
  for (const sign of ['open', 'message', 'ping', 'pong']) socket.addEventListener(sign, hear)
  const timer = setInterval(() => {
    if (performance.now() - heardMs > silenceMs) socket.terminate()
    else if (socket.readyState === WebSocket.OPEN) socket.ping()
  }, silenceMs / 3)
  return () => clearInterval(timer)
}
