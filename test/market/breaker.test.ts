import { expect, test } from 'bun:test'
import {
  advanceBreaker,
  type BreakerRules,
  type BreakerState,
  breakerVerdict,
  closeDay,
  mwcbRules,
  unknownBreaker,
} from '#core/market/breaker.ts'

const minuteMs = 60_000
const nanosPerCent = 10_000_000

const day = '2024-06-04'
const openMs = Date.parse('2024-06-04T13:30:00Z')
const noonMs = Date.parse('2024-06-04T16:00:00Z')
const cutoffMs = Date.parse('2024-06-04T19:25:00Z')
const closeMs = Date.parse('2024-06-04T20:00:00Z')

/** A Tuesday after a close of `cents`. */
function openMarket(cents = 500_000): BreakerState {
  return closeDay(
    unknownBreaker(day),
    { day: '2024-06-03', closeNanos: cents * nanosPerCent },
    mwcbRules,
  )
}

function tick(
  state: BreakerState,
  timeMs: number,
  cents: number,
  rules: BreakerRules = mwcbRules,
): BreakerState {
  return advanceBreaker(state, { timeMs, indexNanos: cents * nanosPerCent }, rules)
}

test.each([
  ['nothing has been ingested', unknownBreaker(day), noonMs, 'close of the day before'],
  ['no value came today', openMarket(), noonMs, 'no index value today'],
  ['the feed is 5,001 ms old', tick(openMarket(), noonMs, 500_000), noonMs + 5001, 'stale'],
  ['the value is of the future', tick(openMarket(), noonMs, 500_000), noonMs - 5001, 'stale'],
  [
    'the last value is of the day before',
    tick(openMarket(), noonMs, 500_000),
    openMs + 24 * 60 * minuteMs,
    'no index value today',
  ],
  [
    'a halt is over and no value came since',
    tick(openMarket(), noonMs, 465_000),
    noonMs + 15 * minuteMs,
    'since the end of the halt',
  ],
])('the verdict is unknown when %s', (_, state, nowMs, reason) => {
  expect(breakerVerdict(state, nowMs)).toEqual({
    kind: 'unknown',
    reason: expect.stringContaining(reason),
    ageMs: state.indexTime === null ? undefined : nowMs - state.indexTime,
  })
})

test('a value exactly 5 s old is fresh, and a caller with slower bars sets its own limit', () => {
  const state = tick(openMarket(), noonMs, 500_000)
  expect(breakerVerdict(state, noonMs + 5000)).toEqual({ kind: 'open' })
  expect(breakerVerdict(state, noonMs + minuteMs, minuteMs)).toEqual({ kind: 'open' })
  expect(breakerVerdict(state, noonMs + minuteMs + 1, minuteMs).kind).toBe('unknown')
})

test('a day after a hole in the data is unknown: an older close is not the close before', () => {
  const state = tick(openMarket(), noonMs, 500_000)
  const later = tick(state, Date.parse('2024-06-06T16:00:00Z'), 100)
  expect(later.status).toBe('UNKNOWN')
  expect(later.priorCloseCents).toBeNull()
  const known = closeDay(
    later,
    { day: '2024-06-05', closeNanos: 500_000 * nanosPerCent },
    mwcbRules,
  )
  expect(known.status).toBe('OPEN')
  expect(breakerVerdict(known, Date.parse('2024-06-06T16:00:00Z')).kind).toBe('open')
})

test.each([
  [
    'one nano over half a cent above level 1 is no halt',
    465_000 * nanosPerCent + 5_000_001,
    'OPEN',
  ],
  ['one cent above level 1 is no halt', 465_001 * nanosPerCent, 'OPEN'],
  ['level 1 touched is a halt', 465_000 * nanosPerCent, 'HALT'],
  ['the noise of a float above level 1 is level 1', 465_000 * nanosPerCent + 1, 'HALT'],
])('%s', (_, indexNanos, status) => {
  expect(advanceBreaker(openMarket(), { timeMs: noonMs, indexNanos }, mwcbRules)).toMatchObject({
    status,
  })
})

