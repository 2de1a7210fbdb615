/** What a caller did and was told; times are milliseconds of one monotonic clock. */
export type Told = {
  readonly startedMs: number
  readonly endedMs: number
  /** Undefined: nobody answered, so that what happened is unknown. */
  readonly status: number | undefined
  readonly requestId: string | undefined
  /** The answer is that of an earlier request, and so is the record. */
  readonly isReplayed: boolean
}

export type History = {
  /** Jobs by their Idempotency-Key: the ids that callers were given for it. */
  readonly jobs: Map<string, Set<string>>
  /** Orders by their client order id. */
  readonly orders: Map<string, Set<string>>
  /** Requests that changed something and were answered 2xx. */
  readonly acknowledged: Told[]
  /** Answers that no client should ever get. */
  readonly strange: string[]
  /** Requests that got no answer, or were told to come again. */
  readonly outages: Told[]
  /** A job from its request to its end, again and again. */
  readonly probes: Told[]
  /** Uses of tokens, and since when they are dead everywhere. */
  readonly thefts: Map<string, Told[]>
  readonly deadSince: Map<string, number>
}

export function emptyHistory(): History {
  return {
    jobs: new Map(),
    orders: new Map(),
    acknowledged: [],
    strange: [],
    outages: [],
    probes: [],
    thefts: new Map(),
    deadSince: new Map(),
  }
}

/** What an outage may look like to a caller: refused connections, 503, 429 and no answer at all. */
export function isOutage(status: number | undefined): boolean {
  return status === undefined || status === 503 || status === 429
}

export const nowMs = () => performance.now()

export function remember(into: Map<string, Set<string>>, key: string, id?: string): void {
  const known = into.get(key) ?? new Set()
  if (id !== undefined) known.add(id)
  into.set(key, known)
}

export type Recovery = {
  /** From the first probe that failed to the end of the last one that did; 0 if none did. */
  readonly awayMs: number
  /** From the end of the cause to then. */
  readonly recoveryMs: number
}

/** What the probes saw of a fault that began and ended then. */
export function recoveryOf(
  probes: readonly Told[],
  fault: { readonly beganMs: number; readonly endedMs: number },
): Recovery {
  const failed = probes.filter(
    ({ status, startedMs, endedMs }) =>
      status !== 200 && Math.max(startedMs, endedMs) >= fault.beganMs,
  )
  const first = failed.at(0)
  const last = failed.at(-1)
  if (first === undefined || last === undefined) return { awayMs: 0, recoveryMs: 0 }
  const next = probes.find(({ startedMs, status }) => status === 200 && startedMs > last.startedMs)
  const backMs = next?.endedMs ?? last.endedMs
  return {
    awayMs: backMs - first.startedMs,
    recoveryMs: Math.max(0, backMs - fault.endedMs),
  }
}
