import { type Money, moneyOf, type Quantity, unit } from './amount.ts'
import type { Limits } from './check-input.ts'

export const limitScopes = ['account', 'strategy', 'symbol', 'firm', 'sector'] as const
export type LimitScope = (typeof limitScopes)[number]

/** A limit that was set; `value` as its column holds it. */
export type LimitRow = {
  readonly scope: LimitScope
  readonly key: string
  readonly name: LimitName
  readonly value: string
}

/**
 * What may be set, and what holds where nothing is set. The numbers are engineering defaults: the
 * rule (17 CFR 240.15c3-5) names the controls and leaves their size to the firm.
 */
export const limitDefaults = {
  quantity_max: '10000',
  notional_max: '100000',
  notional_per_minute_max: '1000000',
  /** 0 switches the check off, for profiles that repeat orders on purpose. */
  duplicate_window_ms: '500',
  repeated_executions_max: '1000000',
  open_orders_max: '500',
  position_max: '100000',
  collar_bp: '500',
  participation_bp: '250',
  data_age_max_ms: '5000',
  /** 1: an order is made smaller when the market is volatile; 0: it is not. */
  size_by_volatility: '1',
  /** 1: orders wait while a breaker halts the market; 0: they are denied. */
  hold_when_halted: '1',
  /** Per account, for placing and, apart from it, for cancelling and replacing. */
  messages_per_second: '100',
} as const satisfies Record<string, string>

/** Limits of what all accounts hold together; there is no default. */
export const exposureLimitName = 'exposure_max'
export type LimitName = keyof typeof limitDefaults | typeof exposureLimitName
export const limitNames: readonly LimitName[] = [
  ...Object.keys(limitDefaults).filter(isDefaulted),
  exposureLimitName,
]

function isDefaulted(name: string): name is keyof typeof limitDefaults {
  return Object.hasOwn(limitDefaults, name)
}

export type LimitedOrder = {
  readonly account: string
  readonly symbol: string
  readonly strategy: string | undefined
  readonly sector: string | undefined
}

/** `limitsFor` for orders that are judged together: many of them have the same. */
export function rememberLimits(rows: readonly LimitRow[]): (order: LimitedOrder) => Limits {
  const known = new Map<string, Limits>()
  return (order) => {
    // Neither an account nor a symbol has a line break, nor has a name that a caller chooses.
    const key = `${order.account}\n${order.symbol}\n${order.strategy ?? ''}\n${order.sector ?? ''}`
    const limits = known.get(key) ?? limitsFor(rows, order)
    known.set(key, limits)
    return limits
  }
}

/** What an order is measured by: of the limits set for it the smallest, else the default. */
export function limitsFor(rows: readonly LimitRow[], order: LimitedOrder): Limits {
  const isMine = ({ scope, key }: LimitRow) =>
    scope === 'firm' ? key === '' : order[scope] === key
  const mine = rows.filter(isMine)
  const smallest = (name: LimitName, scopes: readonly LimitScope[]): Money | undefined => {
    const set = mine
      .filter((row) => row.name === name && scopes.includes(row.scope))
      .map((row) => moneyOf(row.value))
    // biome-ignore lint/complexity/useMathMinMax: Math.min takes no bigint.
    return set.length === 0 ? undefined : set.reduce((low, next) => (next < low ? next : low))
  }
  const own = (name: keyof typeof limitDefaults): Money =>
    smallest(name, ['account', 'strategy', 'symbol']) ?? moneyOf(limitDefaults[name])
  const quantity = (name: keyof typeof limitDefaults): Quantity => own(name) / unit
  const count = (name: keyof typeof limitDefaults): number => Number(own(name) / (unit * unit))
  return {
    quantityMax: quantity('quantity_max'),
    notionalMax: own('notional_max'),
    notionalPerMinuteMax: own('notional_per_minute_max'),
    duplicateWindowMs: count('duplicate_window_ms'),
    repeatedExecutionsMax: count('repeated_executions_max'),
    openOrdersMax: count('open_orders_max'),
    positionMax: quantity('position_max'),
    firmExposureMax: smallest(exposureLimitName, ['firm']),
    sectorExposureMax: smallest(exposureLimitName, ['sector']),
    collarBasisPoints: count('collar_bp'),
    participationBasisPoints: count('participation_bp'),
    dataAgeMaxMs: count('data_age_max_ms'),
    sizing: own('size_by_volatility') === 0n ? 'off' : 'shrink',
    haltPolicy: own('hold_when_halted') === 0n ? 'deny' : 'hold',
  }
}
