import type { DenyCode } from './check-input.ts'

/** One failed check. */
export type Denial = {
  readonly code: DenyCode
  /** The code, then what it was decided by, as `key=value` pairs. */
  readonly detail: string
}

/** OrdRejReason, FIX tag 103. */
const fix = {
  brokerCredit: 0,
  unknownSymbol: 1,
  exchangeClosed: 2,
  exceedsLimit: 3,
  tooLateToEnter: 4,
  duplicate: 6,
  unsupported: 11,
  incorrectQuantity: 13,
  other: 99,
} as const

export const ordRejReason: Readonly<Record<DenyCode, number>> = {
  TRADING_HALTED: fix.other,
  TRADING_STATE_REDUCING: fix.other,
  MARKET_HALTED_L1: fix.exchangeClosed,
  MARKET_HALTED_L2: fix.exchangeClosed,
  MARKET_HALTED_L3: fix.exchangeClosed,
  SYMBOL_HALTED: fix.exchangeClosed,
  MARKET_CLOSED: fix.exchangeClosed,
  TOO_LATE_TO_ENTER: fix.tooLateToEnter,
  UNKNOWN_SYMBOL: fix.unknownSymbol,
  RESTRICTED_SYMBOL: fix.other,
  UNSUPPORTED_ORDER_TYPE: fix.unsupported,
  EXPIRE_TIME_IN_PAST: fix.other,
  PRICE_INCREMENT: fix.other,
  QUANTITY_BELOW_MINIMUM: fix.incorrectQuantity,
  QUANTITY_EXCEEDS_MAXIMUM: fix.exceedsLimit,
  STALE_MARKET_DATA: fix.other,
  PRICE_COLLAR: fix.other,
  NOTIONAL_EXCEEDS_MAX_PER_ORDER: fix.exceedsLimit,
  NOTIONAL_RATE_EXCEEDED: fix.exceedsLimit,
  DUPLICATE_ORDER: fix.duplicate,
  REPEATED_EXECUTION: fix.other,
  TOO_MANY_OPEN_ORDERS: fix.exceedsLimit,
  POSITION_LIMIT: fix.exceedsLimit,
  INSUFFICIENT_BUYING_POWER: fix.brokerCredit,
  SHORT_NOT_ALLOWED: fix.other,
  REDUCE_ONLY_WOULD_INCREASE: fix.other,
  FIRM_EXPOSURE_LIMIT: fix.exceedsLimit,
  DRAWDOWN_LIMIT: fix.other,
  LIQUIDITY_LIMIT: fix.other,
  SPREAD_TOO_WIDE: fix.other,
  SELF_TRADE: fix.other,
  SIZE_ZERO: fix.exceedsLimit,
}

type Facts = Readonly<Record<string, string | number>>

/** Pairs in the order given; a value that is not one plain word stands in JSON quotes. */
export function deny(code: DenyCode, facts: Facts): Denial {
  return { code, detail: describe(code, facts) }
}

/** A token and its facts: `SIZE_REDUCED from=100 to=50`. */
export function describe(token: string, facts: Facts): string {
  const pairs = Object.entries(facts).map(([key, value]) => ` ${key}=${quoted(String(value))}`)
  return token + pairs.join('')
}

function quoted(value: string): string {
  return /^[\w.:+-]+$/.test(value) ? value : JSON.stringify(value)
}

/** ISO 8601; a time that is none, as the number it is. */
export function timeText(timeMs: number): string {
  const date = new Date(timeMs)
  return Number.isNaN(date.getTime()) ? String(timeMs) : date.toISOString()
}
