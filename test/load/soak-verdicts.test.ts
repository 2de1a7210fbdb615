import { expect, test } from 'bun:test'
import { goodBooks } from './fixtures/good-books.ts'
import { newRecord } from './measure/record.ts'
import {
  endsVerdict,
  growthVerdicts,
  type Sampled,
  sampleEverySeconds,
  soakVerdicts,
  soakWindows,
  steadyVerdict,
} from './soak-verdicts.ts'

const hour = 3_600
const moments = Array.from({ length: hour / sampleEverySeconds + 1 }, (_, at) => at)
const sampled = (
  name: string,
  unit: Sampled['unit'],
  of: (second: number) => number = () => 50,
): Sampled => ({
  ...{ name, unit, isJudged: true },
  points: moments.map((second) => [second, of(second)] as const),
})
const all = [
  ...['serve', 'work', 'audit sequence'].flatMap((name) => [
    sampled(name, 'MiB'),
    sampled(name, 'descriptors'),
  ]),
  ...['postgres', 'redis'].map((name) => sampled(name, 'connections')),
]
const isSame = (one: Sampled) => (other: Sampled) =>
  one.name === other.name && one.unit === other.unit
/** What a whole soak says of one line of samples. */
const fateOf = (one: Sampled) => {
  const verdicts = growthVerdicts([one, ...all.filter((other) => !isSame(one)(other))], hour)
  expect(verdicts.slice(1).map(({ fate }) => fate)).toEqual(Array(7).fill('met'))
  return verdicts[0]?.fate
}

test('of an hour the last forty minutes are judged, and ten at either end compared', () => {
  expect(soakWindows(hour)).toEqual({ judgedFrom: 1_200, endSeconds: 600 })
})

test('memory may grow by a mebibyte in ten minutes, and by no more', () => {
  expect(fateOf(sampled('serve', 'MiB', (second) => 100 + (second / 600) * 0.99))).toBe('met')
  expect(fateOf(sampled('serve', 'MiB', (second) => 100 + (second / 600) * 1.01))).toBe('missed')
})

test('what a process takes while it warms up is not judged', () => {
  expect(fateOf(sampled('serve', 'MiB', (second) => Math.min(second, 1_200)))).toBe('met')
  const settling = (second: number) => Math.min(second, 1_200)
  expect(fateOf(sampled('serve', 'descriptors', settling))).toBe('met')
})

test.each(['descriptors', 'connections'] as const)('%s may lie two apart, and no more', (unit) => {
  const name = unit === 'descriptors' ? 'work' : 'redis'
  const growing = (by: number) => (second: number) => 50 + (second > 3_000 ? by : 0)
  expect(fateOf(sampled(name, unit, growing(2)))).toBe('met')
  expect(fateOf(sampled(name, unit, growing(3)))).toBe('missed')
  expect(fateOf(sampled(name, unit, growing(-3)))).toBe('missed')
  const swinging = (by: number) => (second: number) => 50 + (second % 10 === 0 ? by : 0)
  expect(fateOf(sampled(name, unit, swinging(2)))).toBe('met')
  expect(fateOf(sampled(name, unit, swinging(3)))).toBe('missed')
})

test('of 2,401 samples 24 may be outliers, and no more', () => {
  const spiking = (count: number) => (second: number) =>
    second >= 2_400 && second < 2_400 + count ? 90 : 50
  expect(fateOf(sampled('serve', 'descriptors', spiking(24)))).toBe('met')
  expect(fateOf(sampled('serve', 'descriptors', spiking(25)))).toBe('missed')
})

test.each(all.map(({ name, unit }) => [name, unit] as const))(
  'a soak in which %s was never looked at for %s is void',
  (name, unit) => {
    const others = all.filter((one) => one.name !== name || one.unit !== unit)
    const fates = growthVerdicts(others, hour).map(({ fate }) => fate)
    expect(fates).toEqual([...others.map(() => 'met' as const), 'void'])
  },
)

test('half of the samples that were due have to be there', () => {
  const one = sampled('work', 'MiB')
  expect(fateOf({ ...one, points: one.points.slice(0, -1_201) })).toBe('met')
  expect(fateOf({ ...one, points: one.points.slice(0, -1_202) })).toBe('void')
  expect(fateOf({ ...one, points: [] })).toBe('void')
})

test('what only keeps more data is shown and not judged', () => {
  const kept = { ...sampled('redis', 'MiB', (second) => second), isJudged: false }
  expect(growthVerdicts([kept, ...all], hour)).toHaveLength(all.length)
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

test.each([
  ['at work is met', goodBooks, 1_000, ''],
  ['of which most was denied is void', { ...goodBooks, accepted: 599 }, 1_000, 'void'],
  ['of which little was filled is void', { ...goodBooks, filled: 299 }, 1_000, 'void'],
  ['that has lost an answered order is missed', goodBooks, 1_001, 'missed'],
  ['with more orders than were cut off is missed', goodBooks, 699, 'missed'],
  ['that has not audited an end is missed', { ...goodBooks, endedRecords: 999 }, 1_000, 'missed'],
  ['that left a job behind is missed', { ...goodBooks, outbox: 1 }, 1_000, 'missed'],
  ['that stopped itself is missed', { ...goodBooks, stopped: ['symbol AAPL'] }, 1_000, 'missed'],
])('the soak of a desk %s', (_, books, answered, expected) => {
  const record = newRecord()
  for (let at = 0; at < answered; at += 1) {
    const atMs = (at * hour * 1_000) / answered
    const order = { method: 'POST', name: '/orders [POST]', status: 201, isFailed: false }
    record.add({ atMs, ms: 20, ...order })
  }
  const verdicts = soakVerdicts({
    ...{ run: { record, startMs: 0 }, samples: all, books, seconds: hour, users: 300 },
    gates: { failureRatioMax: 0.01, p99MsMax: 500 },
  })
  const others = verdicts.map(({ fate }) => fate).filter((fate) => fate !== 'met')
  expect(others.join(' ')).toBe(expected)
})
