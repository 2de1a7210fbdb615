import { expect, test } from 'bun:test'
import { newRecord } from './measure/record.ts'
import {
  endsVerdict,
  growthVerdicts,
  type Sampled,
  soakWindows,
  steadyVerdict,
} from './soak-verdicts.ts'

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

test('the ends are compared by exact times: rounded, 103 and 123.7 ms are 100 and 120', () => {
  const startMs = 1_000_000_000_000
  const ends = (lastMs: number) => {
    const record = newRecord()
    const answered = (second: number, ms: number) => {
      const atMs = startMs + second * 1_000
      record.add({ atMs, ms, method: 'GET', name: '/', status: 200, isFailed: false })
    }
    answered(599.999, 103)
    answered(600, 1)
    answered(2_999.999, 9_000)
    answered(3_000, lastMs)
    answered(3_600, 9_000)
    return endsVerdict(record, startMs, hour)
  }
  expect(ends(123.6)).toMatchObject({ fate: 'met', seen: '123.6 ms, 103.0 ms' })
  expect(ends(123.7).fate).toBe('missed')
})

test('ends without an answer are void', () => {
  expect(endsVerdict(newRecord(), 0, hour).fate).toBe('void')
})
