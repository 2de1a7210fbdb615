import { setTimeout as pause } from 'node:timers/promises'
import type { VenueReport } from '../venue.ts'
import { keyOf, type OrderKey } from './order-key.ts'

/** Milliseconds between attempts at a report that its handler could not take, doubled each time. */
const againMs = 50
const againMsMax = 5_000

/** Of reports, or of what one is made of when it is handed over. */
export type ReportDelivery<Report extends OrderKey = VenueReport> = {
  /** `lateMs` keeps a report back, and lets later ones of its order pass it. */
  tell(report: Report, lateMs?: number): void
  /** Reports that no handler has taken yet. */
  readonly pending: number
  /** Resolves when no handler is running any more; only after the signal. */
  settled(): Promise<void>
}

/**
 * Hands reports to their handler, each again until it is taken or the signal ends it: those of
 * different orders at once, those of one order one after another, or `together` at once too, in the
 * order they came, for a handler that takes what comes together in one commit.
 */
export function deliverReports<Report extends OrderKey>(
  onReport: (report: Report) => Promise<void>,
  signal: AbortSignal,
  order: 'one-by-one' | 'together' = 'one-by-one',
): ReportDelivery<Report> {
  /** The last delivery of each order. */
  const tails = new Map<string, Promise<void>>()
  const running = new Set<Promise<void>>()

  async function deliver(report: Report, before: Promise<void> | undefined): Promise<void> {
    if (before !== undefined) await before
    for (let waitMs = againMs; !signal.aborted; waitMs = Math.min(waitMs * 2, againMsMax)) {
      try {
        await onReport(report)
        return
      } catch {
        // Whoever handles reports has logged why; the report stays due.
        await pauseUnlessEnded(waitMs, signal)
      }
    }
  }

  return {
    tell(report, lateMs = 0) {
      const key = keyOf(report)
      const before = lateMs > 0 ? pauseUnlessEnded(lateMs, signal) : tails.get(key)
      const delivery = deliver(report, before).finally(() => {
        running.delete(delivery)
        if (tails.get(key) === delivery) tails.delete(key)
      })
      running.add(delivery)
      if (lateMs === 0 && order === 'one-by-one') tails.set(key, delivery)
    },
    get pending() {
      return running.size
    },
    async settled() {
      await Promise.all(running)
    },
  }
}

/** Resolves early when the signal comes; never rejects. */
export async function pauseUnlessEnded(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch(() => undefined)
}
