import { expect, test } from 'bun:test'
import { medianSpread } from '#core/market/quote-spreads.ts'

test.each([
  [[], undefined],
  [[7], 7],
  [[9, 1, 5], 5],
  [[4, 1, 3, 2], 2],
  [[10, 9, 100], 10],
])('the median of %p is %p: the lower of two in the middle', (spreads, median) => {
  expect<number | undefined>(medianSpread(spreads)).toBe(median)
})
