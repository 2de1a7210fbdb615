import { expect, test } from 'bun:test'
import { checkOrder } from '#core/order/check-order.ts'
import {
  amount,
  type Change,
  codeOf,
  codesOf,
  market,
  noonMs,
  sample,
  sell,
} from './check-sample.ts'

const reason = 'operator stop'
const judge = (change: Change) => checkOrder(sample(change))

test('a halted switch denies every order, an exit too, and says which switch and why', () => {
  const state = { state: 'HALTED', scope: 'symbol AAPL', reason } as const
  const result = judge({ state, terms: sell, position: { quantity: amount('100') } })
  expect(result).toEqual({
    verdict: 'deny',
    code: 'TRADING_HALTED',
    details: ['TRADING_HALTED scope="symbol AAPL" reason="operator stop"'],
  })
})

const reducing = { state: 'REDUCING', scope: 'account', reason } as const

test.each<[string, Change]>([
  ['opens a position', {}],
  ['adds to a long one', { position: { quantity: amount('1') } }],
  ['sells more than is held', { terms: sell, position: { quantity: amount('99') } }],
  [
    'sells what an open order sells already',
    { terms: sell, position: { quantity: amount('199'), openSell: amount('100') } },
  ],
  ['covers more than is short', { position: { quantity: -amount('99') } }],
  [
    'covers what an open order covers already',
    { position: { quantity: -amount('100'), openBuy: amount('1') } },
  ],
  [
    'takes the place of a larger order than the position bears',
    {
      terms: sell,
      position: { quantity: amount('100'), openSell: amount('101') },
      replaced: { buyingPower: 0n, quantity: amount('101'), cumQuantity: 0n },
    },
  ],
])('REDUCING denies an order that %s', (_, change) => {
  expect(codesOf(judge({ ...change, state: reducing }))).toEqual(['TRADING_STATE_REDUCING'])
})

test.each<[string, Change]>([
  ['sells what is held', { terms: sell, position: { quantity: amount('100') } }],
  [
    'sells what open orders leave',
    { terms: sell, position: { quantity: amount('200'), openSell: amount('100') } },
  ],
  ['covers what is short', { position: { quantity: -amount('100') } }],
  [
    'takes the place of the order that closes the position',
    {
      terms: sell,
      position: { quantity: amount('100'), openSell: amount('100') },
      replaced: { buyingPower: 0n, quantity: amount('100'), cumQuantity: 0n },
    },
  ],
])('REDUCING lets an order pass that %s', (_, change) => {
  expect(judge({ ...change, state: reducing })).toMatchObject({ verdict: 'pass' })
})

const untilMs = noonMs + 900_000
const halted1 = { kind: 'halted', level: 1, untilMs } as const
const halted2 = { kind: 'halted', level: 2, untilMs } as const
const closed = { kind: 'closed', level: 3 } as const

test.each([
  [halted1, 'MARKET_HALTED_L1'],
  [halted2, 'MARKET_HALTED_L2'],
  [closed, 'MARKET_HALTED_L3'],
] as const)('while the breaker says %j, orders that cannot wait are denied', (verdict, code) => {
  for (const timeInForce of ['ioc', 'fok'] as const) {
    expect(codesOf(judge({ market: verdict, terms: { timeInForce } }))).toEqual([code])
  }
})

test.each([
  [halted1, 'MARKET_HALTED_L1'],
  [halted2, 'MARKET_HALTED_L2'],
  [closed, 'MARKET_HALTED_L3'],
] as const)('while the breaker says %j, a profile without holding denies', (verdict, code) => {
  const limits = { haltPolicy: 'deny' } as const
  for (const timeInForce of ['day', 'gtc', 'cls'] as const) {
    expect(codesOf(judge({ market: verdict, limits, terms: { timeInForce } }))).toEqual([code])
  }
})

test.each(['day', 'cls', 'opg'] as const)('level 3 ends the day: %s is denied', (timeInForce) => {
  const result = judge({ market: closed, terms: { timeInForce } })
  expect(codeOf(result)).toBe('MARKET_HALTED_L3')
})

test('a halt holds what can wait and says until when', () => {
  for (const terms of [{}, { timeInForce: 'gtc' }, market] as const) {
    expect(judge({ market: halted1, terms })).toMatchObject({
      verdict: 'hold',
      reason: 'MARKET_HALTED_L1 until=2024-03-13T15:15:00.000Z',
    })
  }
  expect(judge({ market: closed, terms: { timeInForce: 'gtc' } })).toMatchObject({
    verdict: 'hold',
    reason: 'MARKET_HALTED_L3',
  })
})

test('without a fresh index nothing is entered or held', () => {
  for (const timeInForce of ['day', 'gtc', 'ioc'] as const) {
    const result = judge({ market: { kind: 'unknown', ageMs: 5_001 }, terms: { timeInForce } })
    expect(result).toMatchObject({ details: ['STALE_MARKET_DATA source=index age_ms=5001'] })
  }
  const never = judge({ market: { kind: 'unknown', ageMs: undefined } })
  expect(never).toMatchObject({ details: ['STALE_MARKET_DATA source=index age_ms=unknown'] })
})

