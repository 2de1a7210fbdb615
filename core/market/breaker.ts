import { z } from 'zod'
import { type Nanos, nanosPerCent } from './bar.ts'
import {
  exchangeDay,
  isOpen,
  nextSession,
  previousTradingDay,
  type Session,
  sessionOf,
  sessionOfDay,
} from './session.ts'

/** The market-wide circuit breaker of NYSE Rule 7.12, on the S&P 500 in exchange time. */
export type BreakerRules = {
  /** Percent of the close before, lowest first. */
  readonly levels: readonly [number, number, number]
  /** First day of these levels, `YYYY-MM-DD`. */
  readonly inForceFrom: string
  readonly haltMs: number
  /** Levels 1 and 2 halt nothing later than this before the close: 3:25 p.m., 12:25 on an early close. */
  readonly cutoffBeforeCloseMs: number
}

const minuteMs = 60_000

export const mwcbRules: BreakerRules = {
  levels: [7, 13, 20],
  inForceFrom: '2013-04-08',
  haltMs: 15 * minuteMs,
  cutoffBeforeCloseMs: 35 * minuteMs,
}

const cents = z.number().int().positive()

/** JSON, so that it is stored with the event that caused it; hence null and no undefined. */
export const breakerStateSchema = z.strictObject({
  /** UNKNOWN: the close before is not known, so no level is. */
  status: z.enum(['OPEN', 'HALT', 'CLOSED_L3', 'UNKNOWN']),
  /** The exchange day all else is of. */
  day: z.string(),
  priorCloseCents: cents.nullable(),
  /** This day's official close once it is known; the next day's prior close. */
  closeCents: cents.nullable(),
  usedL1: z.boolean(),
  usedL2: z.boolean(),
  haltLevel: z.union([z.literal(1), z.literal(2)]).nullable(),
  haltUntil: z.number().nullable(),
  /** The last tick within the session. */
  indexCents: cents.nullable(),
  indexTime: z.number().nullable(),
})
export type BreakerState = Readonly<z.infer<typeof breakerStateSchema>>

export type IndexTick = { readonly timeMs: number; readonly indexNanos: Nanos }

/** An index is published in whole cents; a feed's further digits are the noise of a float. */
function centsOf(nanos: Nanos): number {
  return Math.round(nanos / nanosPerCent)
}

/** Before anything is known of a day. */
export function unknownBreaker(day: string): BreakerState {
  return {
    status: 'UNKNOWN',
    day,
    priorCloseCents: null,
    closeCents: null,
    usedL1: false,
    usedL2: false,
    haltLevel: null,
    haltUntil: null,
    indexCents: null,
    indexTime: null,
  }
}

/** The levels as published, in cents: floored to two decimals, not rounded. */
export function breakerLevels(
  priorCloseCents: number,
  rules: BreakerRules,
): readonly [number, number, number] {
  const floored = (percent: number) => {
    const product = priorCloseCents * (100 - percent)
    return (product - (product % 100)) / 100
  }
  const [first, second, third] = rules.levels
  return [floored(first), floored(second), floored(third)]
}

/** Flags reset; the close before is the official one, else the last tick, and of the day before only. */
function rollDay(state: BreakerState, day: string, rules: BreakerRules): BreakerState {
  const isNextDay = previousTradingDay(day) === state.day
  const priorCloseCents = isNextDay ? (state.closeCents ?? state.indexCents) : null
  const isKnown = priorCloseCents !== null || day < rules.inForceFrom
  return { ...unknownBreaker(day), status: isKnown ? 'OPEN' : 'UNKNOWN', priorCloseCents }
}

/** Touching a level reaches it. In integers: the ratio in doubles is wrong at some threshold ticks. */
function hasReached(indexCents: number, priorCloseCents: number, percent: number): boolean {
  return indexCents * 100 <= priorCloseCents * (100 - percent)
}

/** An OPEN market and an index within the session: the highest level first. */
function evaluate(
  state: BreakerState,
  at: { readonly timeMs: number; readonly indexCents: number; readonly session: Session },
  rules: BreakerRules,
): BreakerState {
  const { timeMs, indexCents, session } = at
  const [first, second, third] = rules.levels
  const prior = state.priorCloseCents
  const next: BreakerState = { ...state, indexCents, indexTime: timeMs }
  if (prior === null || session.day < rules.inForceFrom) return next
  if (!hasReached(indexCents, prior, first)) return next
  if (hasReached(indexCents, prior, third)) return { ...next, status: 'CLOSED_L3' }
  // "After 9:30 a.m. and up to and including 3:25 p.m."
  if (timeMs <= session.openMs) return next
  if (timeMs > session.closeMs - rules.cutoffBeforeCloseMs) return next
  const haltUntil = timeMs + rules.haltMs
  if (!state.usedL2 && hasReached(indexCents, prior, second)) {
    return { ...next, status: 'HALT', usedL1: true, usedL2: true, haltLevel: 2, haltUntil }
  }
  if (state.usedL1) return next
  return { ...next, status: 'HALT', usedL1: true, haltLevel: 1, haltUntil }
}

