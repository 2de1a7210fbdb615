import type { Money } from '../order/amount.ts'
import { exchangeDay } from './session.ts'

/** The portfolio-loss breaker of one account; its numbers are like the market-wide breaker's, by chance. */
export type DrawdownRules = {
  /** Percent, rising: reduce for `reduceMs`, reduce for the day, halt until a person re-arms. */
  readonly levels: readonly [number, number, number]
  readonly reduceMs: number
  /** What a loss is measured from. */
  readonly from: 'day_start' | 'high_water'
}

export const drawdownRules: DrawdownRules = {
  levels: [7, 13, 20],
  reduceMs: 15 * 60_000,
  from: 'high_water',
}

export type DrawdownState = {
  /** In New York. */
  readonly day: string
  readonly dayStart: Money
  readonly highWater: Money
  /** The last equity seen, which the next day starts with. */
  readonly equity: Money
  /** Highest level met today, 0 to 3; each acts once a day. */
  readonly level: 0 | 1 | 2 | 3
  /** Milliseconds; of level 1. */
  readonly reducingUntil: number | undefined
  /** Stays over days, until `rearmDrawdown`. */
  readonly isHalted: boolean
}

export type EquityMark = { readonly timeMs: number; readonly equity: Money }

export function startDrawdown({ timeMs, equity }: EquityMark): DrawdownState {
  return {
    day: exchangeDay(timeMs),
    dayStart: equity,
    highWater: equity,
    equity,
    level: 0,
    reducingUntil: undefined,
    isHalted: false,
  }
}

/** Reaching a level is losing it. An account that never had anything has nothing to lose. */
function levelOf(equity: Money, base: Money, rules: DrawdownRules): 0 | 1 | 2 | 3 {
  if (base <= 0n || equity >= base) return 0
  const loss = (base - equity) * 100n
  const [first, second, third] = rules.levels
  if (loss < base * BigInt(first)) return 0
  if (loss < base * BigInt(second)) return 1
  return loss < base * BigInt(third) ? 2 : 3
}

/** Marks the account to market, in the order of time. */
export function advanceDrawdown(
  state: DrawdownState,
  { timeMs, equity }: EquityMark,
  rules: DrawdownRules,
): DrawdownState {
  const day = exchangeDay(timeMs)
  const today: DrawdownState =
    day > state.day
      ? { ...state, day, dayStart: state.equity, level: 0, reducingUntil: undefined }
      : state
  const highWater = equity > today.highWater ? equity : today.highWater
  const base = rules.from === 'day_start' ? today.dayStart : highWater
  const marked = { ...today, highWater, equity }
  const level = levelOf(equity, base, rules)
  if (level <= today.level) return marked
  const reducingUntil = level === 1 ? timeMs + rules.reduceMs : today.reducingUntil
  return { ...marked, level, reducingUntil, isHalted: today.isHalted || level === 3 }
}

/** After a person's decision: what is there now is what the next loss is measured from. */
export function rearmDrawdown(state: DrawdownState, timeMs: number): DrawdownState {
  return startDrawdown({ timeMs, equity: state.equity })
}

/** `untilMs` only where the clock ends it; the day's end and a person have none. */
export type DrawdownVerdict =
  | { readonly state: 'ACTIVE' }
  | { readonly state: 'REDUCING'; readonly level: 1 | 2; readonly untilMs: number | undefined }
  | { readonly state: 'HALTED' }

export function drawdownVerdict(state: DrawdownState, nowMs: number): DrawdownVerdict {
  if (state.isHalted) return { state: 'HALTED' }
  if (exchangeDay(nowMs) > state.day) return { state: 'ACTIVE' }
  if (state.level >= 2) return { state: 'REDUCING', level: 2, untilMs: undefined }
  const { reducingUntil } = state
  if (reducingUntil === undefined || nowMs >= reducingUntil) return { state: 'ACTIVE' }
  return { state: 'REDUCING', level: 1, untilMs: reducingUntil }
}
