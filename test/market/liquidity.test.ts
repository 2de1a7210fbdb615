import { expect, test } from 'bun:test'
import { isSpreadTooWide, participationMax } from '#core/market/liquidity.ts'

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
