import { expect, test } from 'bun:test'
import {
  advanceBreaker,
  type BreakerState,
  breakerLevels,
  breakerStateSchema,
  closeDay,
  mwcbRules,
  unknownBreaker,
} from '#core/market/breaker.ts'
import { sessionOfDay } from '#core/market/session.ts'
import { seededRandom } from '../audit/verify/seeded-random.ts'

const minuteMs = 60_000
const nanosPerCent = 10_000_000
const noonMs = Date.parse('2024-06-04T16:00:00Z')

function afterClose(day: string, previous: string, cents: number): BreakerState {
  const close = { day: previous, closeNanos: cents * nanosPerCent }
  return closeDay(unknownBreaker(day), close, mwcbRules)
}

function openMarket(cents: number): BreakerState {
  return afterClose('2024-06-04', '2024-06-03', cents)
}

function tick(state: BreakerState, timeMs: number, cents: number): BreakerState {
  return advanceBreaker(state, { timeMs, indexNanos: cents * nanosPerCent }, mwcbRules)
}

test('levels are floored to the cent as published, and touching one is reaching it', () => {
  // 2020-03-16: 7 % under 2,711.02 is 2,521.2486.
  expect(breakerLevels(271_102, mwcbRules)).toEqual([252_124, 235_858, 216_881])
  const random = seededRandom(15).random
  for (let round = 0; round < 20_000; round += 1) {
    const close = 1 + Math.floor(random() * 1_000_000)
    const [first, second, third] = breakerLevels(close, mwcbRules)
    expect(first).toBe(Number((BigInt(close) * 93n) / 100n))
    if (third < 1) continue
    expect(tick(openMarket(close), noonMs, first + 1).status).toBe('OPEN')
    expect(tick(openMarket(close), noonMs, first).status).toBe(
      first <= third ? 'CLOSED_L3' : 'HALT',
    )
    expect(tick(openMarket(close), noonMs, third).status).toBe('CLOSED_L3')
    if (second > third) expect(tick(openMarket(close), noonMs, second).haltLevel).toBe(2)
  }
})

/** Days of falls and jumps about the levels, a tick or two a minute, now and then a close. */
function* randomWeek(
  seed: number,
): Generator<{ timeMs: number; cents: number; isClose: boolean; day: string }> {
  const random = seededRandom(seed).random
  for (const date of ['2024-07-01', '2024-07-02', '2024-07-03', '2024-07-05']) {
    const session = sessionOfDay(date)
    if (session === undefined) continue
    let timeMs = session.openMs - 10 * minuteMs
    while (timeMs < session.closeMs + 5 * minuteMs) {
      const cents = 370_000 + Math.floor(random() * 14) * 10_000
      yield { timeMs, cents, isClose: false, day: date }
      timeMs += Math.floor(random() * 20 * minuteMs)
    }
    if (random() < 0.5) yield { timeMs, cents: 500_000, isClose: true, day: date }
  }
}

test('a breaker stored and read again after every event is the one that ran on', () => {
  const seen = new Set<string>()
  for (let seed = 1; seed <= 40; seed += 1) {
    let running = afterClose('2024-07-01', '2024-06-28', 500_000)
    let stored = JSON.stringify(running)
    for (const event of randomWeek(seed)) {
      const step = (state: BreakerState) =>
        event.isClose
          ? closeDay(state, { day: event.day, closeNanos: event.cents * nanosPerCent }, mwcbRules)
          : tick(state, event.timeMs, event.cents)
      running = step(running)
      stored = JSON.stringify(step(breakerStateSchema.parse(JSON.parse(stored))))
      expect(breakerStateSchema.parse(JSON.parse(stored))).toStrictEqual(running)
      seen.add(`${running.status}${running.haltLevel ?? ''}`)
    }
  }
  expect([...seen].sort()).toEqual(['CLOSED_L3', 'HALT1', 'HALT2', 'OPEN'])
})

/** The halts that a week began: level and time. */
function haltsOf(seed: number): readonly { day: string; level: number; timeMs: number }[] {
  let state = afterClose('2024-07-01', '2024-06-28', 500_000)
  const halts: { day: string; level: number; timeMs: number }[] = []
  for (const { timeMs, cents, isClose, day } of randomWeek(seed)) {
    if (isClose) continue
    const next = tick(state, timeMs, cents)
    if (next.haltLevel !== null && next.haltUntil !== state.haltUntil) {
      halts.push({ day, level: next.haltLevel, timeMs })
    }
    state = next
  }
  return halts
}

test('no two halts of one level on a day, none outside its hours, whatever the ticks', () => {
  for (let seed = 100; seed < 160; seed += 1) {
    const halts = haltsOf(seed)
    expect(new Set(halts.map(({ day, level }) => `${day} ${level}`)).size).toBe(halts.length)
    for (const { day, timeMs } of halts) {
      const session = sessionOfDay(day)
      expect(timeMs).toBeGreaterThan(session?.openMs ?? 0)
      expect(timeMs).toBeLessThanOrEqual((session?.closeMs ?? 0) - 35 * minuteMs)
    }
  }
})
