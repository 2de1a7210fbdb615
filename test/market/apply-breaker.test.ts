import { expect, test } from 'bun:test'
import { advanceIndex, correctClose, turnIndex } from '#core/market/apply-breaker.ts'
import { dayIntervalMs } from '#core/market/bar-interval.ts'
import { mwcbRules } from '#core/market/breaker.ts'
import type { SizedBar } from '#core/market/read-bars.ts'

const closeMs = Date.parse('2024-02-29T21:00:00Z')
const nextOpenMs = Date.parse('2024-03-01T14:30:00Z')
const minuteMs = 60_000
const unit = 1e9

const day = (time: number, close: number, low = close): SizedBar => ({
  ...{ intervalMs: dayIntervalMs, isLive: false, time, open: close * unit, high: close * unit },
  ...{ low: low * unit, close: close * unit, volume: 0 },
})
const minute = (time: number, close: number, low = close): SizedBar => ({
  ...day(time, close, low),
  intervalMs: minuteMs,
})

test('nothing is known of a market without bars', () => {
  expect(advanceIndex(undefined, [])).toEqual({ state: undefined, changes: [] })
})

test('on its first day the market is unknown, on the next it is open', () => {
  const first = advanceIndex(undefined, [day(closeMs, 100)])
  expect(first.state).toMatchObject({ status: 'UNKNOWN', day: '2024-02-29', closeCents: 10_000 })
  const next = advanceIndex(first.state, [minute(nextOpenMs + minuteMs, 99)])
  expect(next.state).toMatchObject({ status: 'OPEN', priorCloseCents: 10_000 })
  expect(next.changes.map(({ from, to }) => [from.status, to.status])).toEqual([
    ['UNKNOWN', 'OPEN'],
  ])
})

test('the low of a minute halts the market, though it closes above the level', () => {
  const bars = [day(closeMs, 100), minute(nextOpenMs + minuteMs, 98, 93)]
  const { state, changes } = advanceIndex(undefined, bars)
  expect(state).toMatchObject({ status: 'HALT', haltLevel: 1, indexCents: 9_800 })
  expect(changes.map(({ to }) => to.status)).toEqual(['HALT'])
  const above = advanceIndex(undefined, [
    day(closeMs, 100),
    minute(nextOpenMs + minuteMs, 98, 93.01),
  ])
  expect(above.state?.status).toBe('OPEN')
})

test('the low of a day halts nothing, its close at level 3 ends the day', () => {
  const nextCloseMs = Date.parse('2024-03-01T21:00:00Z')
  const low = advanceIndex(undefined, [day(closeMs, 100), day(nextCloseMs, 98, 70)])
  expect(low.state?.status).toBe('OPEN')
  const close = advanceIndex(undefined, [day(closeMs, 100), day(nextCloseMs, 80)])
  expect(close.state?.status).toBe('CLOSED_L3')
})

test('bars in two parts end in the same state as in one, with the same changes', () => {
  const bars = [day(closeMs, 100)]
  for (let n = 1; n <= 120; n += 1) {
    bars.push(minute(nextOpenMs + n * minuteMs, 100 - n / 6, 99 - n / 6))
  }
  const whole = advanceIndex(undefined, bars)
  expect(whole.changes.length).toBeGreaterThan(3)
  for (const cut of [1, 2, 30, 41, 60, 120]) {
    const first = advanceIndex(undefined, bars.slice(0, cut))
    const stored = structuredClone(first.state)
    const second = advanceIndex(stored, bars.slice(cut))
    expect(second.state).toEqual(whole.state)
    expect([...first.changes, ...second.changes]).toEqual([...whole.changes])
  }
})

test('an official close that comes late corrects the level, told again it changes nothing', () => {
  const bars = [minute(closeMs, 100), minute(nextOpenMs + minuteMs, 95)]
  const before = advanceIndex(undefined, bars)
  expect(before.state?.priorCloseCents).toBe(10_000)
  const corrected = correctClose(before, day(closeMs, 101))
  expect(corrected.state?.priorCloseCents).toBe(10_100)
  expect(correctClose(corrected, day(closeMs, 101))).toEqual(corrected)
})

test("yesterday's close is the level of the first tick that a market sees", () => {
  const ticks = [minute(nextOpenMs + minuteMs, 93)]
  const none = turnIndex(undefined, { ticks, dayBefore: undefined, dayUpTo: undefined })
  expect(none.state?.status).toBe('UNKNOWN')
  const dayBefore = day(closeMs, 100)
  const { state, changes } = turnIndex(undefined, { ticks, dayBefore, dayUpTo: dayBefore })
  expect(state).toMatchObject({ status: 'HALT', priorCloseCents: 10_000 })
  expect(changes).toHaveLength(1)
  const idle = { ticks: [], dayBefore: undefined, dayUpTo: dayBefore }
  expect(turnIndex(undefined, idle).state).toBeUndefined()
  expect(turnIndex(state, idle)).toEqual({ state, changes: [] })
})

test('with a level of 8 % the same fall halts nothing: the rule is what decides', () => {
  const rules = { ...mwcbRules, levels: [8, 13, 20] } as const
  const bars = [day(closeMs, 100), minute(nextOpenMs + minuteMs, 98, 93)]
  expect(advanceIndex(undefined, bars, rules).state?.status).toBe('OPEN')
})
