import type { FetchedKeys } from '../access/open-access-control.ts'
import { failing, good, type Sight, unknown } from './incident.ts'

/** `backMs` (monotonic): since when what the class needs has been there. */
export type Look = (nowMs: number, backMs: number) => Sight | Promise<Sight>

/**
 * Milliseconds for a canary: one is sent every 2 s, and heard of over two heartbeats of 2 s; what
 * comes back behind an outage needs two more for its connections.
 */
export const canaryLateMs = 8_000

/** `ageMs`: since a canary came through, anywhere; undefined before the first. */
export function lookAtCanary(ageMs: () => number | undefined): Look {
  return (nowMs, backMs) => {
    const throughMs = nowMs - (ageMs() ?? Number.POSITIVE_INFINITY)
    const sinceMs = Math.max(throughMs, backMs)
    if (nowMs - sinceMs <= canaryLateMs) return throughMs >= backMs ? servedAt(throughMs) : unknown
    return failing('no canary job comes through', sinceMs)
  }
}

const servedAt = (atMs: number): Sight => ({ kind: 'good', atMs })

/** Something that is asked by a rhythm of its own: the answer that was asked for last is the sight. */
export function lookAtLast(): {
  readonly look: Look
  /** `askedMs` (monotonic); undefined `reason`: it serves. */
  note(askedMs: number, reason: string | undefined): void
} {
  let lastMs = Number.NEGATIVE_INFINITY
  let last: Sight = unknown
  return {
    look: () => last,
    note(askedMs, reason) {
      if (askedMs < lastMs) return
      lastMs = askedMs
      last = reason === undefined ? good : failing(reason, askedMs)
    },
  }
}

/** Milliseconds over which counts are held against each other. */
const windowMs = 10_000

/** Counts since the start of a process. */
export type Tally = { readonly failed: number; readonly all: number }

export type AnswerOutcome = 'given' | 'overloaded' | 'failed'
export type Answers = Readonly<Record<AnswerOutcome, number>>

/** One in so many answers; fewer, and fewer than so many, are some caller's trouble. */
const failedShareMin = 0.05
const failedMin = 10

/** Overload is no failing, but where nothing is answered beside it. */
export function lookAtAnswers(read: () => Promise<Answers>): Look {
  let points: readonly (Answers & { readonly atMs: number })[] = []
  return async (nowMs, backMs) => {
    const now = { ...(await read()), atMs: nowMs }
    // What was answered while something else was away says nothing of the gateway.
    const kept = points.filter(({ atMs }) => atMs >= Math.max(nowMs - windowMs, backMs))
    points = [...kept, now]
    const [first = now] = points
    const given = now.given - first.given
    const failed = now.failed - first.failed
    const all = given + failed + now.overloaded - first.overloaded
    if (failed >= failedMin && failed >= failedShareMin * all) return failing('answers are 5xx')
    return given === 0 && all >= failedMin ? failing('all requests are refused') : good
  }
}

/** Milliseconds; less than makes an incident, so that one read in vain is none. */
const unreadMs = 4_000

/** A store is asked when somebody needs it; in vain, it is asked again within seconds. */
export function lookAtReads(read: () => Promise<Tally>): Look {
  let before: Tally = { failed: 0, all: 0 }
  let last: Sight = unknown
  let readMs = 0
  return async (nowMs) => {
    const now = await read()
    const failed = now.failed - before.failed
    const all = now.all - before.all
    before = now
    if (all > 0) {
      last = failed === all ? failing('does not answer') : good
      readMs = nowMs
    }
    return last.kind === 'failing' && nowMs - readMs > unreadMs ? unknown : last
  }
}

/** Milliseconds; a live process has told of itself every 2 s. */
const silentMs = 8_000

export type Heartbeat = { readonly id: string; readonly ageMs: number }

/**
 * Of gateways, by their heartbeats. One whose row is gone was stopped in order; one that was last
 * seen alive from here, still has its row and is silent is not.
 */
export function lookAtHeartbeats(read: () => Promise<readonly Heartbeat[]>): Look {
  let alive: ReadonlySet<string> = new Set()
  return async (nowMs, backMs) => {
    const all = await read()
    const fresh = all.filter(({ ageMs }) => ageMs <= silentMs)
    if (fresh.length > 0) {
      alive = new Set(fresh.map(({ id }) => id))
      return servedAt(nowMs - Math.min(...fresh.map(({ ageMs }) => ageMs)))
    }
    const silent = all.filter(({ id }) => alive.has(id)).map(({ ageMs }) => nowMs - ageMs)
    const sinceMs = Math.max(backMs, ...silent)
    if (silent.length === 0 || nowMs - sinceMs <= silentMs) return unknown
    return failing('no gateway is alive', sinceMs)
  }
}

/** Milliseconds; a follower takes the lead within 5 s of its end. */
const leadlessMs = 6_000
/** Milliseconds; on S3 there are 3 s between two publications, and a call may take its timeout. */
const unpublishedMs = 15_000

/** Milliseconds between two heartbeats of a journal: something has to be sequenced that often. */
const recordEveryMs = 30_000
/** Milliseconds; of two such records one may be void, and a leader changes meanwhile. */
const unsignedMs = 75_000

/** Of the log, in milliseconds. */
export type LogSigns = {
  /** Since the lead ended; below zero: it has not. Undefined: nobody led, or it was given back. */
  readonly ledMs: number | undefined
  /** Since a checkpoint was signed; undefined before the first. */
  readonly signedMs: number | undefined
}

export function lookAtLog(read: () => Promise<LogSigns>): Look {
  return async (nowMs, backMs) => {
    const { ledMs, signedMs } = await read()
    const signedAtMs = Math.max(nowMs - (signedMs ?? 0), backMs)
    if (nowMs - signedAtMs > unsignedMs) {
      return failing('nothing is sequenced', signedAtMs + recordEveryMs)
    }
    if (ledMs === undefined) return unknown
    if (ledMs <= 0) return servedAt(Math.min(nowMs, signedAtMs + recordEveryMs))
    const sinceMs = Math.max(nowMs - ledMs, backMs)
    return nowMs - sinceMs > leadlessMs ? failing('nobody sequences', sinceMs) : unknown
  }
}

/** Age of the oldest checkpoint that waits to be published; undefined where none waits. */
export function lookAtPublished(waiting: () => Promise<number | undefined>): Look {
  return async (nowMs, backMs) => {
    const sinceMs = Math.max(nowMs - ((await waiting()) ?? 0), backMs)
    if (nowMs - sinceMs > unpublishedMs) return failing('checkpoints wait', sinceMs)
    return servedAt(sinceMs)
  }
}

/** `dueMs`: the age at which a set is fetched again; `graceMs`: what some attempts at it take. */
export function lookAtKeys(
  read: () => FetchedKeys,
  { dueMs, graceMs }: { readonly dueMs: number; readonly graceMs: number },
): Look {
  return (nowMs) => {
    const { isMissing, ageMs } = read()
    if (isMissing) return failing('an issuer has no keys')
    const lateMs = ageMs - dueMs
    if (lateMs > graceMs) return failing('keys are not fetched', nowMs - lateMs)
    return servedAt(nowMs - Math.max(0, lateMs))
  }
}

export function lookAtBreakers(open: () => Promise<number>): Look {
  return async () => ((await open()) > 0 ? failing('a breaker is open') : good)
}
