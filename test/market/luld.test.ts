import { expect, test } from 'bun:test'
import {
  advanceLuld,
  isPaused,
  type LuldEvent,
  type LuldState,
  luldBand,
  luldStateSchema,
  pausedUntil,
  startLuld,
} from '#core/market/luld.ts'
import { seededRandom } from '../audit/verify/seeded-random.ts'

const unit = 1_000_000_000
const minuteMs = 60_000
const day = '2024-06-04'
const openMs = Date.parse('2024-06-04T13:30:00Z')
const noonMs = Date.parse('2024-06-04T16:00:00Z')
const closeMs = Date.parse('2024-06-04T20:00:00Z')

/** A stock that opened at noon, for brevity, at `price` units. */
function opened(tier: 1 | 2, price: number, priorClose = price): LuldState {
  const state = startLuld(tier, { day, priorClose: Math.round(priorClose * unit) })
  return advanceLuld(state, { timeMs: noonMs, trade: Math.round(price * unit) })
}

function run(state: LuldState, events: readonly LuldEvent[]): LuldState {
  return events.reduce(advanceLuld, state)
}

test.each([
  ['before the first trade', startLuld(1, { day, priorClose: 100 * unit }), noonMs],
  ['before the open', opened(1, 100), openMs - 1],
  ['after the close', opened(1, 100), closeMs + 1],
  ['on another day', opened(1, 100), noonMs + 24 * 60 * minuteMs],
])('there is no band %s', (_, state, timeMs) => {
  expect(luldBand(state, timeMs)).toBeUndefined()
})

const lateMs = closeMs - 25 * minuteMs

test.each([
  ['tier 1', 1, 100, 100, noonMs, 95, 105],
  ['tier 2 above 3.00', 2, 100, 100, noonMs, 90, 110],
  ['tier 2 after a close of 3.01', 2, 3.01, 3.01, noonMs, 2.71, 3.31],
  ['tier 2 after a close of 3.00', 2, 3, 3, noonMs, 2.4, 3.6],
  ['tier 1 after a close of 3.00', 1, 3, 3, noonMs, 2.4, 3.6],
  ['one nano above 3.00', 2, 3, 3.000000001, noonMs, 2.7, 3.3],
  ['after a close of 0.75', 2, 0.75, 0.75, noonMs, 0.6, 0.9],
  ['one nano below 0.75: 15 cents', 2, 0.75, 0.749999999, noonMs, 0.6, 0.9],
  ['below 0.75, 15 cents are less than 75 %', 2, 0.5, 0.5, noonMs, 0.35, 0.65],
  ['below 0.75, 75 % are less than 15 cents', 2, 0.1, 0.1, noonMs, 0.025, 0.175],
  ['tier 1, 25 minutes before the close', 1, 100, 100, lateMs, 90, 110],
  ['tier 1, a millisecond earlier', 1, 100, 100, lateMs - 1, 95, 105],
  ['tier 1, at the close', 1, 100, 100, closeMs, 90, 110],
  ['tier 1, in the first minutes: no longer doubled', 1, 100, 100, openMs, 95, 105],
  ['tier 2 above 3.00 late in the day: not doubled', 2, 100, 100, lateMs, 90, 110],
  ['tier 2 at 3.00 late in the day', 2, 3, 3, lateMs, 1.8, 4.2],
  ['a doubled band below nothing ends at nothing', 2, 0.1, 0.1, lateMs, 0, 0.25],
] as const)('bands: %s', (_, tier, price, priorClose, timeMs, lower, upper) => {
  expect(luldBand(opened(tier, price, priorClose), timeMs)).toEqual({
    lower: Math.round(lower * unit),
    upper: Math.round(upper * unit),
  })
})

test('bands are rounded to the nearest cent', () => {
  // 5 % of 10.09 is 0.5045.
  expect(luldBand(opened(1, 10.09), noonMs)).toEqual({
    lower: 9_590_000_000,
    upper: 10_590_000_000,
  })
})

test.each([
  ['a mean one nano short of 1 % away leaves the reference', 30_000, 102 * unit - 2, 100],
  ['a mean 1 % away moves it after 30 s', 30_000, 102 * unit, 101],
  ['a millisecond before 30 s it stays', 29_999, 102 * unit, 100],
  ['a fall of 1 % moves it too', 30_000, 98 * unit, 99],
])('%s', (_, afterMs, trade, reference) => {
  // The mean of the opening price and this trade.
  const state = advanceLuld(opened(1, 100), { timeMs: noonMs + afterMs, trade })
  expect(state.reference).toBe(reference * unit)
})

test('a trade more than five minutes old is no part of the mean', () => {
  const later = (afterMs: number) =>
    advanceLuld(opened(1, 100), { timeMs: noonMs + afterMs, trade: 104 * unit }).reference
  expect(later(5 * minuteMs - 1)).toBe(102 * unit)
  expect(later(5 * minuteMs)).toBe(104 * unit)
})

test.each([
  ['bid at the upper band', { bid: 105 * unit, ask: 106 * unit }, true],
  ['bid one nano below the upper band', { bid: 105 * unit - 1, ask: 106 * unit }, false],
  ['offer at the lower band', { bid: 94 * unit, ask: 95 * unit }, true],
  ['offer one nano above the lower band', { bid: 94 * unit, ask: 95 * unit + 1 }, false],
])('limit state: %s', (_, quote, isLimit) => {
  const state = advanceLuld(opened(1, 100), { timeMs: noonMs + 1000, ...quote })
  expect(state.limitSince).toBe(isLimit ? noonMs + 1000 : null)
})

