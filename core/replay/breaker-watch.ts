import { nanosPerCent } from '../market/bar.ts'
import {
  advanceBreaker,
  type BreakerRules,
  type BreakerState,
  breakerLevels,
  breakerVerdict,
  closeDay,
  unknownBreaker,
} from '../market/breaker.ts'
import { previousTradingDay, type Session } from '../market/session.ts'
import type { MarketVerdict } from '../order/check-input.ts'

/** The part of a bar that an index feed tells. */
export type IndexBar = {
  readonly startMs: number
  readonly endMs: number
  readonly open: number
  readonly low: number
  readonly close: number
}

export type Halt = {
  readonly kind: 'L1' | 'L2' | 'L3' | 'LULD'
  readonly fromMs: number
  /** Milliseconds; of level 3 the session's close. */
  readonly untilMs: number
}

type Watch = {
  readonly rules: BreakerRules
  state: BreakerState
  session: Session
  /** Nanos; above it no level is near. */
  quietAbove: number
  /** The newest tick that has not been handed on. */
  pendingMs: number
  pending: number
}

/**
 * The market-wide breaker over bars. Each bar is three ticks: its open, its low half way, its
 * close. Where a bar stays above every level and nothing is halted, its ticks would change nothing
 * but the current index: only the last one is kept, and handed on when somebody asks.
 */
export function watchBreaker(
  rules: BreakerRules,
  first: { readonly session: Session; readonly priorClose: number | undefined },
) {
  const watch: Watch = {
    rules,
    state: unknownBreaker(first.session.day),
    session: first.session,
    quietAbove: Number.POSITIVE_INFINITY,
    pendingMs: Number.NaN,
    pending: Number.NaN,
  }
  const before = previousTradingDay(first.session.day)
  if (first.priorClose !== undefined && before !== undefined) {
    watch.state = closeDay(watch.state, { day: before, closeNanos: first.priorClose }, rules)
  }
  settle(watch)

  return {
    /** The close of the day before is the last tick of it. */
    openSession(session: Session): void {
      flush(watch)
      const { indexCents, day } = watch.state
      if (indexCents !== null) {
        const closeNanos = indexCents * nanosPerCent
        watch.state = closeDay(watch.state, { day, closeNanos }, rules)
      }
      watch.session = session
      // Before the hours a tick only begins its day.
      tick(watch, session.openMs - 1, Number.NaN)
      settle(watch)
    },
    /** Nothing in this bar can change what the breaker says. */
    isQuiet: (low: number): boolean => low > watch.quietAbove,
    notePrice(timeMs: number, indexNanos: number): void {
      watch.pendingMs = timeMs
      watch.pending = indexNanos
    },
    /** The index at which trading stopped within the bar; undefined when it did not. */
    take(bar: IndexBar, onHalt: (halt: Halt) => void): number | undefined {
      flush(watch)
      let stoppedAt: number | undefined
      for (const [timeMs, price] of ticksOf(bar)) {
        if (!tick(watch, timeMs, price)) continue
        stoppedAt ??= price
        onHalt(haltOf(watch, timeMs))
      }
      settle(watch)
      return stoppedAt
    },
    /** Nobody trades at this moment. */
    isHalted(timeMs: number): boolean {
      const { status, haltUntil } = watch.state
      return status === 'CLOSED_L3' || (haltUntil !== null && timeMs < haltUntil)
    },
    /** The day's levels in nanos; none where the close before is not known, or the rule not in force. */
    levels: () =>
      levelsOf(watch)?.map((cents, index) => ({
        percent: rules.levels[index] ?? Number.NaN,
        nanos: cents * nanosPerCent,
      })),
    verdict(nowMs: number, freshMs: number): MarketVerdict {
      flush(watch)
      return breakerVerdict(watch.state, nowMs, freshMs)
    },
    /** With every tick so far. */
    state(): BreakerState {
      flush(watch)
      return watch.state
    },
  }
}

function ticksOf({
  startMs,
  endMs,
  open,
  low,
  close,
}: IndexBar): readonly (readonly [number, number])[] {
  return [
    [startMs, open],
    [startMs + (endMs - startMs) / 2, low],
    [endMs, close],
  ]
}

/** True when trading stops with this tick. */
function tick(watch: Watch, timeMs: number, indexNanos: number): boolean {
  const was = watch.state
  const is = advanceBreaker(was, { timeMs, indexNanos }, watch.rules)
  watch.state = is
  return (is.haltUntil !== was.haltUntil || is.status !== was.status) && isClosed(is)
}

function flush(watch: Watch): void {
  if (Number.isNaN(watch.pendingMs)) return
  tick(watch, watch.pendingMs, watch.pending)
  watch.pendingMs = Number.NaN
}

export type BreakerWatch = ReturnType<typeof watchBreaker>

function isClosed({ status }: BreakerState): boolean {
  return status === 'HALT' || status === 'CLOSED_L3'
}

function levelsOf({ rules, state, session }: Watch) {
  const { priorCloseCents } = state
  const isInForce = priorCloseCents !== null && session.day >= rules.inForceFrom
  return isInForce ? breakerLevels(priorCloseCents, rules) : undefined
}

/** One cent of room: an index is rounded to cents before it is compared. */
function settle(watch: Watch): void {
  if (watch.state.status !== 'OPEN') {
    watch.quietAbove = Number.POSITIVE_INFINITY
    return
  }
  const first = levelsOf(watch)?.[0]
  watch.quietAbove = first === undefined ? Number.NEGATIVE_INFINITY : (first + 1) * nanosPerCent
}

function haltOf({ state, session }: Watch, fromMs: number): Halt {
  const { haltLevel, haltUntil } = state
  if (haltLevel === null || haltUntil === null) {
    return { kind: 'L3', fromMs, untilMs: session.closeMs }
  }
  return { kind: haltLevel === 1 ? 'L1' : 'L2', fromMs, untilMs: haltUntil }
}

/** Of a single stock, which the index does not tell about. */
export const openMarket: MarketVerdict = { kind: 'open' }
