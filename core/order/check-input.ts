import type { Quote } from '../market/bar.ts'
import type { Money, Price, Quantity } from './amount.ts'
import type { OrderTerms } from './order.ts'

export const tradingStates = ['ACTIVE', 'REDUCING', 'HALTED'] as const
export type TradingState = (typeof tradingStates)[number]

/** The codes of a denial, in the order in which the checks run. */
export const denyCodes = [
  'TRADING_HALTED',
  'TRADING_STATE_REDUCING',
  'MARKET_HALTED_L1',
  'MARKET_HALTED_L2',
  'MARKET_HALTED_L3',
  'SYMBOL_HALTED',
  'MARKET_CLOSED',
  'TOO_LATE_TO_ENTER',
  'UNKNOWN_SYMBOL',
  'RESTRICTED_SYMBOL',
  'UNSUPPORTED_ORDER_TYPE',
  'EXPIRE_TIME_IN_PAST',
  'PRICE_INCREMENT',
  'QUANTITY_BELOW_MINIMUM',
  'QUANTITY_EXCEEDS_MAXIMUM',
  'STALE_MARKET_DATA',
  'PRICE_COLLAR',
  'NOTIONAL_EXCEEDS_MAX_PER_ORDER',
  'NOTIONAL_RATE_EXCEEDED',
  'DUPLICATE_ORDER',
  'REPEATED_EXECUTION',
  'TOO_MANY_OPEN_ORDERS',
  'POSITION_LIMIT',
  'INSUFFICIENT_BUYING_POWER',
  'SHORT_NOT_ALLOWED',
  'REDUCE_ONLY_WOULD_INCREASE',
  'FIRM_EXPOSURE_LIMIT',
  'DRAWDOWN_LIMIT',
  'LIQUIDITY_LIMIT',
  'SPREAD_TOO_WIDE',
  'SELF_TRADE',
  'SIZE_ZERO',
] as const
export type DenyCode = (typeof denyCodes)[number]

/** The trading state that applies to an order: the worst of all, account, strategy and symbol. */
export type EffectiveState = {
  readonly state: TradingState
  /** Which switch it was, e.g. `symbol AAPL`; shown in the denial. */
  readonly scope: string
  readonly reason: string
}

/** What the market-wide breaker says at the account's market clock. */
export type MarketVerdict =
  | { readonly kind: 'open' }
  | { readonly kind: 'halted'; readonly level: 1 | 2; readonly untilMs: number }
  | { readonly kind: 'closed'; readonly level: 3 }
  /** The index feed is older than it may be: nothing may be entered. */
  | { readonly kind: 'unknown'; readonly ageMs: number | undefined }

export type Instrument = {
  readonly symbol: string
  readonly isTradable: boolean
  readonly isRestricted: boolean
  readonly isShortable: boolean
  readonly lot: Quantity
  readonly quantityMin: Quantity
  /** Milliseconds; a venue's halt or a limit-up-limit-down pause. */
  readonly haltedUntilMs: number | undefined
  /** LULD bands, where they are known. */
  readonly band: { readonly lower: Price; readonly upper: Price } | undefined
}

/** What is known of a symbol's market; an absent figure denies what needs it. */
export type SymbolMarket = {
  /** The mid of a sane quote, else the last price; with the time of what it came from. */
  readonly reference: { readonly price: Price; readonly atMs: number } | undefined
  readonly quote: Quote | undefined
  readonly medianSpread: Price | undefined
  /** Mean volume of the last bars, in shares. */
  readonly meanBarVolume: number | undefined
  /** Annualised percent: VIX where there is one, else the larger of RV5 and RV20 times 100. */
  readonly volatilityPercent: number | undefined
}

/** Limits in force for one order: the strictest of account, strategy and symbol. */
export type Limits = {
  readonly quantityMax: Quantity
  readonly notionalMax: Money
  readonly notionalPerMinuteMax: Money
  /** 0 switches the check off, for profiles that repeat orders on purpose. */
  readonly duplicateWindowMs: number
  readonly repeatedExecutionsMax: number
  readonly openOrdersMax: number
  /** Absolute, of position and open orders together. */
  readonly positionMax: Quantity
  readonly firmExposureMax: Money | undefined
  readonly sectorExposureMax: Money | undefined
  /** Parts of one, in 1/10,000: 500 is 5 %. */
  readonly collarBasisPoints: number
  readonly participationBasisPoints: number
  /** Milliseconds between the market clock and the data an order is judged by. */
  readonly dataAgeMaxMs: number
  readonly sizing: 'shrink' | 'off'
  readonly haltPolicy: 'hold' | 'deny'
}

/** The account as locked by the transaction that decides. */
export type AccountView = {
  readonly id: string
  readonly cash: Money
  /** Buying power that open orders hold. */
  readonly reserved: Money
  /** Market value of short positions, positive. */
  readonly shortValue: Money
  readonly openOrders: number
  readonly isShortAllowed: boolean
  /** Notional entered in the last 60 s, this order not included. */
  readonly notionalLastMinute: Money
  /** What the portfolio-loss breaker says. */
  readonly drawdown: EffectiveState | undefined
}

/** Position and open orders of one account in one symbol. */
export type PositionView = {
  readonly quantity: Quantity
  readonly openBuy: Quantity
  readonly openSell: Quantity
  /** Best limit of own live orders of each side; `market` when one of them has no limit. */
  readonly bestOwnBuy: Price | 'market' | undefined
  readonly bestOwnSell: Price | 'market' | undefined
}

export type FirmView = { readonly gross: Money; readonly sectorGross: Money }

/** What a venue can do; an order outside of it is `UNSUPPORTED_ORDER_TYPE`. */
export type OrderCapabilities = {
  readonly types: readonly OrderTerms['type'][]
  readonly timesInForce: readonly OrderTerms['timeInForce'][]
  readonly isFractional: boolean
}

/** What an order by itself takes from its account while it is open; `quantity` is its leaves. */
export type Reservation = { readonly buyingPower: Money; readonly quantity: Quantity }

/** The predecessor of a replacement; account and position count it among the open orders. */
export type ReplacedOrder = Reservation & {
  /** Filled of it; the replacement's quantity is the whole, this part included. */
  readonly cumQuantity: Quantity
}

export type CheckInput = {
  readonly terms: OrderTerms
  /** Milliseconds of the account's market clock: live, or the time of the last bar of a replay. */
  readonly clockMs: number
  readonly state: EffectiveState
  readonly market: MarketVerdict
  readonly instrument: Instrument | undefined
  readonly symbolMarket: SymbolMarket | undefined
  readonly capabilities: OrderCapabilities
  readonly limits: Limits
  readonly account: AccountView
  readonly position: PositionView
  readonly firm: FirmView
  /** Another order like this one was entered within the duplicate window. */
  readonly hasTwin: boolean
  /** Executions of the order's strategy on its side in the window of that check. */
  readonly recentExecutions: number
  /** Of the order this one replaces: its reservation counts once, at the larger of the two. */
  readonly replaced: ReplacedOrder | undefined
}

export type CheckResult =
  | {
      readonly verdict: 'pass' | 'hold'
      /** After sizing; the order goes out with this. */
      readonly quantity: Quantity
      readonly reservation: Reservation
      /** Leaves times the limit, or without one the reference (a stop: its price) times 1.04. */
      readonly notional: Money
      readonly warnings: readonly string[]
      /** Why it is held. */
      readonly reason: string | undefined
    }
  | {
      readonly verdict: 'deny'
      readonly code: DenyCode
      /** Every failed check as `CODE key=value …`, the first of them first. */
      readonly details: readonly string[]
    }