test('an order that waits for the end of a halt is judged by the last data, however old', () => {
  const clockMs = noonMs + 600_000
  expect(codeOf(judge({ clockMs, market: halted1 }))).toBe('hold')
  expect(codesOf(judge({ clockMs }))).toEqual(['STALE_MARKET_DATA'])
})

test('an order that waits keeps the size asked for: it is sized on release', () => {
  const symbolMarket = { volatilityPercent: undefined }
  const result = judge({ market: halted1, symbolMarket })
  expect(result).toMatchObject({ verdict: 'hold', quantity: amount('100'), warnings: [] })
})

test('an order that fails another check is denied, not held', () => {
  expect(codesOf(judge({ market: halted1, hasTwin: true }))).toEqual(['DUPLICATE_ORDER'])
  const missing = judge({ market: halted1, symbolMarket: { reference: undefined } })
  expect(codesOf(missing)).toEqual(['STALE_MARKET_DATA'])
})

test.each([
  [noonMs + 1, 'SYMBOL_HALTED'],
  [noonMs, 'pass'],
  [Number.POSITIVE_INFINITY, 'SYMBOL_HALTED'],
  [Number.NaN, 'SYMBOL_HALTED'],
])('a symbol halted until %d: %s at noon', (haltedUntilMs, code) => {
  expect(codeOf(judge({ instrument: { haltedUntilMs } }))).toBe(code)
})

/** The passing order at another time of its day, with data as old as the clock. */
function at(time: string, terms: Change['terms'] = {}): Change {
  const clockMs = Date.parse(time)
  const { symbolMarket } = sample()
  const quote = symbolMarket?.quote && { ...symbolMarket.quote, time: clockMs }
  const reference = { price: amount('100'), atMs: clockMs }
  return { clockMs, terms, symbolMarket: { quote, reference } }
}

const day = '2024-03-13'
const earlyClose = '2024-11-29'

test.each([
  [`${day}T13:29:59.999Z`, 'day', 'MARKET_CLOSED'],
  [`${day}T13:30:00.000Z`, 'day', 'pass'],
  [`${day}T20:00:00.000Z`, 'day', 'pass'],
  [`${day}T20:00:00.001Z`, 'day', 'MARKET_CLOSED'],
  [`${day}T20:00:00.001Z`, 'ioc', 'MARKET_CLOSED'],
  [`${day}T20:00:00.001Z`, 'fok', 'MARKET_CLOSED'],
  ['2024-03-16T15:00:00.000Z', 'day', 'MARKET_CLOSED'],
  [`${earlyClose}T18:00:00.000Z`, 'day', 'pass'],
  [`${earlyClose}T18:00:00.001Z`, 'day', 'MARKET_CLOSED'],
  [`${day}T13:29:59.999Z`, 'opg', 'pass'],
  [`${day}T13:30:00.000Z`, 'opg', 'TOO_LATE_TO_ENTER'],
  [`${day}T20:00:00.000Z`, 'opg', 'TOO_LATE_TO_ENTER'],
  [`${day}T20:00:00.001Z`, 'opg', 'MARKET_CLOSED'],
  ['2024-03-16T15:00:00.000Z', 'opg', 'MARKET_CLOSED'],
  [`${day}T13:29:59.999Z`, 'cls', 'MARKET_CLOSED'],
  [`${day}T19:50:00.000Z`, 'cls', 'pass'],
  [`${day}T19:50:00.001Z`, 'cls', 'TOO_LATE_TO_ENTER'],
  [`${day}T20:00:00.001Z`, 'cls', 'MARKET_CLOSED'],
  [`${earlyClose}T17:50:00.001Z`, 'cls', 'TOO_LATE_TO_ENTER'],
  [`${day}T20:00:00.000Z`, 'gtc', 'pass'],
  [`${day}T20:00:00.001Z`, 'gtc', 'hold'],
  ['2024-03-16T15:00:00.000Z', 'gtc', 'hold'],
] as const)('at %s an order good for %s: %s', (time, timeInForce, code) => {
  expect(codeOf(judge(at(time, { timeInForce })))).toBe(code)
})

test('outside the session only orders with a limit wait for the next one', () => {
  const night = `${day}T22:00:00.000Z`
  const stop = { type: 'stop', limitPrice: undefined, stopPrice: amount('101') } as const
  const expireAt = noonMs + 86_400_000 * 5
  for (const timeInForce of ['gtc', 'gtd'] as const) {
    const reply = (terms: Change['terms']) => judge(at(night, { ...terms, timeInForce, expireAt }))
    expect(codesOf(reply(market))).toEqual(['MARKET_CLOSED'])
    expect(codesOf(reply(stop))).toEqual(['MARKET_CLOSED'])
    expect(reply({})).toMatchObject({ verdict: 'hold', reason: 'MARKET_CLOSED' })
    const stopLimit = { type: 'stop_limit', stopPrice: amount('99') } as const
    expect(codeOf(reply(stopLimit))).toBe('hold')
  }
})

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
  'a clock that says %d admits nothing',
  (clockMs) => {
    const result = judge({ clockMs, terms: { timeInForce: 'gtc' } })
    expect(codesOf(result)).toEqual(['MARKET_CLOSED', 'STALE_MARKET_DATA'])
  },
)
