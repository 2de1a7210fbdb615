import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { PosternError } from '../errors.ts'

const retryAfterSeconds = 1

/**
 * Makes the startup message longer than postgres.js's 1,024-byte write buffer. A connection that
 * closes with a write pending keeps both its bytes and its cancelled timer (3.4.9, `closed()`), so
 * its next startup message would wait for ever behind them; a longer one is flushed at once. The
 * `options` parameter is a command line, and blanks are an empty one.
 */
export const startupOptions = ' '.repeat(1_024)

/** What follows the length in a startup message: protocol 3.0. */
const protocolVersion = Buffer.from([0, 3, 0, 0])
const versionOffset = 4

/** ReadyForQuery, idle: the last message of an answer, outside of a transaction. */
const readyForQuery = Buffer.from([0x5a, 0, 0, 0, 5, 0x49])

/** The field of an ErrorResponse for SQLSTATE class 28; before a session is ready nothing else has its form. */
const loginRefusal = /C(28P01|28000)\0/

const notificationResponse = 0x41
/** Bytes in which an answer's end is looked for; a listening connection is asked for little. */
const notifiedBytesMax = 65_536

/** The part of a socket that postgres.js uses. */
export type DriverSocket = EventEmitter & {
  /** Everything that was sent has been answered, and no transaction is open. */
  isIdle(): boolean
  write(bytes: Buffer, done?: (error?: Error | null) => void): boolean
  end(bytes?: Buffer): void
  destroy(): void
  pause(): void
  resume(): void
  setKeepAlive(isOn: boolean, delayMs: number): void
}

/**
 * Stands between postgres.js and a socket and reports its end in two steps. At the error a
 * transaction sends its rollback, which postgres.js writes to a socket that is gone already when
 * the close comes with the error (a TypeError that nobody can catch). The close follows as one
 * without an error: only then does postgres.js reject what it was given between the two. What a
 * transaction asks later it refuses by itself (`ci/patches.mjs`).
 */
export function driverSocket(raw: Socket): DriverSocket {
  let isFirst = true
  let isEnding = false
  let [isIdle, isReady] = [false, false]
  let tail: Buffer = Buffer.alloc(0)
  let fault: unknown
  const socket = emitterWith({
    isIdle: () => isIdle || raw.destroyed,
    write(bytes, done) {
      isIdle = false
      if (raw.destroyed) {
        done?.(unavailable(fault))
        return true
      }
      const first = isFirst ? afterStale(bytes) : bytes
      isFirst = false
      return raw.write(first, done)
    },
    end(bytes) {
      isEnding = true
      if (bytes === undefined) raw.end()
      else raw.end(bytes)
    },
    destroy: () => raw.destroy(),
    pause: () => raw.pause(),
    resume: () => raw.resume(),
    setKeepAlive: (isOn, delayMs) => raw.setKeepAlive(isOn, delayMs),
  })
  Object.defineProperty(socket, 'readyState', { get: () => raw.readyState })
  raw.on('data', (bytes: Buffer) => {
    if (!isReady) {
      isReady = bytes.includes(readyForQuery)
      fault = refusalIn(bytes) ?? fault
    }
    // A message may come in pieces.
    tail = (bytes.length < readyForQuery.length ? Buffer.concat([tail, bytes]) : bytes).subarray(
      -readyForQuery.length,
    )
    // A notification comes to an idle connection, or right behind its answer, and leaves it idle.
    if (tail.equals(readyForQuery) || isNotifiedBehind(bytes)) isIdle = true
    socket.emit('data', bytes)
  })
  raw.on('drain', () => socket.emit('drain'))
  raw.on('error', (error) => {
    fault = error
  })
  raw.once('close', () => {
    if (isEnding) {
      socket.emit('close', false)
      return
    }
    socket.emit('error', unavailable(fault))
    setImmediate(() => socket.emit('close', false))
  })
  return socket
}

/** A connection that failed: says so at postgres.js's first word, when it has begun to listen. */
export function deadSocket(fault: unknown): DriverSocket {
  const nothing = () => undefined
  const socket = emitterWith({
    isIdle: () => true,
    write() {
      socket.emit('error', unavailable(fault))
      socket.emit('close', true)
      return true
    },
    end: nothing,
    destroy: nothing,
    pause: nothing,
    resume: nothing,
    setKeepAlive: nothing,
  })
  Object.defineProperty(socket, 'readyState', { value: 'closed' })
  return socket
}

/** The last answer has ended, and what follows it is a notification. */
function isNotifiedBehind(bytes: Buffer): boolean {
  if (bytes.length > notifiedBytesMax) return false
  const at = bytes.lastIndexOf(readyForQuery)
  return at >= 0 && bytes[at + readyForQuery.length] === notificationResponse
}

/**
 * What a server says to a login that it does not let in. postgres.js tells it to the statement that
 * opened the connection; those that wait behind it learn of its close alone.
 */
function refusalIn(bytes: Buffer): Error | undefined {
  const [, code] = loginRefusal.exec(bytes.toString('latin1')) ?? []
  if (code === undefined) return undefined
  return Object.assign(new Error('the server refuses the login'), { code })
}

function emitterWith(members: Omit<DriverSocket, keyof EventEmitter>): DriverSocket {
  return Object.assign(new EventEmitter(), members)
}

/** Drops what was left over from the connection before; a cancel request has no such left-overs. */
function afterStale(bytes: Buffer): Buffer {
  const start = bytes.lastIndexOf(protocolVersion) - versionOffset
  const isStartup = start >= 0 && bytes.readUInt32BE(start) === bytes.length - start
  return isStartup ? bytes.subarray(start) : bytes
}

function unavailable(fault: unknown): PosternError {
  const cause = fault ?? new Error('the server hung up')
  const code = cause instanceof Error && 'code' in cause ? `${String(cause.code)} ` : ''
  const reason = `connection: ${code}${cause instanceof Error ? cause.message : String(cause)}`
  return new PosternError('database.unavailable', { reason, retryAfterSeconds, cause })
}
