import { expect, test } from 'bun:test'
import { checkOrder } from '#core/order/check-order.ts'
import {
  amount,
  type Change,
  codeOf,
  codesOf,
  market,
  money,
  noonMs,
  sample,
  sell,
} from './check-sample.ts'

const judge = (change: Change) => checkOrder(sample(change))
const detailsOf = (change: Change) => {
  const result = judge(change)
  return result.verdict === 'deny' ? result.details : []
}
const reference = (price: string, atMs = noonMs) => ({
  reference: { price: amount(price), atMs },
})

test.each<[string, NonNullable<Change['symbolMarket']>, string]>([
  ['is missing', { reference: undefined }, 'fault=missing'],
  ['is nothing', reference('0'), 'fault=not_positive'],
  ['is too old', reference('100', noonMs - 5_001), 'age_ms=5001 max_ms=5000'],
  ['is from the future', reference('100', noonMs + 5_001), 'age_ms=-5001 max_ms=5000'],
  ['has no time', reference('100', Number.NaN), 'age_ms=NaN max_ms=5000'],
])(
  'a reference price that %s denies, and nothing is computed from it',
  (_, symbolMarket, facts) => {
    const detail = `STALE_MARKET_DATA source=reference symbol=AAPL ${facts}`
    expect(detailsOf({ symbolMarket })).toEqual([detail])
    expect(detailsOf({ symbolMarket, terms: market })).toEqual([detail])
  },
)

test('a symbol of which nothing is known is denied', () => {
  const result = checkOrder({ ...sample(), symbolMarket: undefined })
  expect(codesOf(result)).toEqual(['STALE_MARKET_DATA', 'STALE_MARKET_DATA'])
})

test.each([noonMs - 5_000, noonMs, noonMs + 5_000])('a reference price of %d is fresh', (atMs) => {
  const limits = { sizing: 'off' } as const
  expect(codeOf(judge({ symbolMarket: reference('100', atMs), limits }))).toBe('pass')
})

test('a limit of age that is no number denies', () => {
  expect(codesOf(judge({ limits: { dataAgeMaxMs: Number.NaN } }))).toEqual(['STALE_MARKET_DATA'])
})

const wide = { band: undefined }

test.each([
  ['100', '105.01', '500'],
  ['100', '94.99', '500'],
  ['3', '3.16', '500'],
  ['3', '2.84', '500'],
  ['2.99', '3.29', '1000'],
  ['2.99', '2.69', '1000'],
])('with a reference of %s a limit of %s is outside the collar', (ref, limit, basisPoints) => {
  const change = {
    instrument: wide,
    symbolMarket: reference(ref),
    terms: { limitPrice: amount(limit) },
  }
  const detail = `PRICE_COLLAR limit=${limit} reference=${ref} basis_points=${basisPoints}`
  expect(detailsOf(change)).toEqual([detail])
  expect(detailsOf({ ...change, terms: { ...change.terms, ...sell } })).toEqual([detail])
})

test.each([
  ['100', '105'],
  ['100', '95'],
  ['3', '3.15'],
  ['3', '2.85'],
  ['2.99', '3.28'],
  ['2.99', '2.7'],
])('with a reference of %s a limit of %s is inside the collar', (ref, limit) => {
  const terms = { limitPrice: amount(limit) }
  expect(codeOf(judge({ instrument: wide, symbolMarket: reference(ref), terms }))).toBe('pass')
})

test('the collar is exact where doubles are not: one billionth past it is denied', () => {
  const terms = { limitPrice: amount('105') }
  const past = judge({ instrument: wide, symbolMarket: reference('99.999999999'), terms })
  expect(codesOf(past)).toEqual(['PRICE_COLLAR'])
})

test.each([Number.NaN, -1, 0.5])('a collar of %d basis points allows the reference only', (bp) => {
  const limits = { collarBasisPoints: bp }
  expect(codeOf(judge({ limits }))).toBe('pass')
  expect(codesOf(judge({ limits, terms: { limitPrice: amount('100.01') } }))).toEqual([
    'PRICE_COLLAR',
  ])
})

test('a limit has to lie inside the band of the single-stock limits too', () => {
  const instrument = { band: { lower: amount('99'), upper: amount('101') } }
  const at = (limit: string) => ({ instrument, terms: { limitPrice: amount(limit) } })
  for (const limit of ['98.99', '101.01']) {
    expect(detailsOf(at(limit))).toEqual([
      `PRICE_COLLAR limit=${limit} band_lower=99 band_upper=101`,
    ])
  }
  for (const limit of ['99', '101']) expect(codeOf(judge(at(limit)))).toBe('pass')
})

const stop = { type: 'stop', limitPrice: undefined, stopPrice: amount('102') } as const

test.each<[string, Change['terms'], string]>([
  ['a limit order at its limit', { limitPrice: amount('101') }, '10100'],
  ['a market order 4 % above the reference', market, '10400'],
  ['a stop order 4 % above its stop', stop, '10608'],
  ['a sale alike', { ...market, ...sell }, '10400'],
])('%s counts as its notional', (_, terms = {}, notional) => {
  const at = (max: bigint) => ({ terms, limits: { notionalMax: max } })
  expect(judge(at(money(notional)))).toMatchObject({ verdict: 'pass', notional: money(notional) })
  expect(detailsOf(at(money(notional) - 1n))).toEqual([
    expect.stringContaining(`NOTIONAL_EXCEEDS_MAX_PER_ORDER notional=${notional} max=`),
  ])
})

test('a notional that is no whole number of the smallest money is rounded up', () => {
  const result = judge({
    terms: { ...market, quantity: 1n },
    instrument: { lot: 1n, quantityMin: 1n },
    capabilities: { isFractional: true },
    symbolMarket: reference('100.000000001'),
  })
  expect(result).toMatchObject({ notional: 104_000_000_002n })
})

test('the notional of the last minute and of the order may reach the limit, not pass it', () => {
  const at = (before: string) => ({
    account: { notionalLastMinute: money(before) },
    limits: { notionalPerMinuteMax: money('50000') },
  })
  expect(codeOf(judge(at('40000')))).toBe('pass')
  expect(detailsOf(at('40000.01'))).toEqual([
    'NOTIONAL_RATE_EXCEEDED notional=10000 last_minute=40000.01 max=50000',
  ])
})
