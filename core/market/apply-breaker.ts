import { dayIntervalMs } from './bar-interval.ts'
import {
  advanceBreaker,
  type BreakerRules,
  type BreakerState,
  closeDay,
  mwcbRules,
  unknownBreaker,
} from './breaker.ts'
import type { SizedBar } from './read-bars.ts'
import { exchangeDay } from './session.ts'

/** A status, or the level of a halt, that was not there before. */
export type BreakerChange = { readonly from: BreakerState; readonly to: BreakerState }

export type AdvancedIndex = {
  readonly state: BreakerState | undefined
  readonly changes: readonly BreakerChange[]
}

/**
 * Brings the market-wide breaker up to bars of its index, in order of their time. When within a bar
 * its low was is not known, so a bar is two ticks at its end: the low, then the close. The bar of a
 * day is its close alone, which is official: a day's low at the close would trip level 3 for a fall
 * that was long over.
 */
export function advanceIndex(
  before: BreakerState | undefined,
  bars: readonly SizedBar[],
  rules: BreakerRules = mwcbRules,
): AdvancedIndex {
  const [first] = bars
  if (first === undefined) return { state: before, changes: [] }
  let state = before ?? unknownBreaker(exchangeDay(first.time))
  const changes: BreakerChange[] = []
  const move = (to: BreakerState) => {
    if (isChange(state, to)) changes.push({ from: state, to })
    state = to
  }
  for (const bar of bars) {
    if (bar.intervalMs === dayIntervalMs) {
      move(advanceBreaker(state, { timeMs: bar.time, indexNanos: bar.close }, rules))
      move(closeDay(state, { day: exchangeDay(bar.time), closeNanos: bar.close }, rules))
    } else {
      move(advanceBreaker(state, { timeMs: bar.time, indexNanos: bar.low }, rules))
      move(advanceBreaker(state, { timeMs: bar.time, indexNanos: bar.close }, rules))
    }
  }
  return { state, changes }
}

export type IndexTurn = {
  readonly ticks: readonly SizedBar[]
  /** The last bars of days before the first tick, and up to the last. */
  readonly dayBefore: SizedBar | undefined
  readonly dayUpTo: SizedBar | undefined
}

/**
 * One turn of a market. The live one does not see the bar of yesterday as it comes, late or in an
 * upload of history: its close is told before today's ticks, or the first of them had no level.
 */
export function turnIndex(
  before: BreakerState | undefined,
  { ticks, dayBefore, dayUpTo }: IndexTurn,
  rules: BreakerRules = mwcbRules,
): AdvancedIndex {
  const first = dayBefore === undefined ? undefined : unknownBreaker(exchangeDay(dayBefore.time))
  const known = before ?? (ticks.length === 0 ? undefined : first)
  const seeded = correctClose({ state: known, changes: [] }, dayBefore, rules)
  const advanced = advanceIndex(seeded.state, ticks, rules)
  const changes = [...seeded.changes, ...advanced.changes]
  return correctClose({ state: advanced.state, changes }, dayUpTo, rules)
}

/**
 * The official close of a day may come, or be corrected, behind the bars that followed it: told
 * again at every turn, it changes nothing that it has changed before.
 */
export function correctClose(
  advanced: AdvancedIndex,
  day: SizedBar | undefined,
  rules: BreakerRules = mwcbRules,
): AdvancedIndex {
  const { state, changes } = advanced
  if (state === undefined || day === undefined) return advanced
  const close = { day: exchangeDay(day.time), closeNanos: day.close }
  const to = closeDay(state, close, rules)
  return { state: to, changes: isChange(state, to) ? [...changes, { from: state, to }] : changes }
}

function isChange(from: BreakerState, to: BreakerState): boolean {
  return from.status !== to.status || from.haltLevel !== to.haltLevel
}
