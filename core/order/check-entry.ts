import { sessionOf } from '../market/session.ts'
import { type Denial, deny, describe, timeText } from './check-denial.ts'
import type { CheckInput, DenyCode } from './check-input.ts'

/** Whether the market takes an order now, after a wait, or not at all. */
export type Entry =
  | { readonly kind: 'now' }
  | { readonly kind: 'later'; readonly reason: string }
  | { readonly kind: 'never'; readonly denial: Denial }

const now: Entry = { kind: 'now' }
const haltCodes = { 1: 'MARKET_HALTED_L1', 2: 'MARKET_HALTED_L2', 3: 'MARKET_HALTED_L3' } as const

/**
 * By the market-wide breaker. Level 3 ends the day, so that what is good for the day only is denied:
 * it would expire without having been able to trade.
 */
export function entryByBreaker({ market, terms, limits }: CheckInput): Entry {
  if (market.kind === 'open') return now
  if (market.kind === 'unknown') {
    const facts = { source: 'index', age_ms: market.ageMs ?? 'unknown' }
    return { kind: 'never', denial: deny('STALE_MARKET_DATA', facts) }
  }
  const { timeInForce } = terms
  const isForDays = timeInForce === 'gtc' || timeInForce === 'gtd'
  const isImmediate = timeInForce === 'ioc' || timeInForce === 'fok'
  const canWait = market.kind === 'closed' ? isForDays : !isImmediate
  const facts = market.kind === 'closed' ? {} : { until: timeText(market.untilMs) }
  const code = haltCodes[market.level]
  if (canWait && limits.haltPolicy === 'hold') {
    return { kind: 'later', reason: describe(code, facts) }
  }
  return { kind: 'never', denial: deny(code, { ...facts, time_in_force: timeInForce }) }
}

/** Market-on-close entry ends ten minutes before the close. */
const closingCutoffMs = 10 * 60_000

/**
 * By the trading session, from the open to the close, both included. Outside of it, orders for
 * several days wait for the next one if they have a limit: nobody knows where it will open. An
 * order for the opening auction comes before its open, on the same day.
 */
export function entryBySession(input: CheckInput): Entry {
  const { clockMs } = input
  const { timeInForce } = input.terms
  if (!Number.isFinite(clockMs)) return never('MARKET_CLOSED', input)
  const session = sessionOf(clockMs)
  if (session === undefined || clockMs > session.closeMs) return outside(input)
  if (clockMs < session.openMs) return timeInForce === 'opg' ? now : outside(input)
  const isTooLate =
    timeInForce === 'opg' || (timeInForce === 'cls' && clockMs > session.closeMs - closingCutoffMs)
  return isTooLate ? never('TOO_LATE_TO_ENTER', input) : now
}

function outside(input: CheckInput): Entry {
  const { timeInForce, limitPrice } = input.terms
  const isForDays = timeInForce === 'gtc' || timeInForce === 'gtd'
  const canWait = isForDays && limitPrice !== undefined
  return canWait ? { kind: 'later', reason: 'MARKET_CLOSED' } : never('MARKET_CLOSED', input)
}

function never(code: DenyCode, { clockMs, terms }: CheckInput): Entry {
  const facts = { time_in_force: terms.timeInForce, clock: timeText(clockMs) }
  return { kind: 'never', denial: deny(code, facts) }
}
