import { expect, test } from 'bun:test'
import { ordRejReason } from '#core/order/check-denial.ts'
import { type CheckInput, type DenyCode, denyCodes } from '#core/order/check-input.ts'
import { checkOrder } from '#core/order/check-order.ts'
import { faults } from './check-faults.ts'
import { generator, randomInput } from './check-random.ts'
import { amount, codeOf, codesOf, money, sample } from './check-sample.ts'

test.each(denyCodes.map((code) => [code] as const))('%s alone denies the passing order', (code) => {
  const result = checkOrder(sample(faults[code]))
  expect(result).toMatchObject({ verdict: 'deny', code })
  expect(codesOf(result)).toEqual([code])
})

test('the order without a fault passes whole, and says what it takes', () => {
  expect(checkOrder(sample())).toEqual({
    verdict: 'pass',
    quantity: amount('100'),
    reservation: { buyingPower: money('10000'), quantity: amount('100') },
    notional: money('10000'),
    warnings: [],
    reason: undefined,
  })
})

/** Faults that leave the others what they are, each with the code it adds. */
const independent: readonly DenyCode[] = [
  'TRADING_STATE_REDUCING',
  'MARKET_HALTED_L3',
  'SYMBOL_HALTED',
  'UNKNOWN_SYMBOL',
  'RESTRICTED_SYMBOL',
  'UNSUPPORTED_ORDER_TYPE',
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
  'REDUCE_ONLY_WOULD_INCREASE',
  'FIRM_EXPOSURE_LIMIT',
  'DRAWDOWN_LIMIT',
  'SELF_TRADE',
  'SIZE_ZERO',
]
/** Missing volume is found by the check of liquidity, after what precedes it. */
const tableOrder: readonly string[] = [
  ...independent.filter((code) => code !== 'STALE_MARKET_DATA').slice(0, -2),
  'STALE_MARKET_DATA',
  'SELF_TRADE',
  'SIZE_ZERO',
]

function withFaults(codes: readonly DenyCode[]): CheckInput {
  return codes.reduce((input, code) => sample(faults[code], input), sample())
}

test('every failed check is told, in the order of the table, whatever fails together', () => {
  const random = generator(7)
  for (let round = 0; round < 2_000; round++) {
    const part = random()
    const codes = independent.filter(() => random() < part)
    const result = checkOrder(withFaults(codes))
    const expected = tableOrder.filter((code) => codes.some((one) => one === code))
    expect(codesOf(result)).toEqual(expected)
    expect(codeOf(result)).toBe(expected[0] ?? 'pass')
  }
})

/** Faults that take nothing away from what another order is denied for. */
const additional: readonly DenyCode[] = [
  'TRADING_HALTED',
  'TRADING_STATE_REDUCING',
  'SYMBOL_HALTED',
  'UNKNOWN_SYMBOL',
  'RESTRICTED_SYMBOL',
  'UNSUPPORTED_ORDER_TYPE',
  'DUPLICATE_ORDER',
  'REPEATED_EXECUTION',
  'TOO_MANY_OPEN_ORDERS',
  'FIRM_EXPOSURE_LIMIT',
  'DRAWDOWN_LIMIT',
]

test('a further fault never lets an order pass that was denied, nor hides a reason', () => {
  const random = generator(11)
  for (let round = 0; round < 1_000; round++) {
    const input = randomInput(random)
    const before = codesOf(checkOrder(input))
    for (const code of additional) {
      const after = codesOf(checkOrder(sample(faults[code], input)))
      expect(after).toEqual(expect.arrayContaining(before))
    }
  }
})

test('each denial has its reason in FIX', () => {
  const others = [
    'TRADING_HALTED TRADING_STATE_REDUCING RESTRICTED_SYMBOL EXPIRE_TIME_IN_PAST',
    'PRICE_INCREMENT STALE_MARKET_DATA PRICE_COLLAR REPEATED_EXECUTION SHORT_NOT_ALLOWED',
    'REDUCE_ONLY_WOULD_INCREASE DRAWDOWN_LIMIT LIQUIDITY_LIMIT SPREAD_TOO_WIDE SELF_TRADE',
  ]
  const exceeded = [
    'QUANTITY_EXCEEDS_MAXIMUM NOTIONAL_EXCEEDS_MAX_PER_ORDER NOTIONAL_RATE_EXCEEDED',
    'TOO_MANY_OPEN_ORDERS POSITION_LIMIT FIRM_EXPOSURE_LIMIT SIZE_ZERO',
  ]
  const byReason: Readonly<Record<number, string>> = {
    0: 'INSUFFICIENT_BUYING_POWER',
    1: 'UNKNOWN_SYMBOL',
    2: 'MARKET_HALTED_L1 MARKET_HALTED_L2 MARKET_HALTED_L3 SYMBOL_HALTED MARKET_CLOSED',
    3: exceeded.join(' '),
    4: 'TOO_LATE_TO_ENTER',
    6: 'DUPLICATE_ORDER',
    11: 'UNSUPPORTED_ORDER_TYPE',
    13: 'QUANTITY_BELOW_MINIMUM',
    99: others.join(' '),
  }
  const expected = Object.entries(byReason).flatMap(([reason, codes]) =>
    codes.split(' ').map((code) => [code, Number(reason)]),
  )
  expect(ordRejReason).toEqual(Object.fromEntries(expected))
})
