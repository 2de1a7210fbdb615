import type { DenyCode } from '#core/order/check-input.ts'
import { amount, type Change, market, money, noonMs, sell } from './check-sample.ts'

/** For each code, a change that denies the passing order by it alone. */
export const faults: Readonly<Record<DenyCode, Change>> = {
  TRADING_HALTED: { state: { state: 'HALTED', scope: 'all', reason: 'test' } },
  TRADING_STATE_REDUCING: { state: { state: 'REDUCING', scope: 'all', reason: 'test' } },
  MARKET_HALTED_L1: {
    market: { kind: 'halted', level: 1, untilMs: noonMs + 1 },
    limits: { haltPolicy: 'deny' },
  },
  MARKET_HALTED_L2: {
    market: { kind: 'halted', level: 2, untilMs: noonMs + 1 },
    limits: { haltPolicy: 'deny' },
  },
  MARKET_HALTED_L3: { market: { kind: 'closed', level: 3 }, limits: { haltPolicy: 'deny' } },
  SYMBOL_HALTED: { instrument: { haltedUntilMs: noonMs + 1 } },
  MARKET_CLOSED: { clockMs: Date.parse('2024-03-13T20:00:00.001Z'), limits: { dataAgeMaxMs: 1e9 } },
  TOO_LATE_TO_ENTER: { terms: { timeInForce: 'opg' } },
  UNKNOWN_SYMBOL: { instrument: { isTradable: false } },
  RESTRICTED_SYMBOL: { instrument: { isRestricted: true } },
  UNSUPPORTED_ORDER_TYPE: { capabilities: { types: [] } },
  EXPIRE_TIME_IN_PAST: { terms: { timeInForce: 'gtd', expireAt: noonMs } },
  PRICE_INCREMENT: { terms: { limitPrice: amount('100.001') } },
  QUANTITY_BELOW_MINIMUM: { instrument: { lot: amount('3') } },
  QUANTITY_EXCEEDS_MAXIMUM: { limits: { quantityMax: amount('99') } },
  STALE_MARKET_DATA: { symbolMarket: { meanBarVolume: undefined } },
  PRICE_COLLAR: { instrument: { band: { lower: 0n, upper: amount('99.99') } } },
  NOTIONAL_EXCEEDS_MAX_PER_ORDER: { limits: { notionalMax: money('9999.99') } },
  NOTIONAL_RATE_EXCEEDED: { limits: { notionalPerMinuteMax: money('9999.99') } },
  DUPLICATE_ORDER: { hasTwin: true },
  REPEATED_EXECUTION: { recentExecutions: 10 },
  TOO_MANY_OPEN_ORDERS: { account: { openOrders: 500 } },
  POSITION_LIMIT: { limits: { positionMax: amount('99') } },
  INSUFFICIENT_BUYING_POWER: { account: { cash: money('9999.99') } },
  SHORT_NOT_ALLOWED: { terms: sell, account: { isShortAllowed: false } },
  REDUCE_ONLY_WOULD_INCREASE: { terms: { reduceOnly: true } },
  FIRM_EXPOSURE_LIMIT: { limits: { firmExposureMax: money('9999.99') } },
  DRAWDOWN_LIMIT: { account: { drawdown: { state: 'HALTED', scope: 'all', reason: 'test' } } },
  LIQUIDITY_LIMIT: { limits: { participationBasisPoints: 0 } },
  SPREAD_TOO_WIDE: { terms: market, symbolMarket: { medianSpread: 0n } },
  SELF_TRADE: { position: { bestOwnSell: 'market' } },
  SIZE_ZERO: { symbolMarket: { volatilityPercent: 1e6 } },
}
