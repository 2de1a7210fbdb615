import { expect, test } from 'bun:test'
import type { Sight } from '#core/incident/incident.ts'
import {
  canaryLateMs,
  type Heartbeat,
  type Look,
  lookAtAnswers,
  lookAtBreakers,
  lookAtCanary,
  lookAtHeartbeats,
  lookAtKeys,
  lookAtLast,
  lookAtLog,
  lookAtPublished,
  lookAtReads,
  type Tally,
} from '#core/incident/looks.ts'

const never = Number.NEGATIVE_INFINITY
/** Kind, and since when, in milliseconds. */
async function seen(sight: ReturnType<Look>): Promise<unknown> {
  const told: Sight = await sight
  if (told.kind === 'failing') return ['failing', told.sinceMs]
  return told.kind
}

test.each<[string, number | undefined, number, unknown]>([
  ['none before the first', undefined, 96_000, 'unknown'],
  ['none at all', undefined, 0, ['failing', 0]],
  ['in time', canaryLateMs, 0, 'good'],
  ['just late', canaryLateMs + 1, 0, ['failing', 100_000 - canaryLateMs - 1]],
  ['late, and the queue is just back', 60_000, 100_000 - canaryLateMs, 'unknown'],
  ['late since the queue is back', 60_000, 90_000, ['failing', 90_000]],
])('a canary: %s', async (_title, ageMs, backMs, expected) => {
  expect(await seen(lookAtCanary(() => ageMs)(100_000, backMs))).toEqual(expected)
})

test('an answer that was asked for earlier says nothing any more', async () => {
  const { look, note } = lookAtLast()
  expect(await seen(look(0, never))).toBe('unknown')
  note(2_000, undefined)
  note(1_000, 'timed out')
  expect(await seen(look(0, never))).toBe('good')
  note(3_000, 'away')
  expect(await seen(look(9_000, never))).toEqual(['failing', 3_000])
})

/** Looks once a second at counts. */
async function lookAll(look: Look, backMs = never, seconds = 1): Promise<readonly unknown[]> {
  const all: unknown[] = []
  for (let at = 0; at < seconds; at += 1) all.push(await seen(look(at * 1_000, backMs)))
  return all
}

const tallies = (steps: readonly (readonly [failed: number, all: number])[]) => {
  const left = [...steps]
  let last: Tally = { failed: 0, all: 0 }
  return async () => {
    const [failed, all] = left.shift() ?? [last.failed, last.all]
    last = { failed, all }
    return last
  }
}

type Counts = readonly [given: number, overloaded: number, failed: number]

const answered = (steps: readonly Counts[]) => {
  const left = [...steps]
  return async () => {
    const [given = 0, overloaded = 0, failed = 0] = left.shift() ?? steps.at(-1) ?? []
    return { given, overloaded, failed }
  }
}

test.each<[string, Counts, Counts, string]>([
  ['nine of nine are some caller’s trouble', [0, 0, 0], [0, 0, 9], 'good'],
  ['ten of ten are the gateway’s', [0, 0, 0], [0, 0, 10], 'failing'],
  ['ten of two hundred are', [0, 0, 0], [190, 0, 10], 'failing'],
  ['ten of two hundred and one are not', [0, 0, 0], [191, 0, 10], 'good'],
  ['what was counted before the first look is no news', [0, 0, 50], [10, 0, 50], 'good'],
  ['who refuses for overload and answers beside it serves', [0, 0, 0], [1, 900, 0], 'good'],
  ['who refuses everything does not', [5, 0, 0], [5, 10, 0], 'failing'],
])('5xx: %s', async (_title, before, after, expected) => {
  const last = (await lookAll(lookAtAnswers(answered([before, after])), never, 2)).at(-1)
  expect(Array.isArray(last) ? last[0] : last).toBe(expected)
})

