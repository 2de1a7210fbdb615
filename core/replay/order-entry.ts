import type { Quote } from '../market/bar.ts'
import { referenceOf } from '../market/quote-reference.ts'
import { type Money, type Price, type Quantity, unit } from '../order/amount.ts'
import type {
  CheckInput,
  CheckResult,
  EffectiveState,
  Instrument,
  MarketVerdict,
  OrderCapabilities,
  PositionView,
} from '../order/check-input.ts'
import type { OrderTerms, Side, TimeInForce } from '../order/order.ts'
import type { Desk, DeskOrder } from './order-desk.ts'
import { replayAccount } from './replay-rules.ts'

export type AskedOrder = {
  readonly side: Side
  readonly quantity: Quantity
  readonly timeInForce: TimeInForce
  readonly strategy: string
}

/** The market as the desk sees it when it decides. */
export type DeskMarket = {
  /** When the desk has the newest bar. */
  readonly clockMs: number
  /** The newest bar's end and close. */
  readonly atMs: number
  readonly price: Price
  readonly quote: Quote | undefined
  readonly medianSpread: Price | undefined
  readonly meanBarVolume: number | undefined
  readonly volatilityPercent: number | undefined
  readonly verdict: MarketVerdict
  readonly band: { readonly lower: number; readonly upper: number } | undefined
  readonly haltedUntilMs: number | undefined
  readonly drawdown: EffectiveState | undefined
}

const windowMs = 60_000

/** What the windows of the checks look back on; at most a minute of orders. */
export function recentOrders() {
  let passed: { readonly atMs: number; readonly notional: Money }[] = []
  let fills: { readonly atMs: number; readonly side: Side }[] = []
  let last: { readonly terms: OrderTerms; readonly atMs: number } | undefined
  return {
    entered(terms: OrderTerms, result: CheckResult, atMs: number): void {
      last = { terms, atMs }
      if (result.verdict === 'deny') return
      passed = passed.filter((order) => order.atMs > atMs - windowMs)
      passed.push({ atMs, notional: result.notional })
    },
    filled(side: Side, atMs: number): void {
      fills = fills.filter((fill) => fill.atMs > atMs - windowMs)
      fills.push({ atMs, side })
    },
    notional(nowMs: number): Money {
      const recent = passed.filter(({ atMs }) => atMs > nowMs - windowMs)
      return recent.reduce((sum, { notional }) => sum + notional, 0n)
    },
    executions: (side: Side, nowMs: number): number =>
      fills.filter((fill) => fill.side === side && fill.atMs > nowMs - windowMs).length,
    hasTwin: ({ side, quantity }: OrderTerms, sinceMs: number): boolean =>
      last !== undefined &&
      last.atMs > sinceMs &&
      last.terms.side === side &&
      last.terms.quantity === quantity,
  }
}

export type RecentOrders = ReturnType<typeof recentOrders>

const capabilities: OrderCapabilities = {
  types: ['market', 'limit', 'stop', 'stop_limit'],
  timesInForce: ['day', 'gtc', 'ioc', 'fok'],
  isFractional: false,
}

const active: EffectiveState = { state: 'ACTIVE', scope: 'account', reason: '' }

export function entryOf(desk: Desk, terms: OrderTerms, market: DeskMarket): CheckInput {
  const { rules, recent } = desk
  const { clockMs, atMs, price, quote } = market
  return {
    terms,
    clockMs,
    state: active,
    market: market.verdict,
    instrument: instrumentOf(desk.symbol, market),
    symbolMarket: {
      reference: referenceOf({ price, atMs }, quote),
      quote,
      medianSpread: market.medianSpread,
      meanBarVolume: market.meanBarVolume,
      volatilityPercent: market.volatilityPercent,
    },
    capabilities,
    limits: rules.limits,
    account: {
      id: replayAccount,
      cash: desk.cash,
      reserved: reservedBy(desk),
      shortValue: 0n,
      openOrders: desk.open.length + desk.held.length,
      isShortAllowed: false,
      notionalLastMinute: recent.notional(clockMs),
      drawdown: market.drawdown,
    },
    position: positionView(desk),
    firm: { gross: 0n, sectorGross: 0n },
    hasTwin: recent.hasTwin(terms, clockMs - rules.limits.duplicateWindowMs),
    recentExecutions: recent.executions(terms.side, clockMs),
    replaced: undefined,
  }
}

function instrumentOf(symbol: string, { band, haltedUntilMs }: DeskMarket): Instrument {
  return {
    symbol,
    isTradable: true,
    isRestricted: false,
    isShortable: false,
    lot: unit,
    quantityMin: unit,
    haltedUntilMs,
    band: band === undefined ? undefined : { lower: BigInt(band.lower), upper: BigInt(band.upper) },
  }
}

function reservedBy({ open, held }: Desk): Money {
  let reserved = 0n
  for (const order of open) reserved += reservation(order)
  for (const order of held) reserved += reservation(order)
  return reserved
}

/** What was filled needs no buying power any more; rounded up. */
function reservation({ state, buyingPower }: DeskOrder): Money {
  const { quantity } = state.terms
  return (buyingPower * state.leavesQuantity + quantity - 1n) / quantity
}

/** All orders of a replay are market orders. */
function positionView({ open, held, position }: Desk): PositionView {
  let openBuy = 0n
  let openSell = 0n
  for (const { state } of [...open, ...held]) {
    if (state.terms.side === 'buy') openBuy += state.leavesQuantity
    else openSell += state.leavesQuantity
  }
  return {
    quantity: position.quantity,
    openBuy,
    openSell,
    bestOwnBuy: openBuy > 0n ? 'market' : undefined,
    bestOwnSell: openSell > 0n ? 'market' : undefined,
  }
}
