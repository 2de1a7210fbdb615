import { expect, test } from 'bun:test'
import {
  exactPercentile,
  numberList,
  roundedMedian,
  roundedPercentile,
  roundMs,
} from './response-times.ts'

test.each([
  [0.4, 0],
  [2.5, 2],
  [3.5, 4],
  [99.4, 99],
  [99.6, 100],
  [104.9, 100],
  [105, 100],
  [115, 120],
  [494.9, 490],
  [495, 500],
  [498, 500],
  [999, 1_000],
  [1_250, 1_200],
  [1_350, 1_400],
  [9_999, 10_000],
  [12_500, 12_000],
])('%f ms are rounded to %i, halves to the even side', (ms, expected) => {
  expect(roundMs(ms)).toBe(expected)
})

test('a percentile is the value at the index of its part, at most the last', () => {
  const times = new Map([
    [10, 50],
    [20, 49],
    [300, 1],
  ])
  expect([0, 0.49, 0.5, 0.98, 0.99, 1].map((part) => roundedPercentile(times, part))).toEqual([
    10, 10, 20, 20, 300, 300,
  ])
  const exact = Float64Array.from([...times].flatMap(([ms, count]) => Array(count).fill(ms)))
  expect([0.49, 0.5, 0.99, 1].map((part) => exactPercentile(exact, part))).toEqual([
    10, 20, 300, 300,
  ])
})

test('rounding lifts a p99 of 495 to 500, which is why gates look at the exact one', () => {
  const list = numberList()
  for (let index = 0; index < 1_000; index += 1) list.add(495)
  expect(exactPercentile(list.sorted(), 0.99)).toBe(495)
  expect(roundedPercentile(new Map([[roundMs(495), 1_000]]), 0.99)).toBe(500)
})

test('the median is the lower one of the two in the middle', () => {
  expect(
    roundedMedian(
      new Map([
        [20, 2],
        [10, 2],
      ]),
    ),
  ).toBe(10)
})

test('of nothing every percentile is 0', () => {
  expect(roundedPercentile(new Map(), 0.99)).toBe(0)
  expect(roundedMedian(new Map())).toBe(0)
  expect(exactPercentile(numberList().sorted(), 0.99)).toBe(0)
})

test('a list holds more numbers than it began with', () => {
  const list = numberList()
  for (let index = 5_000; index > 0; index -= 1) list.add(index)
  expect(list.sorted()).toEqual(Float64Array.from({ length: 5_000 }, (_, index) => index + 1))
})
