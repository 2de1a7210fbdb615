import { describe, expect, test } from 'bun:test'
import { parseAmount } from '#core/order/amount.ts'
import { paperDefaults } from '#core/order/venue/paper-market.ts'
import { feeOf } from '#core/order/venue/paper-price.ts'
import { seededRandom } from '#core/order/venue/seeded-random.ts'
import {
  alpaca,
  bar,
  barMs,
  dice,
  enteredMs,
  match,
  order,
  outcome,
  quote,
  strict,
} from './match-sample.ts'

describe.each([strict, alpaca])('in both modes: %p', (mode) => {
  test.each([
    ['a halt', { isHalted: true, bar: bar('10 10 10 10 100000'), quote: quote('10 10') }],
    ['a bar without volume', { bar: bar('10 10 10 10 0') }],
    ['an empty side of the book', { quote: quote('9 10 100 0') }],
    ['a book without an offer', { quote: quote('9 0') }],
  ] as const)('%s fills nothing: DAY rests, IOC and FOK are cancelled', (_name, seen) => {
    expect(outcome(match(order(), seen, mode))).toBe('rests')
    expect(outcome(match(order({ timeInForce: 'ioc' }), seen, mode))).toBe('canceled')
    expect(outcome(match(order({ timeInForce: 'fok' }), seen, mode))).toBe('canceled')
  })

  test('data older than they may be are no market, and just as old as they may be are one', () => {
    const seen = { quote: quote('9.99 10'), bar: bar('10 10 10 10 100000') }
    const late = { ...seen, clockMs: barMs + paperDefaults.dataAgeMaxMs + 1 }
    expect(outcome(match(order(), late, mode))).toBe('rests')
    const onTime = { ...seen, clockMs: barMs + paperDefaults.dataAgeMaxMs }
    expect(match(order(), onTime, mode).trade?.quantity).toBe(parseAmount('100'))
  })

  test('a crossed book is no market', () => {
    expect(outcome(match(order(), { quote: quote('10.01 10') }, mode))).toBe('rests')
  })

  test('an order on its way to the venue meets nothing, not even an IOC its end', () => {
    const worked = order({ timeInForce: 'ioc', activeAtMs: barMs + 1 })
    expect(outcome(match(worked, { quote: quote('10 10') }, mode))).toBe('rests')
  })

  test.each([
    ['buy', '10.00', 'rests'],
    ['buy', '10.01', '100@10.01'],
    ['buy', '10.02', '100@10.01'],
    ['sell', '10.01', 'rests'],
    ['sell', '10.00', '100@10'],
    ['sell', '9.99', '100@10'],
  ] as const)('a %s limit of %s at 10.00/10.01: %s', (side, limit, expected) => {
    const worked = order({ type: 'limit', side, limit })
    expect(outcome(match(worked, { quote: quote('10.00 10.01') }, mode))).toBe(expected)
  })

  test.each([
    ['buy', '10.001', '100@10.01'],
    ['sell', '10.009', '100@10'],
    ['buy', '0.99991', '100@1'],
    ['buy', '0.12341', '100@0.1235'],
    ['sell', '0.12349', '100@0.1234'],
    ['sell', '0.00001', '100@0.0001'],
  ] as const)('a %s at %s trades on the tick, against the order: %s', (side, price, expected) => {
    const seen = { quote: quote(`${price} ${price}`) }
    expect(outcome(match(order({ side }), seen, mode))).toBe(expected)
  })

  test.each([
    ['buy', 'stop', '10.5', '10.49 10.60', 'rests'],
    ['buy', 'stop', '10.5', '10.50 10.60', '100@10.6 triggered'],
    ['sell', 'stop', '10.5', '10.40 10.51', 'rests'],
    ['sell', 'stop', '10.5', '10.40 10.50', '100@10.4 triggered'],
    ['buy', 'stop_limit', '10.5', '10.50 10.60', 'triggered'],
  ] as const)('a %s %s at %s in the book %s: %s', (side, type, stop, book, expected) => {
    const limit = type === 'stop_limit' ? { limit: '10.55' } : {}
    expect(
      outcome(match(order({ side, type, stop, ...limit }), { quote: quote(book) }, mode)),
    ).toBe(expected)
  })

  test('a stop without a price never triggers', () => {
    const worked = order({ type: 'trailing_stop' })
    expect(
      outcome(match(worked, { quote: quote('10 10'), bar: bar('10 10 10 10 9999') }, mode)),
    ).toBe('rests')
  })
})

