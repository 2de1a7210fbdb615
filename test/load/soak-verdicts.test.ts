import { expect, test } from 'bun:test'
import { growthVerdicts, type Sampled, soakWindows, steadyVerdict } from './soak-verdicts.ts'

const hour = 3_600
const minutes = Array.from({ length: 61 }, (_, minute) => minute * 60)
const sampled = (unit: Sampled['unit'], of: (second: number) => number): Sampled => ({
  ...{ name: 'serve', unit, isJudged: true },
  points: minutes.map((second) => [second, of(second)] as const),
})
const fates = (...samples: readonly Sampled[]) =>
  growthVerdicts(samples, hour).map(({ fate }) => fate)

test('of an hour the last forty minutes are judged, and ten at either end compared', () => {
  expect(soakWindows(hour)).toEqual({ judgedFrom: 1_200, endSeconds: 600 })
})

test('memory may grow by a mebibyte in ten minutes, and by no more', () => {
  expect(fates(sampled('MiB', (second) => 100 + (second / 600) * 0.99))).toEqual(['met'])
  expect(fates(sampled('MiB', (second) => 100 + (second / 600) * 1.01))).toEqual(['missed'])
})

test('what a process takes while it warms up is not judged', () => {
  expect(fates(sampled('MiB', (second) => Math.min(second, 1_200)))).toEqual(['met'])
})

test('descriptors and connections may move by two, either way', () => {
  const moving = (by: number) => (second: number) => 50 + (Math.max(0, second - 1_200) / 2_400) * by
  expect(fates(sampled('descriptors', moving(1.9)))).toEqual(['met'])
  expect(fates(sampled('descriptors', moving(2.1)))).toEqual(['missed'])
  expect(fates(sampled('connections', moving(-2.1)))).toEqual(['missed'])
})

test('what was not sampled is void', () => {
  expect(fates({ name: 'work', unit: 'MiB', isJudged: true, points: [] })).toEqual(['void'])
})

test('what only keeps more data is shown and not judged', () => {
  expect(fates({ ...sampled('MiB', (second) => second), isJudged: false })).toEqual([])
})

test('the end may be a fifth slower than the beginning', () => {
  expect(steadyVerdict(100, 120).fate).toBe('met')
  expect(steadyVerdict(100, 121).fate).toBe('missed')
  expect(steadyVerdict(100, 50).fate).toBe('met')
  expect(steadyVerdict(0, 50).fate).toBe('void')
})
