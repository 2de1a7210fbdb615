import { expect, test } from 'bun:test'
import {
  isSpreadTooWide,
  medianSpread,
  participationMax,
  slippedPrice,
} from '#core/market/liquidity.ts'

const unit = 1_000_000_000n

test.each([
  ['no volume', 0, 250],
  ['a volume below nothing', -1, 250],
  ['a volume that is no number', Number.NaN, 250],
  ['a volume without end', Number.POSITIVE_INFINITY, 250],
  ['no part', 1000, 0],
  ['a part that is no number', 1000, Number.NaN],
])('%s lets nothing participate', (_, volume, basisPoints) => {
  expect(participationMax(volume, basisPoints)).toBe(0n)
})

test('an order may be 2.5 % of the mean volume, to the last nano', () => {
  expect(participationMax(1000, 250)).toBe(25n * unit)
  expect(participationMax(1001, 250)).toBe(25_025_000_000n)
  expect(participationMax(5_000_000_000, 250)).toBe(125_000_000n * unit)
})

const quote = (bid: bigint, spread: bigint) => ({ bid, ask: bid + spread })

test.each([
  ['crossed', quote(100n * unit, -1n), unit, true],
  ['without a bid', quote(0n, unit), unit, true],
  ['locked', quote(100n * unit, 0n), 0n, false],
  ['of five medians', quote(100n * unit, 50_000_000n), 10_000_000n, false],
  ['one nano wider than five medians', quote(100n * unit, 50_000_001n), 10_000_000n, true],
  ['of 1 % of the mid', { bid: 199n * unit, ask: 201n * unit }, unit, false],
  ['one nano wider than that', { bid: 199n * unit, ask: 201n * unit + 1n }, unit, true],
])('a spread %s: too wide is a matter of one nano', (_, { bid, ask }, median, isWide) => {
  expect(isSpreadTooWide({ bid, ask }, median)).toBe(isWide)
})

test.each([
  [[], undefined],
  [[7n], 7n],
  [[9n, 1n, 5n], 5n],
  [[4n, 1n, 3n, 2n], 2n],
  [[10n, 9n, 100n], 10n],
])('the median of %p is %p: the lower of two in the middle', (spreads, median) => {
  expect<bigint | undefined>(medianSpread(spreads)).toBe(median)
})

const trade = {
  side: 'buy',
  price: 100n * unit,
  quantity: 10n * unit,
  volume: 1000,
  participationBasisPoints: 250,
} as const

test.each([
  ['volume 0', { ...trade, volume: 0 }],
  ['a volume that is no number', { ...trade, volume: Number.NaN }],
  ['no price', { ...trade, price: 0n }],
])('%s trades nothing: no stale price stands in', (_, input) => {
  expect(slippedPrice(input)).toBeUndefined()
})

test('slippage is a tenth of the squared share of volume, up to the limit, against the order', () => {
  // A share of 1 %: 0.1 × 0.0001 × 100 = 0.001; doubles put the last nano on the order's side.
  const near = (price: bigint | undefined, expected: bigint) =>
    expect([expected, expected + 1n, expected - 1n]).toContain(price ?? 0n)
  near(slippedPrice(trade), 100n * unit + 1_000_000n)
  near(slippedPrice({ ...trade, side: 'sell' }), 100n * unit - 1_000_000n)
  // At the limit of 2.5 %: 0.1 × 0.000625 × 100 = 0.00625, and no more for a larger order.
  near(slippedPrice({ ...trade, quantity: 25n * unit }), 100n * unit + 6_250_000n)
  expect(slippedPrice({ ...trade, quantity: 900n * unit })).toBe(
    slippedPrice({ ...trade, quantity: 25n * unit }),
  )
})

test('the slightest execution slips a nano to the order’s disadvantage, never to its advantage', () => {
  const slight = { ...trade, price: 1n, quantity: 1n }
  expect(slippedPrice(slight)).toBe(2n)
  expect(slippedPrice({ ...trade, quantity: 1n, side: 'sell' })).toBe(100n * unit - 1n)
})