test('5xx of more than ten seconds ago count no more', async () => {
  const all = await lookAll(
    lookAtAnswers(
      answered([
        [0, 0, 0],
        [0, 0, 10],
      ]),
    ),
    never,
    13,
  )
  expect(all.map((one) => (Array.isArray(one) ? 'failing' : one)).join(' ')).toBe(
    `good ${'failing '.repeat(10)}good good`,
  )
})

test('5xx while something else was away are not the gateway’s', async () => {
  const look = lookAtAnswers(
    answered([
      [0, 0, 0],
      [0, 0, 40],
      [10, 0, 40],
    ]),
  )
  await look(0, never)
  expect(await seen(look(5_000, 5_000))).toBe('good')
  expect(await seen(look(6_000, 5_000))).toBe('good')
})

test('a store that nobody asks is not known, and one read in vain is no incident', async () => {
  const look = lookAtReads(
    tallies([
      [0, 0],
      [0, 1],
      [0, 1],
      [1, 2],
    ]),
  )
  expect(await lookAll(look, never, 9)).toEqual([
    ...['unknown', 'good', 'good'],
    ...Array.from({ length: 5 }, () => ['failing', undefined]),
    'unknown',
  ])
})

test('of gateways one that is silent is dead, and one that is gone was stopped', async () => {
  let rows: readonly Heartbeat[] = [{ id: 'old', ageMs: 60_000 }]
  const look = lookAtHeartbeats(async () => rows)
  expect(await seen(look(0, 0))).toBe('unknown')
  rows = [...rows, { id: 'a', ageMs: 8_000 }]
  expect(await seen(look(10_000, 0))).toBe('good')
  rows = [
    { id: 'old', ageMs: 80_000 },
    { id: 'a', ageMs: 8_001 },
  ]
  expect(await seen(look(20_000, 0))).toEqual(['failing', 11_999])
  expect(await seen(look(20_000, 15_000))).toBe('unknown')
  rows = [{ id: 'old', ageMs: 80_000 }]
  expect(await seen(look(21_000, 0))).toBe('unknown')
})

test.each<[string, number | undefined, number | undefined, unknown]>([
  ['nobody has led', undefined, undefined, 'unknown'],
  ['led', -3_000, 75_000, 'good'],
  ['a follower may still come', 6_000, 9_000, 'unknown'],
  ['nobody follows', 6_001, 9_000, ['failing', 93_999]],
  ['given back in order', undefined, 75_000, 'unknown'],
  ['led, and nothing is signed', -3_000, 75_001, ['failing', 54_999]],
  ['not led, and nothing is signed', undefined, 75_001, ['failing', 54_999]],
])('the log: %s', async (_title, ledMs, signedMs, expected) => {
  expect(await seen(lookAtLog(async () => ({ ledMs, signedMs }))(100_000, 0))).toEqual(expected)
})

test.each<[string, number | undefined, unknown]>([
  ['none waits', undefined, 'good'],
  ['one waits', 15_000, 'good'],
  ['one waits too long', 15_001, ['failing', 84_999]],
])('checkpoints: %s', async (_title, ms, expected) => {
  expect(await seen(lookAtPublished(async () => ms)(100_000, 0))).toEqual(expected)
})

test.each<[string, boolean, number, unknown]>([
  ['missing', true, 0, ['failing', undefined]],
  ['fresh', false, 10, 'good'],
  ['a little late', false, 330_000, 'good'],
  ['late since they were due', false, 330_001, ['failing', 399_999]],
])('keys of an issuer: %s', async (_title, isMissing, ageMs, expected) => {
  const times = { dueMs: 300_000, graceMs: 30_000 }
  expect(await seen(lookAtKeys(() => ({ isMissing, ageMs }), times)(430_000, 0))).toEqual(expected)
})

test('a breaker that is open is a venue that fails', async () => {
  expect(await seen(lookAtBreakers(async () => 0)(0, 0))).toBe('good')
  expect(await seen(lookAtBreakers(async () => 1)(0, 0))).toEqual(['failing', undefined])
})