test.each([
  [435_001, { status: 'HALT', haltLevel: 1, usedL1: true, usedL2: false }],
  [435_000, { status: 'HALT', haltLevel: 2, usedL1: true, usedL2: true }],
  [400_001, { status: 'HALT', haltLevel: 2, usedL1: true, usedL2: true }],
  [400_000, { status: 'CLOSED_L3', haltLevel: null, usedL1: false, usedL2: false }],
])('an index of %d cents after 500,000 meets the highest level it reaches', (cents, expected) => {
  expect(tick(openMarket(), noonMs, cents)).toMatchObject(expected)
})

test.each([
  ['pre-market', openMs - 1, 100, 'OPEN'],
  ['at 9:30:00.000', openMs, 465_000, 'OPEN'],
  ['at 9:30:00.001', openMs + 1, 465_000, 'HALT'],
  ['at 15:25:00.000', cutoffMs, 465_000, 'HALT'],
  ['at 15:25:00.001', cutoffMs + 1, 465_000, 'OPEN'],
  ['level 2 at 15:25:00.000', cutoffMs, 435_000, 'HALT'],
  ['level 2 at 15:25:00.001', cutoffMs + 1, 435_000, 'OPEN'],
  ['level 3 at 9:29:59.999', openMs - 1, 400_000, 'OPEN'],
  ['level 3 at 9:30:00.000', openMs, 400_000, 'CLOSED_L3'],
  ['level 3 at 15:59', closeMs - minuteMs, 400_000, 'CLOSED_L3'],
  ['level 3 at 16:00:00.000', closeMs, 400_000, 'CLOSED_L3'],
  ['level 3 at 16:00:00.001', closeMs + 1, 400_000, 'OPEN'],
])('%s: the rule counts its times to the millisecond', (_, timeMs, cents, status) => {
  expect(tick(openMarket(), timeMs, cents)).toMatchObject({ status })
})

test.each([
  ['12:25:00.000', Date.parse('2024-07-03T16:25:00Z'), 'HALT'],
  ['12:25:00.001', Date.parse('2024-07-03T16:25:00.001Z'), 'OPEN'],
])('on an early close the last halt begins at 12:25: %s', (_, timeMs, status) => {
  const state = closeDay(
    unknownBreaker('2024-07-03'),
    { day: '2024-07-02', closeNanos: 500_000 * nanosPerCent },
    mwcbRules,
  )
  expect(tick(state, timeMs, 465_000)).toMatchObject({ status })
})

test('a halt lasts fifteen minutes to the millisecond, whatever the ticks in it', () => {
  const halted = tick(openMarket(), noonMs, 465_000)
  const later = tick(halted, noonMs + 14 * minuteMs, 100)
  expect(later).toMatchObject({ status: 'HALT', haltLevel: 1, indexCents: 100, usedL2: false })
  expect(later.haltUntil).toBe(noonMs + 15 * minuteMs)
  expect(breakerVerdict(later, noonMs + 15 * minuteMs - 1)).toEqual({
    kind: 'halted',
    level: 1,
    untilMs: noonMs + 15 * minuteMs,
  })
  expect(tick(later, noonMs + 15 * minuteMs - 1, 500_000).status).toBe('HALT')
})

test.each([
  [500_000, 'OPEN', null],
  [465_000, 'OPEN', null],
  [435_000, 'HALT', 2],
  [400_000, 'CLOSED_L3', null],
])('after a halt of level 1 an index of %d cents leads to %s', (cents, status, level) => {
  const resumed = tick(tick(openMarket(), noonMs, 465_000), noonMs + 15 * minuteMs, cents)
  expect(resumed).toMatchObject({ status, haltLevel: level })
})

test('a halt that began by 15:25 runs its time, and none follows it', () => {
  const halted = tick(openMarket(), cutoffMs, 465_000)
  expect(halted.haltUntil).toBe(Date.parse('2024-06-04T19:40:00Z'))
  expect(tick(halted, cutoffMs + 15 * minuteMs, 435_000).status).toBe('OPEN')
})

