import type { StreamHandlers, Venue } from '../venue.ts'
import { pauseUnlessEnded } from './report-delivery.ts'

/** Milliseconds before a stream that did not open is tried again, doubled up to the second. */
const retryMsDefault = 1_000
const retryMsMax = 30_000

export type AlpacaStreams = {
  /**
   * Resolves once the venue's stream is open, or known not to open yet: then it is tried on. A
   * venue is followed once.
   */
  follow(venue: Venue): Promise<void>
  close(): Promise<void>
}

/** The streams of several accounts to the same handlers. One that is away keeps nobody waiting. */
export function alpacaStreams(
  handlers: StreamHandlers,
  retryMs: number = retryMsDefault,
): AlpacaStreams {
  const ended = new AbortController()
  const { signal } = ended
  const closing = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  const tries = new Map<Venue, Promise<void>>()
  const running: Promise<void>[] = []

  /** Undefined when it did not open, or was not waited for. */
  async function open(venue: Venue) {
    const opening = venue.stream(handlers).catch(() => undefined)
    const opened = await Promise.race([opening, closing])
    // A server that says nothing may take seconds to be given up; nobody waits for that to stop.
    if (opened === undefined) void opening.then((late) => late?.close())
    return opened
  }

  /** Undefined when it was to end before. */
  async function openLater(venue: Venue) {
    handlers.onDisconnect()
    for (let waitMs = retryMs; !signal.aborted; waitMs = Math.min(waitMs * 2, retryMsMax)) {
      await pauseUnlessEnded(waitMs, signal)
      const stream = signal.aborted ? undefined : await open(venue)
      if (stream === undefined) continue
      handlers.onReconnect()
      return stream
    }
    return undefined
  }

  async function keepOpen(venue: Venue, onTried: () => void): Promise<void> {
    const first = await open(venue)
    onTried()
    const stream = first ?? (await openLater(venue))
    await closing
    await stream?.close()
  }

  return {
    follow(venue) {
      const known = tries.get(venue)
      if (known !== undefined) return known
      const tried = Promise.withResolvers<void>()
      tries.set(venue, tried.promise)
      running.push(keepOpen(venue, tried.resolve))
      return tried.promise
    },
    async close() {
      ended.abort()
      await Promise.all(running)
    },
  }
}
