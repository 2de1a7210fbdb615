import { expect, test } from 'bun:test'
import { driftOf, from, slopeOf } from './trend.ts'

test('a straight line has its slope, and a level one none', () => {
  expect(slopeOf([0, 1, 2, 3].map((x) => [x, 5 + x * 2] as const))).toBeCloseTo(2)
  expect(slopeOf([0, 1, 2, 3].map((x) => [x, 5] as const))).toBe(0)
})

test('of fewer than two points nothing is said', () => {
  expect(slopeOf([])).toBe(0)
  expect(driftOf([[1, 2]])).toBe(0)
})

test('a single spike in the middle is no drift', () => {
  const points = Array.from({ length: 101 }, (_, x) => [x, x === 50 ? 60 : 10] as const)
  expect(driftOf(points)).toBeCloseTo(0)
})

test('only what lies behind a moment counts', () => {
  const points = [0, 1, 2, 3].map((x) => [x, x < 2 ? 100 : x] as const)
  expect(slopeOf(from(points, 2))).toBeCloseTo(1)
})