/**
 * Takes one index tick, in the order of their times. A tick older than the last one, and one on a
 * day without trading, change nothing; one outside the hours only begins its day. The first tick at
 * or after a halt's end is the current index that is evaluated again.
 */
export function advanceBreaker(
  state: BreakerState,
  tick: IndexTick,
  rules: BreakerRules,
): BreakerState {
  const session = sessionOf(tick.timeMs)
  if (session === undefined || session.day < state.day) return state
  const today = session.day === state.day ? state : rollDay(state, session.day, rules)
  const { timeMs } = tick
  if (timeMs < session.openMs || timeMs > session.closeMs) return today
  if (today.indexTime !== null && timeMs < today.indexTime) return today
  const indexCents = centsOf(tick.indexNanos)
  // A tick of nothing is a fault of the feed, which then goes stale.
  if (!(indexCents > 0)) return today
  if (today.status === 'CLOSED_L3') return { ...today, indexCents, indexTime: timeMs }
  if (today.status !== 'HALT') return evaluate(today, { timeMs, indexCents, session }, rules)
  if (today.haltUntil !== null && timeMs < today.haltUntil) {
    return { ...today, indexCents, indexTime: timeMs }
  }
  const resumed: BreakerState = { ...today, status: 'OPEN', haltLevel: null, haltUntil: null }
  return evaluate(resumed, { timeMs, indexCents, session }, rules)
}

/**
 * Records a day's official close. Of the day before, it becomes (or corrects) the prior close; of
 * the state's own day, the next one's; of a later day, that day is begun first. An older one is
 * ignored.
 */
export function closeDay(
  state: BreakerState,
  close: { readonly day: string; readonly closeNanos: Nanos },
  rules: BreakerRules,
): BreakerState {
  const closeCents = centsOf(close.closeNanos)
  if (!(closeCents > 0) || sessionOfDay(close.day) === undefined) return state
  if (close.day >= state.day) {
    const today = close.day === state.day ? state : rollDay(state, close.day, rules)
    return { ...today, closeCents }
  }
  if (close.day !== previousTradingDay(state.day)) return state
  const status = state.status === 'UNKNOWN' ? 'OPEN' : state.status
  return { ...state, status, priorCloseCents: closeCents }
}

export type BreakerVerdict =
  | { readonly kind: 'open' }
  | { readonly kind: 'halted'; readonly level: 1 | 2; readonly untilMs: number }
  /** Until the next trading day's open; undefined beyond the calendar's last year. */
  | { readonly kind: 'closed'; readonly level: 3; readonly untilMs: number | undefined }
  | { readonly kind: 'unknown'; readonly reason: string; readonly ageMs: number | undefined }

const open: BreakerVerdict = { kind: 'open' }

/** An index feed older than this is no feed. */
const indexFreshMs = 5000

/**
 * What the breaker says to a new order at a time. Outside trading hours it says `open`, but for a
 * market closed by level 3: whether orders are taken then is the session's question.
 */
export function breakerVerdict(
  state: BreakerState,
  nowMs: number,
  freshMs: number = indexFreshMs,
): BreakerVerdict {
  if (state.status === 'CLOSED_L3') {
    const untilMs = nextSession(sessionOfDay(state.day)?.closeMs ?? nowMs)?.openMs
    if (untilMs === undefined || nowMs < untilMs) return { kind: 'closed', level: 3, untilMs }
  }
  if (!isOpen(nowMs)) return open
  const { haltLevel, haltUntil, indexTime } = state
  if (haltLevel !== null && haltUntil !== null && nowMs < haltUntil) {
    return { kind: 'halted', level: haltLevel, untilMs: haltUntil }
  }
  const reason = ignoranceOf(state, nowMs, freshMs)
  if (reason === undefined) return open
  return { kind: 'unknown', reason, ageMs: indexTime === null ? undefined : nowMs - indexTime }
}

/** Why nothing can be said of a time within trading hours. */
function ignoranceOf(state: BreakerState, nowMs: number, freshMs: number): string | undefined {
  if (state.day !== exchangeDay(nowMs)) return 'no index value today'
  if (state.status === 'UNKNOWN') return 'the close of the day before is not known'
  if (state.haltUntil !== null) return 'no index value since the end of the halt'
  if (state.indexTime === null) return 'no index value today'
  // Far in the future is as wrong as far in the past.
  return Math.abs(nowMs - state.indexTime) > freshMs ? 'the index feed is stale' : undefined
}
