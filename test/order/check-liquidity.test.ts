import { expect, test } from 'bun:test'
import { checkOrder } from '#core/order/check-order.ts'
import {
  amount,
  type Change,
  codeOf,
  market,
  money,
  nanos,
  noonMs,
  sample,
  sell,
} from './check-sample.ts'

const judge = (change: Change) => checkOrder(sample(change))
const detailsOf = (change: Change) => {
  const result = judge(change)
  return result.verdict === 'deny' ? result.details : []
}

test('an order may be 2.5 % of the mean bar, and not a share more', () => {
  const at = (quantity: string) => ({
    terms: { quantity: amount(quantity) },
    symbolMarket: { meanBarVolume: 4_000 },
  })
  expect(codeOf(judge(at('100')))).toBe('pass')
  expect(detailsOf(at('101'))).toEqual(['LIQUIDITY_LIMIT quantity=101 max=100'])
})

test('a symbol that trades nothing has no liquidity', () => {
  expect(detailsOf({ symbolMarket: { meanBarVolume: 0 } })).toEqual([
    'LIQUIDITY_LIMIT quantity=100 max=0',
  ])
})

test.each([
  [undefined, 'missing'],
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, 'Infinity'],
  [-1, '-1'],
])('a mean volume of %p denies as missing data', (meanBarVolume, fault) => {
  expect(detailsOf({ symbolMarket: { meanBarVolume } })).toEqual([
    `STALE_MARKET_DATA source=mean_bar_volume symbol=AAPL fault=${fault}`,
  ])
})

test.each([Number.NaN, Number.POSITIVE_INFINITY, -1])('a participation of %d is none', (part) => {
  expect(codeOf(judge({ limits: { participationBasisPoints: part } }))).toBe('LIQUIDITY_LIMIT')
})

const quote = (bid: string, ask: string, time = noonMs) => ({
  time,
  bid: nanos(bid),
  ask: nanos(ask),
  bidSize: 1,
  askSize: 1,
})

test.each([
  ['five medians', '99.95', '100.06', '0.02', '99.95', '100.05'],
  ['1 % of the mid', '99.5', '100.51', '1', '99.5', '100.5'],
])('a market order is denied past a spread of %s', (_, bid, ask, medianSpread, atBid, atAsk) => {
  const at = (from: string, to: string) => ({
    terms: market,
    symbolMarket: { quote: quote(from, to), medianSpread: amount(medianSpread) },
  })
  expect(detailsOf(at(bid, ask))).toEqual([
    `SPREAD_TOO_WIDE bid=${bid} ask=${ask} median_spread=${medianSpread}`,
  ])
  expect(codeOf(judge(at(atBid, atAsk)))).toBe('pass')
  expect(codeOf(judge({ ...at(bid, ask), terms: {} }))).toBe('pass')
})

test.each<[string, Change['symbolMarket'] & {}, string]>([
  ['a quote', { quote: undefined }, 'source=quote symbol=AAPL fault=missing'],
  [
    'a fresh quote',
    { quote: quote('99.99', '100.01', noonMs - 5_001) },
    'source=quote symbol=AAPL age_ms=5001 max_ms=5000',
  ],
  ['a bid', { quote: quote('0', '100.01') }, 'source=quote symbol=AAPL fault=not_sane'],
  ['order', { quote: quote('100.02', '100.01') }, 'source=quote symbol=AAPL fault=not_sane'],
  [
    'an ask that is a number',
    { quote: { ...quote('99.99', '100.01'), ask: Number.NaN } },
    'source=quote symbol=AAPL fault=not_sane',
  ],
  ['a median', { medianSpread: undefined }, 'source=median_spread symbol=AAPL fault=missing'],
])('a market order is denied without %s, a limit order passes', (_, symbolMarket, facts) => {
  expect(detailsOf({ symbolMarket, terms: market })).toEqual([`STALE_MARKET_DATA ${facts}`])
  expect(codeOf(judge({ symbolMarket }))).toBe('pass')
})

test('a bid at the ask is a sane quote', () => {
  const symbolMarket = { quote: quote('100.01', '100.01') }
  expect(codeOf(judge({ symbolMarket, terms: market }))).toBe('pass')
})

test('what two checks lack is told once', () => {
  const result = detailsOf({ symbolMarket: { quote: undefined }, terms: { ...market, ...sell } })
  expect(result).toEqual(['STALE_MARKET_DATA source=quote symbol=AAPL fault=missing'])
})

const p100 = amount('100')
const stop = { type: 'stop', limitPrice: undefined, stopPrice: p100 } as const

test.each<[string, Change, string]>([
  ['a buy at the own sell', { position: { bestOwnSell: p100 } }, 'side=buy limit=100 own=100'],
  [
    'a buy above it',
    { position: { bestOwnSell: amount('99.99') } },
    'side=buy limit=100 own=99.99',
  ],
  [
    'a sell at the own buy',
    { terms: sell, position: { bestOwnBuy: p100 } },
    'side=sell limit=100 own=100',
  ],
  [
    'any market order against an opposite one',
    { terms: market, position: { bestOwnSell: amount('104') } },
    'side=buy limit=market own=104',
  ],
  [
    'a stop, which becomes a market order',
    { terms: { ...stop, ...sell }, position: { bestOwnBuy: amount('90') } },
    'side=sell limit=market own=90',
  ],
  [
    'any order against one without a limit',
    { position: { bestOwnSell: 'market' } },
    'side=buy limit=100 own=market',
  ],
])('%s would trade with its own account', (_, change, facts) => {
  expect(detailsOf(change)).toEqual([`SELF_TRADE ${facts}`])
})

