import { expect, test } from 'bun:test'
import { dataAgeScale, sizeOrder, volatilityScale } from '#core/market/sizing.ts'
import { seededRandom } from '../audit/verify/seeded-random.ts'

const unit = 1_000_000_000n

test.each([
  ['a scale of nothing', 100n * unit, 0, unit],
  ['a scale below a millionth', 10n ** 30n, 0.0000009, 1n],
  ['a negative scale', 100n * unit, -1, unit],
  ['a scale that is no number', 100n * unit, Number.NaN, unit],
  ['less than a lot', unit, 0.999, unit],
  ['no lot', 100n * unit, 1, 0n],
  ['a negative lot', 100n * unit, 1, -1n],
  ['a request of nothing', 0n, 1, unit],
  ['a negative request', -unit, 1, unit],
])('%s leaves nothing', (_, requested, scale, lot) => {
  expect(sizeOrder(requested, scale, lot)).toBe(0n)
})

test.each([
  [Number.NaN, 0],
  [-1, 0],
  [Number.POSITIVE_INFINITY, 0],
  [0, 1],
  [20, 1],
  [20.000001, 20 / 20.000001],
  [25, 0.8],
  [40, 0.5],
  [80, 0.25],
])('a volatility of %p percent leaves %p of the size', (percent, scale) => {
  expect(volatilityScale(percent)).toBe(scale)
})

test('at VIX 40 half is left, and at the very next number above less than half', () => {
  // 2^-47 is the distance of 40 to the next double.
  const next = 40 + 2 ** -47
  expect(next).toBeGreaterThan(40)
  const requested = 10n ** 26n
  expect(sizeOrder(requested, volatilityScale(40), 1n)).toBe(requested / 2n)
  expect(sizeOrder(requested, volatilityScale(next), 1n)).toBeLessThan(requested / 2n)
})

test('target and floor are the caller’s, but no scale exceeds one', () => {
  expect(volatilityScale(40, { targetPercent: 10 })).toBe(0.25)
  expect(volatilityScale(400, { floor: 0.1 })).toBe(0.1)
  expect(volatilityScale(10, { floor: 3 })).toBe(1)
})

test.each([
  [0, 5000, 1],
  [1250, 5000, 0.75],
  [4999, 5000, 0.0002],
  [5000, 5000, 0],
  [5001, 5000, 0],
  [-1250, 5000, 0.75],
  [0, 0, 0],
  [Number.NaN, 5000, 0],
  [100, Number.NaN, 0],
  [Number.POSITIVE_INFINITY, 5000, 0],
])('data %p ms old of at most %p leave %p of the size', (ageMs, limitMs, scale) => {
  expect(dataAgeScale(ageMs, limitMs)).toBe(scale)
})

test('the older the data, the smaller the order', () => {
  const sizes = [0, 1000, 2000, 3000, 4000, 4999].map((ageMs) =>
    sizeOrder(1000n * unit, dataAgeScale(ageMs, 5000), unit),
  )
  expect(sizes).toEqual([1000n, 800n, 600n, 400n, 200n, 0n].map((shares) => shares * unit))
})

test('a size is whole lots, never above the request, never above its scaled part, less than a lot below it', () => {
  const random = seededRandom(181).random
  for (let round = 0; round < 20_000; round += 1) {
    const requested = BigInt(Math.floor(random() * 2 ** 53)) * 1000n
    const lot = BigInt(1 + Math.floor(random() * 1e12))
    const scale = random() * 1.2
    const sized = sizeOrder(requested, scale, lot)
    // The double's own digits; its shortest text differs by less than its last.
    const digits = BigInt(Math.min(1, scale).toFixed(18).replace('.', ''))
    const part = requested * digits
    const slack = requested * 200n
    expect(sized % lot).toBe(0n)
    expect(sized).toBeLessThanOrEqual(requested)
    expect(sized * 10n ** 18n).toBeLessThanOrEqual(part + slack)
    expect((sized + lot) * 10n ** 18n).toBeGreaterThan(part - slack)
  }
})

test.each([
  [0.1, 100n],
  [0.29, 290n],
  [0.57, 570n],
  [0.58, 580n],
  [1 - 2000 / 5000, 600n],
  [20 / 25, 800n],
  [1 / 3, 333n],
])('%p of 1,000 is %p, as it is on paper', (scale, shares) => {
  expect(sizeOrder(1000n * unit, scale, unit)).toBe(shares * unit)
})

test('a scale of one keeps a request of whole lots as it is', () => {
  expect(sizeOrder(300n * unit, 1, 100n * unit)).toBe(300n * unit)
  expect(sizeOrder(350n * unit, 1, 100n * unit)).toBe(300n * unit)
})
