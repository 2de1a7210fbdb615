import { expect, test } from 'bun:test'
import { adaptiveLimit, placesMax, placesMin } from '#gateway/adaptive-limit.ts'

type Load = {
  /** Requests a second that the server can do, one after the other. */
  readonly capacity: number
  /** Milliseconds that each takes besides. */
  readonly wayMs: number
  readonly offered: number
  readonly seconds: number
  /** Those that wait are done together, so many at most, in so many milliseconds; not by `capacity`. */
  readonly commit?: { readonly most: number; readonly ms: number }
  /** Milliseconds from the start in which nothing is done. */
  readonly stall?: readonly [number, number]
}

type Request = { readonly at: number; readonly before: number; done: number }

/** Lets in what the limit lets in, behind it a queue, and behind that a way of so many milliseconds. */
function server(load: Load) {
  const limit = adaptiveLimit(0, load.commit?.most)
  const queue: Request[] = []
  const under: Request[] = []
  let credit = 0

  function workEach(now: number): void {
    const [from, to] = load.stall ?? [0, 0]
    credit = now >= from && now < to ? 0 : credit + load.capacity / 1_000
    for (; credit >= 1 && queue.length > 0; credit -= 1) {
      const next = queue.shift()
      if (next !== undefined) under.push({ ...next, done: now + load.wayMs })
    }
    if (queue.length === 0) credit = Math.min(credit, 1)
  }

  function commit(now: number, { most, ms }: NonNullable<Load['commit']>): void {
    if (under.length > 0) return
    under.push(...queue.splice(0, most).map((one) => ({ ...one, done: now + ms })))
  }

  return {
    limit,
    /** True: it was let in. */
    offer(now: number): boolean {
      const before = queue.length + under.length
      const isFull = before >= limit.current(now)
      if (isFull) limit.refused()
      else queue.push({ at: now, before, done: Number.POSITIVE_INFINITY })
      limit.setTaken(queue.length + under.length)
      return !isFull
    },
    work(now: number): void {
      if (load.commit === undefined) workEach(now)
      else commit(now, load.commit)
    },
    /** Milliseconds that each of those took which end now. */
    end(now: number): readonly number[] {
      const ended = under.splice(0, under.findLastIndex(({ done }) => done <= now) + 1)
      limit.setTaken(queue.length + under.length)
      for (const { at, before } of ended) limit.ended(now, now - at, before)
      return ended.map(({ at }) => now - at)
    },
  }
}

/** In steps of a millisecond; what the last half of the time saw. */
function simulate(load: Load) {
  const { limit, offer, work, end } = server(load)
  const endMs = load.seconds * 1_000
  const took: number[] = []
  let refused = 0
  let owed = 0
  for (let now = 1; now <= endMs; now++) {
    const isCounted = now > endMs / 2
    const ended = end(now)
    if (isCounted) took.push(...ended)
    for (owed += load.offered / 1_000; owed >= 1; owed -= 1) {
      if (!offer(now) && isCounted) refused += 1
    }
    work(now)
  }
  const tookMs = took.toSorted((left, right) => left - right)
  return { refused, tookMs, ended: took.length, limit: limit.current(endMs) }
}

const quantile = (sorted: readonly number[], part: number) =>
  sorted[Math.floor(sorted.length * part)] ?? Number.NaN

test.each([
  { capacity: 1_000, wayMs: 5 },
  { capacity: 8_000, wayMs: 2 },
  { capacity: 800, wayMs: 160 },
  { capacity: 50, wayMs: 20 },
  { capacity: 300, wayMs: 600 },
])('five times what is possible leaves as much done and keeps the time: %o', (can) => {
  const counted = simulate({ ...can, offered: can.capacity * 5, seconds: 120 })
  expect(counted.ended / (can.capacity * 60)).toBeGreaterThan(0.95)
  // What sixteen take together passes for what one takes by itself.
  const bound = Math.max(250, 2 * ((placesMin / can.capacity) * 1_000 + can.wayMs))
  expect(quantile(counted.tookMs, 0.5)).toBeLessThan(bound * 1.3)
  expect(quantile(counted.tookMs, 0.99)).toBeLessThan(bound * 1.5)
})

test('what can be done is refused to nobody', () => {
  const counted = simulate({ capacity: 1_000, wayMs: 5, offered: 900, seconds: 60 })
  expect(counted.refused).toBe(0)
  expect(counted.limit).toBe(placesMax)
})

test.each([300, 800])('commits that are shared stay full, though each takes %p ms', (ms) => {
  const most = 128
  const capacity = (most * 1_000) / ms
  const load = { capacity, wayMs: 0, offered: capacity * 5, seconds: 120, commit: { most, ms } }
  const counted = simulate(load)
  expect(counted.ended / (capacity * 60)).toBeGreaterThan(0.95)
  expect(quantile(counted.tookMs, 0.99)).toBeLessThan(3 * ms)
})

test('a stall of 800 ms is no overload, and refuses nobody', () => {
  const load = { capacity: 5_000, wayMs: 5, offered: 1_500, seconds: 20 }
  const counted = simulate({ ...load, stall: [12_000, 12_800] })
  expect(counted.refused).toBe(0)
})

test('after a database that stood still for ten seconds all is as before within as many', () => {
  const load = { capacity: 2_000, wayMs: 5, offered: 1_000, seconds: 60 }
  const counted = simulate({ ...load, stall: [10_000, 20_000] })
  expect(counted.refused).toBe(0)
  expect(quantile(counted.tookMs, 0.99)).toBeLessThan(20)
})

test('slow work that always has company is not taken for overload', () => {
  const counted = simulate({ capacity: 1_000, wayMs: 400, offered: 100, seconds: 30 })
  expect(counted.refused).toBe(0)
})

test('more places than its bound are never there, and fewer than sixteen neither', () => {
  const limit = adaptiveLimit(0)
  expect(limit.current(0)).toBe(placesMax)
  limit.setTaken(placesMax)
  // None of two thousand has ended for seconds.
  expect(limit.current(2_900)).toBe(placesMax)
  expect(limit.current(3_100)).toBe(placesMin)
  expect(limit.isBinding()).toBe(true)
})

test('a clock that jumps back or years ahead is survived', () => {
  const limit = adaptiveLimit(1_000_000)
  limit.ended(1_000_100, 5, 0)
  expect(limit.current(0)).toBe(placesMax)
  expect(limit.current(1e12)).toBe(placesMax)
})
