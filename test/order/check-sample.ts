import { moneyOf, parseAmount } from '#core/order/amount.ts'
import type { CheckInput, CheckResult, Limits } from '#core/order/check-input.ts'

/** A Wednesday in New York, 11:00 in daylight time; the session is from 9:30 to 16:00. */
export const noonMs = Date.parse('2024-03-13T15:00:00Z')
export const amount = parseAmount
export const money = moneyOf
export const nanos = (text: string) => Number(parseAmount(text))

const limits: Limits = {
  quantityMax: amount('10000'),
  notionalMax: money('100000'),
  notionalPerMinuteMax: money('1000000'),
  duplicateWindowMs: 500,
  repeatedExecutionsMax: 10,
  openOrdersMax: 500,
  positionMax: amount('20000'),
  firmExposureMax: undefined,
  sectorExposureMax: undefined,
  collarBasisPoints: 500,
  participationBasisPoints: 250,
  dataAgeMaxMs: 5_000,
  sizing: 'shrink',
  haltPolicy: 'hold',
}

/** An order that passes: buy 100 at 100.00 for the day, everything known and calm. */
const passing: CheckInput = {
  terms: {
    id: '018e3900-0000-7000-8000-000000000001',
    account: 'paper-1',
    clientOrderId: 'one',
    symbol: 'AAPL',
    side: 'buy',
    type: 'limit',
    timeInForce: 'day',
    quantity: amount('100'),
    limitPrice: amount('100'),
    stopPrice: undefined,
    expireAt: undefined,
    strategy: 'momentum',
    reduceOnly: false,
  },
  clockMs: noonMs,
  state: { state: 'ACTIVE', scope: 'all', reason: 'none' },
  market: { kind: 'open' },
  instrument: {
    symbol: 'AAPL',
    isTradable: true,
    isRestricted: false,
    isShortable: true,
    lot: amount('1'),
    quantityMin: amount('1'),
    haltedUntilMs: undefined,
    band: { lower: amount('95'), upper: amount('105') },
  },
  symbolMarket: {
    reference: { price: amount('100'), atMs: noonMs },
    quote: {
      time: noonMs,
      bid: nanos('99.99'),
      ask: nanos('100.01'),
      bidSize: 100,
      askSize: 100,
    },
    medianSpread: amount('0.02'),
    meanBarVolume: 1_000_000,
    volatilityPercent: 15,
  },
  capabilities: {
    types: ['market', 'limit', 'stop', 'stop_limit'],
    timesInForce: ['day', 'gtc', 'gtd', 'ioc', 'fok', 'opg', 'cls'],
    isFractional: false,
  },
  limits,
  account: {
    id: 'paper-1',
    cash: money('1000000'),
    reserved: 0n,
    shortValue: 0n,
    openOrders: 0,
    isShortAllowed: true,
    notionalLastMinute: 0n,
    drawdown: undefined,
  },
  position: {
    quantity: 0n,
    openBuy: 0n,
    openSell: 0n,
    bestOwnBuy: undefined,
    bestOwnSell: undefined,
  },
  firm: { gross: 0n, sectorGross: 0n },
  hasTwin: false,
  recentExecutions: 0,
  replaced: undefined,
}

type Parts = {
  readonly [Name in
    | 'terms'
    | 'limits'
    | 'account'
    | 'position'
    | 'firm'
    | 'capabilities']?: Partial<CheckInput[Name]>
} & {
  readonly instrument?: Partial<NonNullable<CheckInput['instrument']>>
  readonly symbolMarket?: Partial<NonNullable<CheckInput['symbolMarket']>>
}
type Whole = Partial<
  Pick<CheckInput, 'clockMs' | 'state' | 'market' | 'hasTwin' | 'recentExecutions' | 'replaced'>
>
export type Change = Parts & Whole

/** The passing order, or another one, with something changed. */
export function sample(change: Change = {}, from: CheckInput = passing): CheckInput {
  const { instrument, symbolMarket } = from
  return {
    ...from,
    ...change,
    terms: { ...from.terms, ...change.terms },
    limits: { ...from.limits, ...change.limits },
    account: { ...from.account, ...change.account },
    position: { ...from.position, ...change.position },
    firm: { ...from.firm, ...change.firm },
    capabilities: { ...from.capabilities, ...change.capabilities },
    instrument: instrument && { ...instrument, ...change.instrument },
    symbolMarket: symbolMarket && { ...symbolMarket, ...change.symbolMarket },
  }
}

/** The codes of a denial's details, in their order; empty when the order was not denied. */
export function codesOf(result: CheckResult): readonly string[] {
  if (result.verdict !== 'deny') return []
  return result.details.map((detail) => detail.split(' ')[0] ?? '')
}

export function codeOf(result: CheckResult): string {
  return result.verdict === 'deny' ? result.code : result.verdict
}

/** An order at the market, which has no limit. */
export const market = { type: 'market', limitPrice: undefined } as const
export const sell = { side: 'sell' } as const
