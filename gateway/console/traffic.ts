/** What a gateway has answered since its start, as it tells Prometheus. */
export type Traffic = {
  readonly atMs: number
  readonly requests: number
  /** 4xx: by us, with a reason. */
  readonly refused: number
  /** 5xx. */
  readonly failed: number
  /** Requests by the seconds within which they were answered, cumulative. */
  readonly within: ReadonlyMap<number, number>
}

const line = /^postern_http_request_seconds_(bucket|count)\{([^}]*)\} (\S+)$/gm

export function trafficOf(text: string, atMs: number): Traffic {
  const within = new Map<number, number>()
  let [requests, refused, failed] = [0, 0, 0]
  for (const [, part, labels = '', told] of text.matchAll(line)) {
    const count = Number(told)
    if (part === 'bucket') {
      const bound = boundOf(labels)
      within.set(bound, (within.get(bound) ?? 0) + count)
      continue
    }
    requests += count
    const status = /status="(\d)/.exec(labels)?.[1]
    if (status === '4') refused += count
    if (status === '5') failed += count
  }
  return { atMs, requests, refused, failed, within }
}

function boundOf(labels: string): number {
  const text = /le="([^"]+)"/.exec(labels)?.[1]
  return text === undefined || text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text)
}

/** What happened between two looks; undefined where the process was started anew in between. */
export type Rates = {
  readonly perSecond: number
  readonly refusedShare: number
  readonly failedShare: number
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
}

export function ratesBetween(before: Traffic, after: Traffic): Rates | undefined {
  const requests = after.requests - before.requests
  const seconds = (after.atMs - before.atMs) / 1_000
  if (requests < 0 || seconds <= 0) return undefined
  const shareOf = (count: number) => (requests === 0 ? 0 : count / requests)
  const buckets = [...after.within]
    .map(([bound, count]) => ({ bound, count: count - (before.within.get(bound) ?? 0) }))
    .toSorted((a, b) => a.bound - b.bound)
  return {
    perSecond: requests / seconds,
    refusedShare: shareOf(after.refused - before.refused),
    failedShare: shareOf(after.failed - before.failed),
    p50Ms: quantileMs(buckets, requests, 0.5),
    p99Ms: quantileMs(buckets, requests, 0.99),
  }
}

/** As Prometheus does it: evenly within the bucket. Undefined above the last bound. */
function quantileMs(
  buckets: readonly { readonly bound: number; readonly count: number }[],
  requests: number,
  quantile: number,
): number | undefined {
  const rank = quantile * requests
  const at = buckets.findIndex(({ count }) => count >= rank && count > 0)
  const bucket = buckets[at]
  if (bucket === undefined || !Number.isFinite(bucket.bound)) return undefined
  const below = buckets[at - 1] ?? { bound: 0, count: 0 }
  const inside = bucket.count - below.count
  const part = inside === 0 ? 1 : (rank - below.count) / inside
  return (below.bound + (bucket.bound - below.bound) * part) * 1_000
}
