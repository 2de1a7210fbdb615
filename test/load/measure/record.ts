import { addRounded, mergeRounded, numberList, type RoundedTimes } from './response-times.ts'

/** One answered request, or one that was not: then its status is 0. */
export type Sample = {
  /** When it ended, in milliseconds since 1970. */
  readonly atMs: number
  readonly ms: number
  readonly method: string
  readonly name: string
  readonly status: number
  readonly isFailed: boolean
}

/** What is known of some requests: of a second, of a name, of all. */
export type Tally = {
  count: number
  failures: number
  sumMs: number
  minMs: number
  maxMs: number
  bytes: number
  readonly rounded: RoundedTimes
}

export type Entry = Tally & {
  readonly method: string
  readonly name: string
  firstMs: number
  lastMs: number
  /** By whole second. */
  readonly seconds: Map<number, Tally>
  /** The time of each answer, and in the same order when it ended. */
  readonly exact: ReturnType<typeof numberList>
  readonly ended: ReturnType<typeof numberList>
  /** Answers by status. */
  readonly statuses: Map<number, number>
  /** Failures by status. */
  readonly failed: Map<number, { count: number; firstMs: number; lastMs: number }>
}

export type Record = {
  readonly entries: Map<string, Entry>
  /** Users by whole second, the most that were seen. */
  readonly users: Map<number, number>
  add(sample: Sample): void
  addBytes(method: string, name: string, atMs: number, bytes: number): void
  addUsers(atMs: number, users: number): void
}

export function emptyTally(): Tally {
  return {
    count: 0,
    failures: 0,
    sumMs: 0,
    minMs: Infinity,
    maxMs: 0,
    bytes: 0,
    rounded: new Map(),
  }
}

export function newRecord(): Record {
  const entries = new Map<string, Entry>()
  const users = new Map<number, number>()

  function entryOf(method: string, name: string): Entry {
    const key = `${method} ${name}`
    const known = entries.get(key)
    if (known !== undefined) return known
    const entry = {
      ...emptyTally(),
      ...{ method, name, firstMs: Infinity, lastMs: 0 },
      ...{ seconds: new Map(), exact: numberList(), ended: numberList() },
      ...{ statuses: new Map(), failed: new Map() },
    }
    entries.set(key, entry)
    return entry
  }

  return {
    entries,
    users,
    add(sample) {
      const entry = entryOf(sample.method, sample.name)
      count(entry, sample)
      count(secondOf(entry, sample.atMs), sample)
      entry.exact.add(sample.ms)
      entry.ended.add(sample.atMs)
      entry.statuses.set(sample.status, (entry.statuses.get(sample.status) ?? 0) + 1)
      entry.firstMs = Math.min(entry.firstMs, sample.atMs)
      entry.lastMs = Math.max(entry.lastMs, sample.atMs)
      if (sample.isFailed) noteFailure(entry, sample)
    },
    addBytes(method, name, atMs, bytes) {
      const entry = entryOf(method, name)
      entry.bytes += bytes
      secondOf(entry, atMs).bytes += bytes
    },
    addUsers(atMs, seen) {
      const second = Math.floor(atMs / 1_000)
      users.set(second, Math.max(users.get(second) ?? 0, seen))
    },
  }
}

function secondOf(entry: Entry, atMs: number): Tally {
  const second = Math.floor(atMs / 1_000)
  const known = entry.seconds.get(second)
  if (known !== undefined) return known
  const tally = emptyTally()
  entry.seconds.set(second, tally)
  return tally
}

function count(tally: Tally, { ms, isFailed }: Sample): void {
  tally.count += 1
  if (isFailed) tally.failures += 1
  tally.sumMs += ms
  tally.minMs = Math.min(tally.minMs, ms)
  tally.maxMs = Math.max(tally.maxMs, ms)
  addRounded(tally.rounded, ms)
}

function noteFailure(entry: Entry, { status, atMs }: Sample): void {
  const known = entry.failed.get(status) ?? { count: 0, firstMs: atMs, lastMs: atMs }
  known.count += 1
  known.firstMs = Math.min(known.firstMs, atMs)
  known.lastMs = Math.max(known.lastMs, atMs)
  entry.failed.set(status, known)
}

export function mergeTally(into: Tally, from: Tally): void {
  into.count += from.count
  into.failures += from.failures
  into.sumMs += from.sumMs
  into.minMs = Math.min(into.minMs, from.minMs)
  into.maxMs = Math.max(into.maxMs, from.maxMs)
  into.bytes += from.bytes
  mergeRounded(into.rounded, from.rounded)
}

/** In the order of Locust's tables: by name, then by method. */
export function sortedEntries(record: Pick<Record, 'entries'>): readonly Entry[] {
  return [...record.entries.values()]
    .filter(({ count }) => count > 0)
    .sort((one, other) => compare(one.name, other.name) || compare(one.method, other.method))
}

function compare(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}

export type Total = Tally & { readonly firstMs: number; readonly lastMs: number }

export function totalOf(record: Pick<Record, 'entries'>): Total {
  const total = emptyTally()
  const entries = sortedEntries(record)
  for (const entry of entries) mergeTally(total, entry)
  return {
    ...total,
    firstMs: Math.min(...entries.map(({ firstMs }) => firstMs)),
    lastMs: Math.max(0, ...entries.map(({ lastMs }) => lastMs)),
  }
}

type Moments = { readonly fromMs: number; readonly toMs: number }

/** All response times of all names, in order; or only of those that ended from one moment to another. */
export function exactTimes(entries: readonly Entry[], within?: Moments): Float64Array {
  const lists = entries.map((entry) =>
    within === undefined ? entry.exact.values() : timesWithin(entry, within),
  )
  const all = new Float64Array(lists.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const list of lists) {
    all.set(list, at)
    at += list.length
  }
  return all.sort()
}

function timesWithin({ exact, ended }: Entry, { fromMs, toMs }: Moments): Float64Array {
  const endedMs = ended.values()
  return exact.values().filter((_, at) => {
    const endMs = endedMs[at] ?? 0
    return endMs >= fromMs && endMs < toMs
  })
}