test('each level halts once a day, and level 2 uses up level 1', () => {
  const resumed = tick(tick(openMarket(), noonMs, 435_000), noonMs + 15 * minuteMs, 500_000)
  expect(tick(resumed, noonMs + 20 * minuteMs, 465_000).status).toBe('OPEN')
  expect(tick(resumed, noonMs + 20 * minuteMs, 435_000).status).toBe('OPEN')
  expect(tick(resumed, noonMs + 20 * minuteMs, 400_000).status).toBe('CLOSED_L3')
})

test('level 3 closes the market until the next trading day opens, over a weekend too', () => {
  const friday = Date.parse('2024-06-07T18:00:00Z')
  const before = closeDay(
    unknownBreaker('2024-06-07'),
    { day: '2024-06-06', closeNanos: 500_000 * nanosPerCent },
    mwcbRules,
  )
  const closed = tick(before, friday, 400_000)
  const mondayOpen = Date.parse('2024-06-10T13:30:00Z')
  const recovered = tick(closed, friday + minuteMs, 500_000)
  expect(recovered.status).toBe('CLOSED_L3')
  expect(breakerVerdict(recovered, friday + minuteMs)).toEqual({
    kind: 'closed',
    level: 3,
    untilMs: mondayOpen,
  })
  expect(breakerVerdict(recovered, mondayOpen - 1).kind).toBe('closed')
  expect(breakerVerdict(recovered, mondayOpen).kind).toBe('unknown')
  const monday = tick(recovered, mondayOpen, 500_000)
  expect(monday).toMatchObject({ status: 'OPEN', usedL1: false, usedL2: false })
  expect(breakerVerdict(monday, mondayOpen)).toEqual({ kind: 'open' })
})

test('the close before is the official one, and the last tick where none was given', () => {
  const ticked = tick(openMarket(), closeMs, 490_000)
  const nextDay = Date.parse('2024-06-05T16:00:00Z')
  expect(tick(ticked, nextDay, 490_000).priorCloseCents).toBe(490_000)
  const closed = closeDay(ticked, { day, closeNanos: 490_100 * nanosPerCent }, mwcbRules)
  expect(tick(closed, nextDay, 490_000).priorCloseCents).toBe(490_100)
})

test('a close that arrives after its day has ended corrects the levels of the next', () => {
  const ticked = tick(openMarket(), closeMs, 490_000)
  const nextDay = tick(ticked, Date.parse('2024-06-05T16:00:00Z'), 490_000)
  const corrected = closeDay(nextDay, { day, closeNanos: 495_000 * nanosPerCent }, mwcbRules)
  expect(corrected.priorCloseCents).toBe(495_000)
  const ancient = { day: '2024-05-30', closeNanos: nanosPerCent }
  expect(closeDay(corrected, ancient, mwcbRules)).toBe(corrected)
  const saturday = { day: '2024-06-08', closeNanos: nanosPerCent }
  expect(closeDay(corrected, saturday, mwcbRules)).toBe(corrected)
})

test.each([
  ['older than the last', noonMs - 1, 100],
  ['on a Saturday', Date.parse('2024-06-08T16:00:00Z'), 100],
  ['of an earlier day', Date.parse('2024-06-03T16:00:00Z'), 100],
  ['of nothing', noonMs + 1, 0],
  ['below nothing', noonMs + 1, -1],
  ['that is no number', noonMs + 1, Number.NaN],
])('a tick %s changes nothing', (_, timeMs, cents) => {
  const state = tick(openMarket(), noonMs, 500_000)
  expect(tick(state, timeMs, cents)).toBe(state)
})

test('outside trading hours an open breaker has nothing to say', () => {
  expect(breakerVerdict(openMarket(), openMs - 1)).toEqual({ kind: 'open' })
  expect(breakerVerdict(openMarket(), closeMs + 1)).toEqual({ kind: 'open' })
})
