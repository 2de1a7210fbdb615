/** Requests of one route at once, whatever they take: a bound on memory. */
export const placesMax = 2_000
/** Below it a commit has no company, and nothing could be learned any more. */
export const placesMin = 16
/** Milliseconds from a place to the answer that a loaded gateway keeps to; see README, "Too many requests". */
const targetMs = 250
/** Of what the route takes by itself: work that cannot be done in `targetMs` is given twice its time. */
const targetFactor = 2
/** One is under way, the other fills. */
const commitsAtOnce = 2
/** Weight of the newest request in what a route takes by itself. */
const floorWeight = 0.1

/** The last second, by slices. */
const sliceMs = 100
const slices = 10
/** Slices in a row that are slow before anybody is refused: a checkpoint of Postgres is no overload. */
const slowSlicesMin = 20
/** Of the limit in a slice: far below the target, and where the limit is being felt for. */
const growthFast = 1.1
const growthSlow = 1.01

export type AdaptiveLimit = {
  /** Requests that may be at work at once. */
  current(nowMs: number): number
  /** It has been slow for long enough: the limit holds. */
  isBinding(): boolean
  refused(): void
  /** One has ended, behind `setTaken`: milliseconds it took, and how many were at work when it began. */
  ended(nowMs: number, tookMs: number, takenBefore: number): void
  /** How many are at work: if many are and none ends, the limit holds too. */
  setTaken(taken: number): void
}

type Slice = { ended: number; tookMs: number; refused: number }

/**
 * How many requests of one route may be at work, from how long they take. Once the mean of the last
 * second has been above the target for two, as many as leave within the target (Little's law: N = rate × time);
 * below it the limit grows. A limit that follows the rate does not fall with it: what is admitted
 * keeps the database as busy as all of them would.
 *
 * The target is 250 ms, or twice what the route takes by itself, which is learned of the first one
 * and of those that began and ended with fewer than `placesMin` at work: of others it would learn the load.
 *
 * Where requests share a commit, the rate is how many do: with fewer at work fewer would be done, and a
 * limit of both would fall to nothing. So two commits' worth are let in whatever they take: while one
 * is under way the next one fills.
 */
export function adaptiveLimit(nowMs: number, sharedCommit = 0): AdaptiveLimit {
  const least = Math.max(placesMin, commitsAtOnce * sharedCommit)
  const ring = Array.from({ length: slices }, (): Slice => ({ ended: 0, tookMs: 0, refused: 0 }))
  let limit = placesMax
  let floorMs: number | undefined
  let slowSlices = 0
  let slice = Math.floor(nowMs / sliceMs)
  let endedAtMs = nowMs
  let taken = 0

  const target = () => Math.max(targetMs, targetFactor * (floorMs ?? 0))
  const newest = () => ring[slice % slices] ?? { ended: 0, tookMs: 0, refused: 0 }

  function isSlow(atMs: number, { tookMs }: Slice, fitting: number): boolean {
    const isStuck = taken >= placesMin && atMs - endedAtMs > Math.max(target(), slices * sliceMs)
    return isStuck || tookMs > fitting
  }

  function judge(atMs: number): void {
    const second = ring.reduce(add)
    const fitting = second.ended * target()
    if (!isSlow(atMs, second, fitting)) {
      const isFar = second.refused === 0 || second.tookMs < fitting / 2
      limit = Math.min(placesMax, Math.ceil(limit * (isFar ? growthFast : growthSlow)))
      slowSlices = 0
      return
    }
    slowSlices += 1
    if (limit === placesMax && slowSlices < slowSlicesMin) return
    limit = Math.min(limit, Math.max(least, Math.round(fitting / (slices * sliceMs))))
  }

  /** Judges at each turn of a slice; of many that went by in silence, the last ones are enough. */
  function roll(atMs: number): void {
    const now = Math.floor(atMs / sliceMs)
    // A clock that is set back begins a slice anew.
    if (now < slice || now - slice > slices * 10) slice = now - slices
    for (; slice < now; ) {
      judge((slice + 1) * sliceMs)
      slice += 1
      ring[slice % slices] = { ended: 0, tookMs: 0, refused: 0 }
    }
  }

  return {
    current(atMs) {
      roll(atMs)
      return limit
    },
    isBinding: () => limit < placesMax,
    refused() {
      newest().refused += 1
    },
    ended(atMs, tookMs, takenBefore) {
      roll(atMs)
      endedAtMs = atMs
      const into = newest()
      into.ended += 1
      into.tookMs += tookMs
      // The first of a crowd has met the least of it.
      floorMs ??= tookMs
      if (Math.max(takenBefore, taken) < placesMin) floorMs += (tookMs - floorMs) * floorWeight
    },
    setTaken(now) {
      taken = now
    },
  }
}

function add(sum: Slice, { ended, tookMs, refused }: Slice): Slice {
  return {
    ended: sum.ended + ended,
    tookMs: sum.tookMs + tookMs,
    refused: sum.refused + refused,
  }
}
