import { expect, test } from 'bun:test'
import { goodBooks as books } from './fixtures/good-books.ts'
import {
  bookVerdicts,
  exitCodeOf,
  floorVerdicts,
  marketVerdicts,
  scoreVerdict,
  stageVerdicts,
  type Verdict,
  verdictLines,
} from './verdicts.ts'

const gates = { failureRatioMax: 0.01, p99MsMax: 500 }
const fates = (verdicts: readonly Verdict[]): readonly string[] => verdicts.map(({ fate }) => fate)

test('a run without a request has met nothing', () => {
  const nothing = floorVerdicts({ requests: 0, failures: 0, p99Ms: 0 }, gates)
  expect(fates(nothing)).toEqual(['missed', 'missed', 'missed'])
})

test.each([
  [{ requests: 1_000, failures: 9, p99Ms: 499.9 }, ['met', 'met', 'met']],
  [{ requests: 1_000, failures: 10, p99Ms: 500 }, ['met', 'missed', 'missed']],
])('of %j the floor says %j: a gate itself is not below it', (client, expected) => {
  expect(fates(floorVerdicts(client, gates))).toEqual(expected)
})

test.each([
  [499.9, 'met'],
  [500, 'missed'],
])('a request with a p99 of %f ms among faster ones is %s', (p99Ms, expected) => {
  const slowest = { name: '/orders [POST]', p99Ms }
  const verdict = floorVerdicts({ requests: 1_000, failures: 0, p99Ms: 400, slowest }, gates).at(-1)
  expect(verdict).toMatchObject({ fate: expected, seen: expect.stringContaining('/orders [POST]') })
})

test.each([
  ['just in', { failures: 9, p99Ms: 400, stub: 200, within: 0.99 }, ['met', 'met', 'met']],
  [
    'just out',
    { failures: 10, p99Ms: 401, stub: 200, within: 0.989 },
    ['missed', 'missed', 'missed'],
  ],
  ['beside a fast stub', { failures: 0, p99Ms: 5, stub: 2, within: 1 }, ['met', 'met', 'missed']],
])('ours, %s', (_, { failures, p99Ms, stub, within }, expected) => {
  const verdicts = stageVerdicts({
    client: { requests: 10_000, failures, p99Ms },
    users: 1_000,
    ...{ stubP99Ms: stub, gatewayP99Ms: 90, partWithin100Ms: within },
  })
  expect(fates(verdicts)).toEqual(expected)
})

test('ours is asked of a thousand users', () => {
  const client = { requests: 10, failures: 10, p99Ms: 9_000 }
  const figures = { client, stubP99Ms: 1, gatewayP99Ms: 9_000, partWithin100Ms: 0 }
  expect(stageVerdicts({ ...figures, users: 999 })).toEqual([])
})

test('a desk that denies most or fills little makes a run void, not good', () => {
  expect(fates(marketVerdicts(books))).toEqual(['met', 'met'])
  expect(fates(marketVerdicts({ ...books, accepted: 599 }))).toEqual(['void', 'met'])
  expect(fates(marketVerdicts({ ...books, filled: 299 }))).toEqual(['met', 'void'])
  expect(fates(marketVerdicts({ ...books, orders: 0, accepted: 0 }))).toEqual(['void', 'void'])
})

test.each([
  ['all is there', books, 1_000, 'met met met met met'],
  ['answers were cut off at the end', books, 990, 'met met met met met'],
  ['more orders than requests were cut off', books, 989, 'missed met met met met'],
  ['an order that was answered is gone', books, 1_001, 'missed met met met met'],
  ['an entry is not audited', { ...books, enteredRecords: 999 }, 1_000, 'met missed met met met'],
  ['an order never ended', { ...books, open: 1 }, 1_000, 'met missed met met met'],
  ['an end is not audited', { ...books, endedRecords: 999 }, 1_000, 'met missed met met met'],
  ['a job is not audited', { ...books, jobRecords: 19 }, 1_000, 'met met missed met met'],
  ['a symbol was frozen', { ...books, stopped: ['symbol AAPL'] }, 1_000, 'met met met missed met'],
  ['a job never ended', { ...books, unfinishedJobs: 1 }, 1_000, 'met met met met missed'],
  ['a job was never sent', { ...books, outbox: 1 }, 1_000, 'met met met met missed'],
])('the books where %s', (_, given, answered, expected) => {
  expect(fates(bookVerdicts(given, answered, 10)).join(' ')).toBe(expected)
})

test.each([
  ['are as many', 1_200, 'met'],
  ['are as many, and those whose answer was cut off', 1_210, 'met'],
  ['are more than that', 1_211, 'missed'],
  ['lack an answered one', 1_199, 'missed'],
])('scores: the jobs %s', (_, scoreJobs, expected) => {
  expect(fates([scoreVerdict({ ...books, scoreJobs }, 1_200, 10)])).toEqual([expected])
})

test('void goes before missed, and its line says so', () => {
  const [accepted] = marketVerdicts({ ...books, accepted: 1 })
  const [requests] = floorVerdicts({ requests: 0, failures: 0, p99Ms: 0 }, gates)
  if (accepted === undefined || requests === undefined) throw new Error('no verdicts')
  expect(exitCodeOf([])).toBe(0)
  expect(exitCodeOf([requests])).toBe(1)
  expect(exitCodeOf([requests, accepted])).toBe(3)
  expect(verdictLines([accepted])).toEqual([
    'VOID   orders accepted: 0.10 % of 1000 (at least 60.00 %)',
  ])
})
