import type { StreamHandlers, VenueReport } from '../venue.ts'
import type { PaperDice } from './paper-faults.ts'
import type { BookedReport } from './postgres-paper-book.ts'
import { deliverReports, pauseUnlessEnded } from './report-delivery.ts'

/** What another process committed is told this late at most. */
const pollMsDefault = 500
/** Reports under way; above, they wait in the book. */
const pendingMax = 10_000

export type PaperStreamOptions = {
  readonly handlers: StreamHandlers
  readonly dice: PaperDice
  /** The id behind which the stream starts. */
  readonly start: bigint
  /** A page of reports behind an id; rejects while the book cannot be read. */
  readonly read: (after: bigint) => Promise<readonly BookedReport[]>
  readonly pollMs?: number
}

export type PaperStream = {
  /** What this process has just committed. */
  push(reports: readonly BookedReport[]): void
  /** Resolves when no handler is running any more. */
  close(): Promise<void>
}

/**
 * Tells each report at least once. Reports of this process come by `push`; a poll by id finds those
 * of others, and what was committed without an answer.
 */
export function paperStream(options: PaperStreamOptions): PaperStream {
  const { handlers, dice, read, pollMs = pollMsDefault } = options
  const ended = new AbortController()
  const { signal } = ended
  const delivery = deliverReports(handlers.onReport, signal, 'together')
  /** Everything up to here has been told. */
  let cursor = options.start
  /** Told already, above the cursor. */
  const pushed = new Set<bigint>()
  let wasConnected = true

  function tell(report: VenueReport): void {
    for (const lateMs of dice.deliveriesMs()) delivery.tell(report, lateMs)
  }

  /** How many it found; undefined when the book could not be read. */
  async function poll(): Promise<number | undefined> {
    if (delivery.pending >= pendingMax) return 0
    const page = await read(cursor).catch(() => undefined)
    for (const { id, report } of page ?? []) {
      // Pushed while the page was read.
      if (id <= cursor) continue
      if (!pushed.delete(id)) tell(report)
      cursor = id
    }
    return page?.length
  }

  function tellConnection(isConnected: boolean): void {
    if (isConnected === wasConnected) return
    wasConnected = isConnected
    if (isConnected) handlers.onReconnect()
    else handlers.onDisconnect()
  }

  async function follow(): Promise<void> {
    while (!signal.aborted) {
      const found = await poll()
      tellConnection(found !== undefined)
      if (!found) await pauseUnlessEnded(pollMs, signal)
    }
  }

  const following = follow()
  return {
    push(reports) {
      for (const { id, report } of reports) {
        const isTold = id <= cursor || pushed.has(id)
        if (isTold || signal.aborted || delivery.pending >= pendingMax) continue
        pushed.add(id)
        tell(report)
        // Ids have no number between two that follow each other: nothing else is to be read there.
        while (pushed.delete(cursor + 1n)) cursor += 1n
      }
    },
    async close() {
      ended.abort()
      await following
      await delivery.settled()
    },
  }
}