describe('as Alpaca simulates it', () => {
  test('the quantity is not held against the size shown', () => {
    expect(outcome(match(order({ leaves: '100000' }), { quote: quote('9 10 1 1') }))).toBe(
      '100000@10',
    )
  })

  test('without a book the last close is the price, and with one it is not', () => {
    const close = bar('9 12 8 10.5 1000')
    expect(outcome(match(order(), { bar: close }))).toBe('100@10.5')
    expect(outcome(match(order(), { bar: close, quote: quote('10 10.01') }))).toBe('100@10.01')
    // A bar that ended after the book was seen is newer than it.
    expect(outcome(match(order(), { bar: close, quote: quote('10 10.01', barMs - 1) }))).toBe(
      '100@10.5',
    )
  })

  test('a limit that traded within the bar but is not marketable now rests', () => {
    const worked = order({ type: 'limit', limit: '9' })
    expect(outcome(match(worked, { bar: bar('10 12 8 10.5 1000') }))).toBe('rests')
  })

  test('a stop triggers on what traded since it entered, not on what traded before', () => {
    const worked = order({ type: 'stop', stop: '11' })
    expect(outcome(match(worked, { bar: bar('10 12 8 10.5 1000') }))).toBe('100@10.5 triggered')
    const before = { bar: bar('10 12 8 10.5 1000', enteredMs) }
    expect(outcome(match(worked, { ...before, clockMs: enteredMs }))).toBe('rests')
  })

  test.each([
    ['a draw of 0.1', dice(0.1), '100@10'],
    ['a draw below it and 0', dice(0.0999, 0), '1@10'],
    ['a draw below it and almost 1', dice(0.0999, 0.9999999), '99@10'],
  ] as const)('%s fills %s', (_name, { random }, expected) => {
    expect(outcome(match(order(), { quote: quote('9 10') }, { random }))).toBe(expected)
  })

  test('a partial fill of IOC cancels the rest; FOK and a single share are never partial', () => {
    const seen = { quote: quote('9 10') }
    const { random } = dice(0)
    expect(outcome(match(order({ timeInForce: 'ioc' }), seen, { random }))).toBe('1@10 canceled')
    expect(outcome(match(order({ timeInForce: 'fok' }), seen, { random }))).toBe('100@10')
    expect(outcome(match(order({ leaves: '1.9' }), seen, { random }))).toBe('1.9@10')
  })

  test('one fill in ten is partial', () => {
    const random = seededRandom(3)
    const fills = Array.from({ length: 10_000 }, () =>
      match(order(), { quote: quote('9 10') }, { random }),
    )
    const partial = fills.filter(({ trade }) => trade?.quantity !== parseAmount('100'))
    // Five standard deviations are 150.
    expect(Math.abs(partial.length - 1_000)).toBeLessThan(150)
  })
})

test('a fee is rounded up to the smallest unit of money', () => {
  const trade = { quantity: parseAmount('3'), price: parseAmount('10.01') }
  const options = { ...paperDefaults, feePerShare: parseAmount('0.005'), feeBasisPoints: 1 }
  // 3 * 0.005 + 30.03 / 10,000
  expect(feeOf(trade, options)).toBe(18_003_000_000_000_000n)
  const dust = { quantity: 1n, price: 1n }
  expect(feeOf(dust, { ...paperDefaults, feeBasisPoints: 1 })).toBe(1n)
  expect(feeOf(trade, paperDefaults)).toBe(0n)
})
