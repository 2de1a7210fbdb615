/** Seconds; a limit that names no time is asked again after it. */
const unnamedWaitSeconds = 1
/** Seconds; a venue that names more is asked sooner all the same. */
const waitSecondsMax = 60
const minuteMs = 60_000

export type RequestBudget = {
  /** Takes one request, or says in how many seconds there is one. */
  take(isUrgent: boolean): number | undefined
  /** The venue has limited us; `seconds` is what it named. Returns how long to stay away. */
  limited(seconds: number | undefined): number
}

/**
 * A bucket of a minute's requests that refills evenly. The last of them are kept for what is
 * urgent: a desk that floods its venue can still cancel.
 */
export function requestBudget(options: {
  readonly perMinute: number
  readonly urgentOnly: number
  /** Milliseconds. */
  readonly now: () => number
}): RequestBudget {
  const { perMinute, urgentOnly, now } = options
  let tokens = perMinute
  let filledMs = now()
  let blockedUntilMs = Number.NEGATIVE_INFINITY

  function refill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - filledMs)
    tokens = Math.min(perMinute, tokens + (elapsedMs * perMinute) / minuteMs)
    filledMs = nowMs
  }

  return {
    take(isUrgent) {
      const nowMs = now()
      if (nowMs < blockedUntilMs) return Math.ceil((blockedUntilMs - nowMs) / 1_000)
      refill(nowMs)
      const needed = isUrgent ? 1 : 1 + urgentOnly
      if (tokens < needed) return Math.ceil(((needed - tokens) * minuteMs) / perMinute / 1_000)
      tokens -= 1
      return undefined
    },
    limited(seconds = unnamedWaitSeconds) {
      const waitSeconds = Math.min(Math.max(seconds, unnamedWaitSeconds), waitSecondsMax)
      blockedUntilMs = now() + waitSeconds * 1_000
      return waitSeconds
    },
  }
}
