import { type Principal, subjectOf } from '#core/access/principal.ts'
import { PosternError } from '#core/errors.ts'
import type { Metrics } from '#core/metrics.ts'
import { type AdaptiveLimit, adaptiveLimit, placesMax } from './adaptive-limit.ts'
import { type Priority, type Route, templateOf } from './route.ts'

/** Of a route's places, what its subjects may have together: the rest is for one who has none yet. */
const sharedPart = 7 / 8
/** Analytics stay away until a second has passed in which no route refused anybody. */
const calmMs = 1_000
const retryAfterSeconds = 1
const lastRetryAfterSeconds = 5

/** A request at work: it holds a place until it has its answer, or only waits. */
export type Work = {
  /** Gives the place back, once. */
  leave(): void
}

export type Admission = {
  /** The places of one route. */
  route(
    route: Pick<Route, 'path' | 'method' | 'zone' | 'priority' | 'sharedCommit'>,
  ): RouteAdmission
}

export type RouteAdmission = {
  /** Throws `gateway.overloaded` if `enter` would: before a body is read, with nothing done. */
  refuseOverload(principal: Principal): void
  /** Takes a place. Throws `gateway.overloaded`. */
  enter(principal: Principal): Work
}

/** What operators do, and what takes work away, comes before everything; analytics after it. */
function priorityOf({
  method,
  zone,
  priority,
}: Pick<Route, 'method' | 'zone' | 'priority'>): Priority {
  return priority ?? (zone === 'internal' || method === 'DELETE' ? 'first' : 'normal')
}

/**
 * How many requests are at work: past what the database and this process keep up with, a request is
 * refused at once instead of making all of them slow. Each route has its own limit (`adaptiveLimit`);
 * while it holds, no subject has more than its share of it. Routes that come first are bounded in number
 * only; those that come last are refused while any other has to refuse.
 */
export function admission(options: {
  readonly metrics: Metrics
  /** Milliseconds that only grow. */
  readonly clockMs: () => number
}): Admission {
  const { metrics, clockMs } = options
  const calm = { refusedAtMs: Number.NEGATIVE_INFINITY }
  return {
    route(route) {
      const limit = adaptiveLimit(clockMs(), route.sharedCommit)
      const labels = { method: route.method, route: templateOf(route.path) }
      const state = { ...{ limit, calm, clockMs }, priority: priorityOf(route) }
      return routeAdmission({
        ...state,
        refused: (why) => metrics.admissionRefusals.inc({ ...labels, why }),
        measured: (places) => metrics.admissionLimit.set(labels, places),
      })
    },
  }
}

type RouteOptions = {
  readonly limit: AdaptiveLimit
  readonly priority: Priority
  /** Shared by all routes: when one of them has refused last. */
  readonly calm: { refusedAtMs: number }
  readonly clockMs: () => number
  readonly refused: (why: 'full' | 'share' | 'last') => void
  readonly measured: (places: number) => void
}

function routeAdmission(options: RouteOptions): RouteAdmission {
  const { limit, priority, calm, clockMs } = options
  const bySubject = new Map<string, number>()
  let taken = 0
  let measured = 0

  function limitNow(nowMs: number): number {
    if (priority === 'first') return placesMax
    const places = limit.current(nowMs)
    if (places !== measured) options.measured(places)
    measured = places
    return places
  }

  function whyNot(key: string, nowMs: number): 'full' | 'share' | 'last' | undefined {
    const places = limitNow(nowMs)
    if (priority === 'last' && nowMs - calm.refusedAtMs < calmMs) return 'last'
    if (taken >= places) return 'full'
    // Half empty, it has room for whoever comes.
    if (priority === 'first' || !limit.isBinding() || taken < places / 2) return undefined
    const share = (places * sharedPart) / Math.max(1, bySubject.size)
    return (bySubject.get(key) ?? 0) >= Math.max(1, share) ? 'share' : undefined
  }

  function refuse(key: string, nowMs: number): void {
    const why = whyNot(key, nowMs)
    if (why === undefined) return
    options.refused(why)
    limit.refused()
    if (priority !== 'last') calm.refusedAtMs = nowMs
    throw new PosternError('gateway.overloaded', {
      reason: why,
      retryAfterSeconds: priority === 'last' ? lastRetryAfterSeconds : retryAfterSeconds,
    })
  }

  function leave(key: string, enteredMs: number, takenBefore: number): void {
    taken -= 1
    const left = (bySubject.get(key) ?? 1) - 1
    if (left === 0) bySubject.delete(key)
    else bySubject.set(key, left)
    const nowMs = clockMs()
    limit.setTaken(taken)
    limit.ended(nowMs, nowMs - enteredMs, takenBefore)
  }

  return {
    refuseOverload: (principal) => refuse(subjectOf(principal), clockMs()),
    enter(principal) {
      const key = subjectOf(principal)
      const nowMs = clockMs()
      refuse(key, nowMs)
      const takenBefore = taken
      taken += 1
      limit.setTaken(taken)
      bySubject.set(key, (bySubject.get(key) ?? 0) + 1)
      let isHeld = true
      return {
        leave() {
          if (!isHeld) return
          isHeld = false
          leave(key, nowMs, takenBefore)
        },
      }
    },
  }
}
