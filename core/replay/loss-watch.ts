import {
  advanceDrawdown,
  type DrawdownRules,
  type DrawdownState,
  drawdownVerdict,
  startDrawdown,
} from '../market/drawdown-breaker.ts'
import type { Money } from '../order/amount.ts'
import type { EffectiveState } from '../order/check-input.ts'

/** What is held, and at which price it is marked. */
export type Holding = {
  readonly cash: Money
  readonly quantity: bigint
}

/** Room for the rounding of doubles: nearer to a level than this is decided exactly. */
const nearness = 1e-9

/**
 * The portfolio-loss breaker over marks. Between two fills equity moves with the mark alone, so
 * that its peak is the best mark since then, and only marks near the next level are decided on: the
 * result is that of advancing at every mark, which a test compares.
 */
export function watchLosses(
  rules: DrawdownRules,
  start: { readonly timeMs: number; readonly holding: Holding },
) {
  let holding = start.holding
  let cash = toUnits(holding.cash)
  let shares = sharesOf(holding.quantity)
  let state: DrawdownState = startDrawdown({ timeMs: start.timeMs, equity: holding.cash })
  let base = baseOf(state, rules)
  let floor = floorOf(state, rules, base)
  /** Marks since the last were handed on: the best and the newest of them. */
  let hasMarks = false
  let bestMs = start.timeMs
  let best = 0
  let lastMs = start.timeMs
  let last = 0

  function advance(timeMs: number, mark: number): void {
    const equity = holding.cash + holding.quantity * BigInt(mark)
    state = advanceDrawdown(state, { timeMs, equity }, rules)
  }

  /** Hands on the best mark, then the newest one, in the order of their times. */
  function flush(): void {
    if (hasMarks && bestMs !== lastMs) advance(bestMs, best)
    if (hasMarks) advance(lastMs, last)
    hasMarks = false
    base = baseOf(state, rules)
    floor = floorOf(state, rules, base)
  }

  return {
    /** Equity as a double, for statistics; marks come in the order of their times. */
    mark(timeMs: number, mark: number): number {
      lastMs = timeMs
      last = mark
      const equity = cash + (shares * mark) / 1e9
      if (!hasMarks || isBetter(shares, mark, best)) {
        bestMs = timeMs
        best = mark
      }
      hasMarks = true
      if (rules.from === 'high_water' && equity > base) {
        base = equity
        floor = floorOf(state, rules, base)
      }
      if (equity <= floor) flush()
      return equity
    },
    /** Before a fill the old holding's marks are handed on. */
    hold(next: Holding): void {
      flush()
      holding = next
      cash = toUnits(holding.cash)
      shares = sharesOf(holding.quantity)
    },
    /** A day's marks belong to the day; the first of the next one begins it. */
    closeSession(): void {
      flush()
      floor = Number.POSITIVE_INFINITY
    },
    verdict(nowMs: number): EffectiveState | undefined {
      flush()
      const verdict = drawdownVerdict(state, nowMs)
      if (verdict.state === 'ACTIVE') return undefined
      return { state: verdict.state, scope: 'account', reason: 'drawdown' }
    },
    state(): DrawdownState {
      flush()
      return state
    },
  }
}

export type LossWatch = ReturnType<typeof watchLosses>

function baseOf(state: DrawdownState, rules: DrawdownRules): number {
  return toUnits(rules.from === 'day_start' ? state.dayStart : state.highWater)
}

/** Equity at which the next level may be met; no equity is below it when there is none. */
function floorOf(state: DrawdownState, rules: DrawdownRules, base: number): number {
  if (state.level === 3) return Number.NEGATIVE_INFINITY
  return base * (1 - rules.levels[state.level] / 100 + nearness)
}

function isBetter(shares: number, mark: number, best: number): boolean {
  return shares >= 0 ? mark > best : mark < best
}

/** Statistics only. */
function toUnits(money: Money): number {
  return Number(money) / 1e18
}

function sharesOf(quantity: bigint): number {
  return Number(quantity) / 1e9
}
