import { expect, test } from 'bun:test'
import { from, rangeOf, slopeErrorOf, slopeOf } from './trend.ts'

test('a straight line has its slope, and a level one none', () => {
  expect(slopeOf([0, 1, 2, 3].map((x) => [x, 5 + x * 2] as const))).toBeCloseTo(2)
  expect(slopeOf([0, 1, 2, 3].map((x) => [x, 5] as const))).toBe(0)
})

test('chance does nothing to the slope of a line, and the less to another the longer it was looked at', () => {
  const saw = (count: number) =>
    Array.from({ length: count }, (_, x) => [x, x + ((x * 7) % 5)] as const)
  expect(
    slopeErrorOf(
      [0, 1, 2, 3].map((x) => [x, 5 + x * 2] as const),
      1,
    ),
  ).toBeCloseTo(0)
  expect(slopeErrorOf(saw(400), 1)).toBeLessThan(slopeErrorOf(saw(100), 1) / 6)
  expect(slopeErrorOf(saw(100), 50)).toBe(Number.POSITIVE_INFINITY)
})

test('of fewer than two points nothing is said', () => {
  expect(slopeOf([])).toBe(0)
  expect(rangeOf([], 0.01)).toBe(Infinity)
})

test('what swings is as far apart as it was at most, however level its slope', () => {
  expect(rangeOf([50, 40, 60, 50], 0)).toBe(20)
})

test.each([
  ['high', [60, 60, 60]],
  ['low', [1, 1, 1]],
  ['either way', [1, 60, 60]],
])(
  'so many of a hundred that lie %s are left out as may, and no more',
  (_, [last = 0, ...more]) => {
    const level = Array.from({ length: 100 - more.length }, (_, at) => 10 + (at % 3))
    expect(rangeOf([...level, ...more], 0.02)).toBe(2)
    expect(rangeOf([...level.slice(1), ...more, last], 0.02)).toBeGreaterThan(2)
  },
)

test('only what lies behind a moment counts', () => {
  const points = [0, 1, 2, 3].map((x) => [x, x < 2 ? 100 : x] as const)
  expect(slopeOf(from(points, 2))).toBeCloseTo(1)
})