test.each<[string, Change]>([
  ['a buy below the own sell', { position: { bestOwnSell: amount('100.01') } }],
  ['a sell above the own buy', { terms: sell, position: { bestOwnBuy: amount('99.99') } }],
  ['orders of one side', { position: { bestOwnBuy: 'market' } }],
  ['a market order of the same side', { terms: market, position: { bestOwnBuy: p100 } }],
])('%s cannot meet', (_, change) => {
  expect(codeOf(judge(change))).toBe('pass')
})

test.each([
  [0, '100'],
  [20, '100'],
  [20.000001, '99'],
  [40, '50'],
  [40.000001, '49'],
  [80, '25'],
  [1_900, '1'],
])('at a volatility of %d %% a hundred become %s', (volatilityPercent, sized) => {
  const result = judge({ symbolMarket: { volatilityPercent } })
  const warnings = sized === '100' ? [] : [`SIZE_REDUCED from=100 to=${sized}`]
  expect(result).toMatchObject({ verdict: 'pass', quantity: amount(sized), warnings })
})

test('what is reserved and counted is the size after sizing', () => {
  expect(judge({ symbolMarket: { volatilityPercent: 40 } })).toMatchObject({
    reservation: { buyingPower: money('5000'), quantity: amount('50') },
    notional: money('5000'),
  })
})

test('an order is judged by what was asked for, not by what sizing would leave of it', () => {
  const result = judge({
    symbolMarket: { volatilityPercent: 40 },
    account: { cash: money('9999') },
  })
  expect(codeOf(result)).toBe('INSUFFICIENT_BUYING_POWER')
})

test('of old data an order is made smaller', () => {
  const reference = { price: p100, atMs: noonMs - 2_500 }
  expect(judge({ symbolMarket: { reference } })).toMatchObject({ quantity: amount('50') })
})

test('an order of which nothing is left is denied', () => {
  expect(detailsOf({ symbolMarket: { volatilityPercent: 2_001 } })).toEqual([
    expect.stringMatching(/^SIZE_ZERO from=100 to=0 min=1 scale=0\.00999/),
  ])
  const lots = { lot: p100, quantityMin: p100 }
  expect(codeOf(judge({ instrument: lots, symbolMarket: { volatilityPercent: 21 } }))).toBe(
    'SIZE_ZERO',
  )
  const anySize = { instrument: { quantityMin: 0n }, symbolMarket: { volatilityPercent: 2_001 } }
  expect(codeOf(judge(anySize))).toBe('SIZE_ZERO')
})

test('an order is not sent out smaller than the venue takes', () => {
  const at = (volatilityPercent: number) => ({
    instrument: { quantityMin: amount('50') },
    symbolMarket: { volatilityPercent },
  })
  expect(codeOf(judge(at(40)))).toBe('pass')
  expect(codeOf(judge(at(40.1)))).toBe('SIZE_ZERO')
})

test('what a predecessor filled counts towards the least the venue takes', () => {
  const at = (minimum: string) => ({
    instrument: { quantityMin: amount(minimum) },
    replaced: { buyingPower: 0n, quantity: amount('1'), cumQuantity: amount('20') },
    symbolMarket: { volatilityPercent: 40 },
  })
  expect(judge(at('60'))).toMatchObject({ verdict: 'pass', quantity: amount('60') })
  expect(codeOf(judge(at('61')))).toBe('SIZE_ZERO')
})

test.each([undefined, Number.NaN, Number.POSITIVE_INFINITY, -1])(
  'a volatility of %p denies as missing data, and is not asked for with sizing off',
  (volatilityPercent) => {
    const symbolMarket = { volatilityPercent }
    expect(detailsOf({ symbolMarket })).toEqual([
      `STALE_MARKET_DATA source=volatility symbol=AAPL fault=${volatilityPercent ?? 'missing'}`,
    ])
    expect(codeOf(judge({ symbolMarket, limits: { sizing: 'off' } }))).toBe('pass')
  },
)

test('an exit keeps its size whatever the volatility is', () => {
  const exit = { terms: sell, position: { quantity: p100 } }
  for (const volatilityPercent of [80, 5_000, undefined]) {
    const result = judge({ ...exit, symbolMarket: { volatilityPercent } })
    expect(result).toMatchObject({ verdict: 'pass', quantity: p100, warnings: [] })
  }
})

test('a replacement keeps what its predecessor has open, and its increase is sized', () => {
  const at = (quantity: string) => ({
    terms: { quantity: amount(quantity) },
    replaced: { buyingPower: 0n, quantity: amount('50'), cumQuantity: amount('10') },
    symbolMarket: { volatilityPercent: 40 },
  })
  expect(judge(at('60'))).toMatchObject({ quantity: amount('60'), warnings: [] })
  expect(judge(at('90'))).toMatchObject({
    quantity: amount('60'),
    warnings: ['SIZE_REDUCED from=80 to=50'],
  })
  expect(judge(at('170'))).toMatchObject({
    quantity: amount('90'),
    reservation: { quantity: amount('80') },
  })
})
