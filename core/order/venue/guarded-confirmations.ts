import type { BegunCall, GuardedBreaker } from './guarded-breaker.ts'
import { keyOf, type OrderKey } from './order-key.ts'
import type { CallOutcome, VenueCall } from './venue-calls.ts'

/** Orders that wait for their first report; what exceeds this is not watched. */
const awaitedMax = 20_000

export type Confirmations = {
  /** Gives up on what is overdue. */
  sweep(): void
  /** Returns what takes the call's outcome. */
  begin(call: VenueCall): (outcome: CallOutcome) => void
  heard(report: OrderKey): void
  /** Without a stream no report can come, and none is missed. */
  opened(): void
  closed(): void
}

type AwaitedReport = {
  readonly breaker: GuardedBreaker
  readonly begun: BegunCall
  readonly dueMs: number
}

/** Holds a venue to what it accepts: an order is confirmed by any report that the stream tells of it. */
export function confirmations(options: {
  readonly breakerOf: (account: string) => GuardedBreaker
  readonly now: () => number
  readonly confirmMs: number
}): Confirmations {
  const { breakerOf, now, confirmMs } = options
  /** Submitted and not answered yet; a report may overtake the answer. */
  const sent = new Map<string, { isHeard: boolean }>()
  /** In the order of their time. */
  const awaited = new Map<string, AwaitedReport>()
  let streams = 0

  function isWatched(call: VenueCall, key: string): boolean {
    if (call.name !== 'submit' || streams === 0 || awaited.size >= awaitedMax) return false
    return !sent.has(key) && !awaited.has(key)
  }

  return {
    sweep() {
      const nowMs = now()
      for (const [key, { breaker, begun, dueMs }] of awaited) {
        if (dueMs > nowMs) return
        awaited.delete(key)
        breaker.end(begun, 'failed')
      }
    },
    begin(call) {
      const { account, clientOrderId = '' } = call
      const breaker = breakerOf(account)
      const begun = breaker.begin(true)
      const key = keyOf({ account, clientOrderId })
      if (!isWatched(call, key)) return () => breaker.end(begun, 'nothing')
      const entry = { isHeard: false }
      sent.set(key, entry)
      return (outcome) => {
        sent.delete(key)
        if (outcome !== 'accepted' || streams === 0) breaker.end(begun, 'nothing')
        else if (entry.isHeard) breaker.end(begun, 'ok')
        else awaited.set(key, { breaker, begun, dueMs: now() + confirmMs })
      }
    },
    heard(report) {
      const key = keyOf(report)
      const entry = sent.get(key)
      if (entry !== undefined) entry.isHeard = true
      const waiting = awaited.get(key)
      if (waiting === undefined) return
      awaited.delete(key)
      waiting.breaker.end(waiting.begun, 'ok')
    },
    opened() {
      streams += 1
    },
    closed() {
      streams -= 1
      if (streams > 0) return
      for (const { breaker, begun } of awaited.values()) breaker.end(begun, 'nothing')
      awaited.clear()
    },
  }
}
