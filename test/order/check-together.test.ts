import { expect, test } from 'bun:test'
import type { CheckInput, CheckResult, DenyCode } from '#core/order/check-input.ts'
import { checkOrder } from '#core/order/check-order.ts'
import { generator, randomInput } from './check-random.ts'
import { amount, type Change, codesOf, market, money, sample, sell } from './check-sample.ts'

test('no order leaves larger than it was asked for, off its lot, or with more than it was judged by', () => {
  const random = generator(13)
  const seen = { pass: 0, hold: 0, deny: 0, smaller: 0 }
  for (let round = 0; round < 20_000; round++) {
    const input = randomInput(random)
    const result = checkOrder(input)
    seen[result.verdict] += 1
    if (result.verdict === 'deny') continue
    const { terms, instrument, account } = input
    expect(result.quantity).toBeGreaterThan(0n)
    expect(result.quantity).toBeLessThanOrEqual(terms.quantity)
    expect(result.quantity % (instrument?.lot ?? 0n)).toBe(0n)
    expect(result.reservation.quantity).toBe(result.quantity)
    expect(result.reservation.buyingPower).toBeLessThanOrEqual(account.cash)
    expect(result.warnings.length).toBe(result.quantity < terms.quantity ? 1 : 0)
    if (result.quantity < terms.quantity) seen.smaller += 1
  }
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(100)
})

/** The view after an order was let through: what the deciding transaction stores. */
function entered(input: CheckInput, result: CheckResult): CheckInput {
  if (result.verdict === 'deny') return input
  const { account, position, terms } = input
  const { buyingPower, quantity } = result.reservation
  const side = terms.side === 'buy' ? 'openBuy' : 'openSell'
  return sample(
    {
      account: {
        reserved: account.reserved + buyingPower,
        openOrders: account.openOrders + 1,
        notionalLastMinute: account.notionalLastMinute + result.notional,
      },
      position: { [side]: position[side] + quantity },
    },
    input,
  )
}

test.each<[DenyCode, Change]>([
  ['INSUFFICIENT_BUYING_POWER', { account: { cash: money('19999.99') } }],
  [
    'INSUFFICIENT_BUYING_POWER',
    { terms: { ...sell, ...market }, account: { cash: money('10301') } },
  ],
  ['POSITION_LIMIT', { limits: { positionMax: amount('199') } }],
  ['POSITION_LIMIT', { terms: sell, limits: { positionMax: amount('199') } }],
  [
    'SHORT_NOT_ALLOWED',
    { terms: sell, position: { quantity: amount('199') }, account: { isShortAllowed: false } },
  ],
  ['TOO_MANY_OPEN_ORDERS', { limits: { openOrdersMax: 1 } }],
  ['NOTIONAL_RATE_EXCEEDED', { limits: { notionalPerMinuteMax: money('19999.99') } }],
  [
    'REDUCE_ONLY_WOULD_INCREASE',
    { terms: { ...sell, reduceOnly: true }, position: { quantity: amount('199') } },
  ],
])('of two orders that fit alone but not together the second is denied: %s', (code, change) => {
  const first = sample(change)
  const result = checkOrder(first)
  expect(result.verdict).toBe('pass')
  expect(codesOf(checkOrder(entered(first, result)))).toEqual([code])
})

test('however many orders are entered, what they may take stays within cash and position limit', () => {
  const random = generator(17)
  let passed = 0
  for (let round = 0; round < 200; round++) {
    let input = randomInput(random)
    for (let order = 0; order < 20; order++) {
      const { terms, clockMs } = randomInput(random)
      input = sample({ terms, clockMs, limits: { positionMax: amount('800') } }, input)
      const result = checkOrder(input)
      passed += result.verdict === 'pass' ? 1 : 0
      input = entered(input, result)
      const { account, position } = input
      expect(account.reserved).toBeLessThanOrEqual(account.cash)
      expect(position.quantity + position.openBuy).toBeLessThanOrEqual(amount('800'))
      expect(position.openSell - position.quantity).toBeLessThanOrEqual(amount('800'))
    }
  }
  expect(passed).toBeGreaterThan(100)
})
