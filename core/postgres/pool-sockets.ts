import type { Socket } from 'node:net'
import type { DatabaseAddress } from './database-url.ts'
import { type DriverSocket, deadSocket, driverSocket } from './driver-socket.ts'
import { openServerSocket } from './server-socket.ts'

/**
 * Milliseconds for name, TCP and TLS together, and as many again for the server's first word; a
 * server in the same network needs a few.
 */
const connectTimeoutMs = 2_000
/** Milliseconds after a failed attempt in which nobody tries again: callers fail at once. */
const retryPauseMs = 100
/** Milliseconds between two looks at whether a connection is still answered. */
const silenceCheckMs = 500

type Watch = {
  readonly failed: (fault: unknown) => void
  readonly heard: () => void
}

export type PoolSockets = {
  readonly open: () => Promise<DriverSocket>
  readonly areIdle: () => boolean
  /** None is open. */
  readonly areClosed: () => boolean
  readonly count: () => ConnectionCount
}

/** Busy ones owe an answer or are in a transaction. */
export type ConnectionCount = { readonly idle: number; readonly busy: number }

/**
 * Opens the sockets of one pool. While the server is down one caller tries and all others fail at
 * once: postgres.js would let each wait for its turn to be refused, or for ever behind a proxy that
 * accepts and hangs up. A failure arrives as an event of the socket, because postgres.js loses the
 * connection for good when its socket factory throws.
 */
export function poolSockets(options: {
  readonly address: DatabaseAddress
  /** Milliseconds that a server may owe an answer and say nothing; 0 waits for ever. */
  readonly answerTimeoutMs: number
}): PoolSockets {
  const sockets = new Set<DriverSocket>()
  let failure: { readonly at: number; readonly fault: unknown } | undefined
  let isProbing = false
  const watch: Watch = {
    failed(fault) {
      failure = { at: performance.now(), fault }
      isProbing = false
    },
    heard() {
      failure = undefined
      isProbing = false
    },
  }
  async function open(): Promise<DriverSocket> {
    if (failure !== undefined) {
      if (isProbing || performance.now() - failure.at < retryPauseMs) {
        return deadSocket(failure.fault)
      }
      isProbing = true
    }
    try {
      const raw = await openServerSocket(options.address, connectTimeoutMs)
      watchFirstWord(raw, watch)
      if (options.answerTimeoutMs > 0) watchSilence(raw, options.answerTimeoutMs, watch)
      const socket = driverSocket(raw)
      sockets.add(socket)
      raw.once('close', () => sockets.delete(socket))
      return socket
    } catch (fault) {
      watch.failed(fault)
      return deadSocket(fault)
    }
  }
  return {
    open,
    areIdle: () => [...sockets].every((socket) => socket.isIdle()),
    areClosed: () => sockets.size === 0,
    count() {
      const idle = [...sockets].filter((socket) => socket.isIdle()).length
      return { idle, busy: sockets.size - idle }
    },
  }
}

/** A proxy in front of a dead server accepts and hangs up: that is a failure to connect too. */
function watchFirstWord(raw: Socket, { failed, heard }: Watch): void {
  let isHeard = false
  let fault: unknown
  const late = setTimeout(
    () => raw.destroy(new Error(`no answer within ${connectTimeoutMs} ms`)),
    connectTimeoutMs,
  )
  raw.once('data', () => {
    isHeard = true
    clearTimeout(late)
    heard()
  })
  raw.once('error', (error) => {
    fault = error
  })
  raw.once('close', () => {
    clearTimeout(late)
    if (!isHeard) failed(fault ?? new Error('the server hung up'))
  })
}

/**
 * Ends a connection whose peer owes an answer and gives no sign of life: a machine that lost power
 * leaves its sockets open for a quarter of an hour.
 */
function watchSilence(raw: Socket, answerTimeoutMs: number, { failed }: Watch): void {
  let answered = 0
  let taken = 0
  let silentSince: number | undefined
  raw.on('data', () => {
    answered = raw.bytesWritten
    silentSince = undefined
  })
  const timer = setInterval(() => {
    const now = performance.now()
    const sent = raw.bytesWritten - raw.writableLength
    // Bytes that the peer still takes, as in a long COPY, are a sign of life.
    const isAlive = raw.bytesWritten === answered || sent !== taken
    taken = sent
    silentSince = isAlive ? undefined : (silentSince ?? now)
    if (silentSince === undefined || now - silentSince < answerTimeoutMs) return
    const fault = new Error(`no answer for ${answerTimeoutMs} ms`)
    failed(fault)
    raw.destroy(fault)
  }, silenceCheckMs)
  timer.unref()
  raw.once('close', () => clearInterval(timer))
}