const atBand = { bid: 94 * unit, ask: 95 * unit }
const inside = { bid: 99 * unit, ask: 100 * unit }

test('a limit state of 15 s pauses the stock for five minutes, to the millisecond, with no event needed', () => {
  const state = advanceLuld(opened(1, 100), { timeMs: noonMs, ...atBand })
  const pausedAt = (timeMs: number) => isPaused(state, timeMs)
  expect(pausedAt(noonMs + 14_999)).toBe(false)
  expect(pausedAt(noonMs + 15_000)).toBe(true)
  expect(pausedAt(noonMs + 15_000 + 5 * minuteMs - 1)).toBe(true)
  expect(pausedAt(noonMs + 15_000 + 5 * minuteMs)).toBe(false)
  expect(pausedUntil(state, noonMs + 14_999)).toBeUndefined()
  expect(pausedUntil(state, noonMs + 15_000)).toBe(noonMs + 15_000 + 5 * minuteMs)
})

test('a limit state that is cleared in time pauses nothing, and its clock begins anew', () => {
  const state = run(opened(1, 100), [
    { timeMs: noonMs, ...atBand },
    { timeMs: noonMs + 14_999, ...inside },
    { timeMs: noonMs + 20_000, ...atBand },
  ])
  expect(isPaused(state, noonMs + 34_999)).toBe(false)
  expect(isPaused(state, noonMs + 35_000)).toBe(true)
})

test('a quote that clears the limit state after 15 s comes too late', () => {
  const state = run(opened(1, 100), [
    { timeMs: noonMs, ...atBand },
    { timeMs: noonMs + 15_000, ...inside },
  ])
  expect(isPaused(state, noonMs + 15_000)).toBe(true)
  expect(state.pausedUntil).toBe(noonMs + 15_000 + 5 * minuteMs)
})

test('a standing limit state is not begun again by more of the same quotes', () => {
  const quotes = [0, 5000, 10_000, 14_000].map((afterMs) => ({
    timeMs: noonMs + afterMs,
    ...atBand,
  }))
  expect(isPaused(run(opened(1, 100), quotes), noonMs + 15_000)).toBe(true)
})

test('nothing counts in a pause, and the reopening trade is the reference anew', () => {
  const end = noonMs + 15_000 + 5 * minuteMs
  const paused = run(opened(1, 100), [
    { timeMs: noonMs, ...atBand },
    { timeMs: end - 1, trade: 50 * unit, ...atBand },
  ])
  expect(paused.reference).toBe(100 * unit)
  const waiting = advanceLuld(paused, { timeMs: end, ...atBand })
  expect(waiting.reference).toBeNull()
  expect(isPaused(waiting, end + minuteMs)).toBe(false)
  const reopened = advanceLuld(waiting, { timeMs: end + 1, trade: 80 * unit })
  expect(luldBand(reopened, end + 1)).toEqual({ lower: 76 * unit, upper: 84 * unit })
})

test('the last trade of a day decides the percentages of the next, a paused day’s too', () => {
  const nextDay = { timeMs: noonMs + 24 * 60 * minuteMs, trade: 2 * unit }
  const state = run(opened(2, 5), [
    { timeMs: noonMs + minuteMs, trade: 2.5 * unit },
    { timeMs: noonMs + minuteMs, bid: 2.4 * unit, ask: 2.5 * unit },
    { timeMs: noonMs + 10 * minuteMs, ...inside },
    nextDay,
  ])
  expect(state.priorClose).toBe(2.5 * unit)
  expect(luldBand(state, nextDay.timeMs)).toEqual({ lower: 1.6 * unit, upper: 2.4 * unit })
})

test.each([
  ['before the open', { timeMs: openMs - 1, trade: 50 * unit }],
  ['after the close', { timeMs: closeMs + 1, trade: 50 * unit }],
  ['on a Saturday', { timeMs: Date.parse('2024-06-08T16:00:00Z'), trade: 50 * unit }],
  ['of an earlier day', { timeMs: Date.parse('2024-06-03T16:00:00Z'), trade: 50 * unit }],
  ['without a price', { timeMs: noonMs + 1, trade: 0 }],
])('an event %s changes nothing', (_, event) => {
  const state = opened(1, 100)
  expect(advanceLuld(state, event)).toBe(state)
})

test('a state stored and read again after every event is the one that ran on', () => {
  const random = seededRandom(16).random
  let running = startLuld(1, { day, priorClose: 100 * unit })
  let stored = JSON.stringify(running)
  let pauses = 0
  let timeMs = openMs
  for (let step = 0; step < 3000; step += 1) {
    timeMs += Math.floor(random() * 20_000)
    const mid = Math.round((90 + random() * 20) * unit)
    const event = { timeMs, trade: mid, bid: mid - unit, ask: mid + unit }
    const before = running.pausedUntil
    running = advanceLuld(running, event)
    stored = JSON.stringify(advanceLuld(luldStateSchema.parse(JSON.parse(stored)), event))
    expect(luldStateSchema.parse(JSON.parse(stored))).toStrictEqual(running)
    if (running.pausedUntil !== null && running.pausedUntil !== before) pauses += 1
  }
  expect(pauses).toBeGreaterThan(3)
})
