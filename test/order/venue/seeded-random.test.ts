import { expect, test } from 'bun:test'
import { seededRandom, seedOf } from '#core/order/venue/seeded-random.ts'

function drawn(seed: number, count: number): number[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, random)
}

test.each([0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY])(
  'a seed of %p is refused: it could not be recorded',
  (seed) => {
    expect(() => seededRandom(seed)).toThrow('invariant')
  },
)

test('a seed gives the same numbers for ever', () => {
  // Recorded once: a change of the generator changes every run that was reproduced by its seed.
  expect(drawn(42, 4).map((value) => value * 2 ** 32)).toEqual([
    660444221, 3652823732, 77672526, 910233633,
  ])
})

test.each([
  [0, 1],
  [1, 2 ** 32 + 1],
  [-1, 1],
  [2 ** 32, 2 ** 33],
])('the seeds %p and %p give different numbers', (left, right) => {
  expect(drawn(left, 8)).not.toEqual(drawn(right, 8))
})

test('numbers are even over [0, 1), and no run of them repeats', () => {
  const numbers = drawn(7, 100_000)
  expect(numbers.every((value) => value >= 0 && value < 1)).toBe(true)
  const tenths = Array.from({ length: 10 }, () => 0)
  for (const value of numbers)
    tenths[Math.floor(value * 10)] = (tenths[Math.floor(value * 10)] ?? 0) + 1
  // Ten thousand each; five standard deviations are 474.
  for (const count of tenths) expect(Math.abs(count - 10_000)).toBeLessThan(474)
  expect(new Set(numbers).size).toBeGreaterThan(99_990)
})

test('a text gives a seed of its own, of which its parent seed is a part', () => {
  expect(seedOf(1, 'order-1')).not.toBe(seedOf(1, 'order-2'))
  expect(seedOf(1, 'order-1')).not.toBe(seedOf(2, 'order-1'))
  expect(seedOf(1, 'order-1')).toBe(seedOf(1, 'order-1'))
})
