import {
  advanceLuld,
  isPaused,
  type LuldBand,
  type LuldState,
  luldBand,
  luldRules,
  pausedUntil,
  startLuld,
} from '../market/luld.ts'
import type { Session } from '../market/session.ts'
import type { Halt } from './breaker-watch.ts'

export type PauseBar = {
  readonly startMs: number
  readonly endMs: number
  readonly open: number
  readonly close: number
  /** NaN where there is no book. */
  readonly bid: number
  readonly ask: number
}

/** Longer bars say nothing of bands that follow the last five minutes. */
export const pauseBarMsMax = luldRules.referenceWindowMs

/** A reference that is older is of another day: longer than a session, shorter than to the next. */
const nightMs = 12 * 3_600_000

/** Limit up, limit down of one stock of tier 1, over bars: a trade at each close, and its book. */
export function watchPauses(session: Session, priorClose: number) {
  let state: LuldState = startLuld(1, { day: session.day, priorClose })
  let pausedFrom = Number.NaN

  /** A pause begins 15 s after the limit state that no event has cleared. */
  function noteEnd(onHalt: (halt: Halt) => void, endMs: number): void {
    const untilMs = pausedUntil(state, endMs)
    const wasNoted = !Number.isNaN(pausedFrom)
    pausedFrom = untilMs === undefined ? Number.NaN : untilMs - luldRules.pauseMs
    if (untilMs !== undefined && !wasNoted) onHalt({ kind: 'LULD', fromMs: pausedFrom, untilMs })
  }

  return {
    /** Takes one bar in order; true when the stock was paused in any part of it. */
    take({ startMs, endMs, open, close, bid, ask }: PauseBar, onHalt: (halt: Halt) => void) {
      // The opening price is the first reference of a day.
      if (state.reference === null || startMs > state.referenceTime + nightMs) {
        state = advanceLuld(state, { timeMs: startMs, trade: open })
      }
      const wasPaused = isPaused(state, startMs)
      const book = Number.isNaN(bid) || Number.isNaN(ask) ? {} : { bid, ask }
      state = advanceLuld(state, { timeMs: endMs, trade: close, ...book })
      noteEnd(onHalt, endMs)
      return wasPaused || isPaused(state, endMs)
    },
    band: (timeMs: number): LuldBand | undefined => luldBand(state, timeMs),
    pausedUntil: (timeMs: number): number | undefined => pausedUntil(state, timeMs),
  }
}

export type PauseWatch = ReturnType<typeof watchPauses>
