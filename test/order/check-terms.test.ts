import { expect, test } from 'bun:test'
import { checkOrder } from '#core/order/check-order.ts'
import { amount, type Change, codeOf, codesOf, noonMs, sample } from './check-sample.ts'

const judge = (change: Change) => checkOrder(sample(change))
const detailsOf = (change: Change) => {
  const result = judge(change)
  return result.verdict === 'deny' ? result.details : []
}

test('an unknown symbol is denied by that and nothing computed without it', () => {
  const result = checkOrder({ ...sample(), instrument: undefined })
  expect(result).toMatchObject({ details: ['UNKNOWN_SYMBOL symbol=AAPL fault=unknown'] })
})

test('a symbol that is not tradable is denied', () => {
  expect(detailsOf({ instrument: { isTradable: false } })).toEqual([
    'UNKNOWN_SYMBOL symbol=AAPL fault=not_tradable',
  ])
})

test('a symbol on the restricted list is denied', () => {
  expect(detailsOf({ instrument: { isRestricted: true } })).toEqual([
    'RESTRICTED_SYMBOL symbol=AAPL',
  ])
})

const none = undefined
const p100 = amount('100')

test.each<[string, Change, string]>([
  ['a type the venue lacks', { capabilities: { types: ['market'] } }, 'type'],
  ['a time in force the venue lacks', { capabilities: { timesInForce: [] } }, 'time_in_force'],
  ['a limit order without its limit', { terms: { limitPrice: none } }, 'limit_price'],
  ['a market order with a limit', { terms: { type: 'market' } }, 'limit_price'],
  ['a stop order without its stop', { terms: { type: 'stop', limitPrice: none } }, 'stop_price'],
  ['a stop limit without its stop', { terms: { type: 'stop_limit' } }, 'stop_price'],
  ['a limit order with a stop', { terms: { stopPrice: p100 } }, 'stop_price'],
  [
    'a stop that is to execute at once',
    { terms: { type: 'stop', limitPrice: none, stopPrice: p100, timeInForce: 'ioc' } },
    'combination',
  ],
  [
    'a stop limit for the closing auction',
    { terms: { type: 'stop_limit', stopPrice: p100, timeInForce: 'cls' } },
    'combination',
  ],
])('%s is not supported', (_, change, fault) => {
  const [detail, ...others] = detailsOf(change)
  expect(others).toEqual([])
  expect(detail).toStartWith('UNSUPPORTED_ORDER_TYPE')
  expect(detail).toEndWith(` fault=${fault}`)
})

test('part of a share is denied unless the venue trades parts', () => {
  const change: Change = {
    terms: { quantity: amount('100.5') },
    instrument: { lot: amount('0.000000001') },
  }
  expect(detailsOf(change)).toEqual([
    'UNSUPPORTED_ORDER_TYPE type=limit time_in_force=day fault=fractional_quantity',
  ])
  expect(codeOf(judge({ ...change, capabilities: { isFractional: true } }))).toBe('pass')
})

test.each([
  [undefined, 'EXPIRE_TIME_IN_PAST expire_at=missing clock=2024-03-13T15:00:00.000Z'],
  [noonMs, 'EXPIRE_TIME_IN_PAST expire_at=2024-03-13T15:00:00.000Z clock=2024-03-13T15:00:00.000Z'],
  [Number.NaN, 'EXPIRE_TIME_IN_PAST expire_at=NaN clock=2024-03-13T15:00:00.000Z'],
])('an order good till %p is denied at noon', (expireAt, detail) => {
  expect(detailsOf({ terms: { timeInForce: 'gtd', expireAt } })).toEqual([detail])
})

test('an order good till a millisecond from now passes', () => {
  expect(codeOf(judge({ terms: { timeInForce: 'gtd', expireAt: noonMs + 1 } }))).toBe('pass')
})

/** The passing order at another price, in a market that is there too. */
function priced(limit: string, field: 'limitPrice' | 'stopPrice' = 'limitPrice'): Change {
  const price = amount(limit)
  return {
    terms:
      field === 'limitPrice'
        ? { limitPrice: price }
        : { type: 'stop_limit', limitPrice: amount('100'), stopPrice: price },
    instrument: { band: undefined },
    symbolMarket: {
      reference: { price: field === 'limitPrice' ? price : amount('100'), atMs: noonMs },
    },
  }
}

test.each([
  ['100.001', '0.01'],
  ['100.000000001', '0.01'],
  ['1.0001', '0.01'],
  ['0.99991', '0.0001'],
  ['0.00001', '0.0001'],
])('a price of %s is not on the tick of %s, as a limit or as a stop', (price, tick) => {
  expect(detailsOf(priced(price))).toEqual([
    `PRICE_INCREMENT field=limit_price price=${price} tick=${tick}`,
  ])
  expect(detailsOf(priced(price, 'stopPrice'))).toEqual([
    `PRICE_INCREMENT field=stop_price price=${price} tick=${tick}`,
  ])
})

test.each(['100.01', '1.01', '1', '0.9999', '0.0001'])('a price of %s is on its tick', (price) => {
  expect(codeOf(judge(priced(price)))).toBe('pass')
  expect(codeOf(judge(priced(price, 'stopPrice')))).toBe('pass')
})

test('a price of nothing is denied', () => {
  expect(codesOf(judge({ terms: { limitPrice: 0n } }))).toContain('PRICE_INCREMENT')
})

const filled = { buyingPower: 0n, quantity: amount('1'), cumQuantity: p100 }

test.each<[string, string, Change, string]>([
  ['99', 'below the minimum', { instrument: { quantityMin: p100 } }, 'quantity=99 min=100 lot=1'],
  ['150', 'of no whole lots', { instrument: { lot: p100 } }, 'quantity=150 min=1 lot=100'],
  ['0', 'of nothing', {}, 'quantity=0 min=1 lot=1'],
  ['100', 'of no known lot', { instrument: { lot: 0n } }, 'quantity=100 min=1 lot=0'],
  [
    '100',
    'filled before it was replaced',
    { replaced: filled },
    'quantity=100 leaves=0 min=1 lot=1',
  ],
])('a quantity of %s, %s, is incorrect', (quantity, _, change, facts) => {
  expect(detailsOf({ ...change, terms: { quantity: amount(quantity) } })).toEqual([
    `QUANTITY_BELOW_MINIMUM ${facts}`,
  ])
})

test.each<[string, string, Change]>([
  ['100', 'just the minimum', { instrument: { quantityMin: p100 } }],
  ['200', 'of whole lots', { instrument: { lot: p100 } }],
])('a quantity of %s, %s, is correct', (quantity, _, change) => {
  expect(codeOf(judge({ ...change, terms: { quantity: amount(quantity) } }))).toBe('pass')
})

test('an order of nothing reduces nothing, and is not sized', () => {
  const result = judge({
    terms: { quantity: 0n, reduceOnly: true },
    position: { quantity: -p100 },
    symbolMarket: { volatilityPercent: undefined },
  })
  expect(codesOf(result)).toEqual(['QUANTITY_BELOW_MINIMUM', 'REDUCE_ONLY_WOULD_INCREASE'])
})

test('a quantity just past the largest is denied, the largest passes', () => {
  const limits = { quantityMax: amount('100') }
  expect(codeOf(judge({ limits }))).toBe('pass')
  expect(detailsOf({ limits, terms: { quantity: amount('101') } })).toEqual([
    'QUANTITY_EXCEEDS_MAXIMUM quantity=101 max=100',
  ])
})
