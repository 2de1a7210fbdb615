import { expect, test } from 'bun:test'
import {
  advanceDrawdown,
  type DrawdownRules,
  type DrawdownState,
  drawdownRules,
  drawdownVerdict,
  rearmDrawdown,
  startDrawdown,
} from '#core/market/drawdown-breaker.ts'
import { seededRandom } from '../audit/verify/seeded-random.ts'

const one = 10n ** 18n
const minuteMs = 60_000
const noonMs = Date.parse('2024-06-04T16:00:00Z')
const nextNoonMs = noonMs + 24 * 60 * minuteMs
const start = startDrawdown({ timeMs: noonMs, equity: 100_000n * one })

function mark(
  state: DrawdownState,
  equity: bigint,
  { timeMs = noonMs, rules = drawdownRules }: { timeMs?: number; rules?: DrawdownRules } = {},
): DrawdownState {
  return advanceDrawdown(state, { timeMs, equity }, rules)
}

test.each([
  ['7 %', 93_000n * one, 'REDUCING', 1],
  ['the smallest part less than 7 %', 93_000n * one + 1n, 'ACTIVE', undefined],
  ['13 %', 87_000n * one, 'REDUCING', 2],
  ['the smallest part less than 13 %', 87_000n * one + 1n, 'REDUCING', 1],
  ['20 %', 80_000n * one, 'HALTED', undefined],
  ['the smallest part less than 20 %', 80_000n * one + 1n, 'REDUCING', 2],
  ['everything', 0n, 'HALTED', undefined],
  ['more than everything', -one, 'HALTED', undefined],
])('a loss of %s is judged in integers', (_, equity, state, level) => {
  const verdict = drawdownVerdict(mark(start, equity), noonMs)
  expect<object>(verdict).toMatchObject(level === undefined ? { state } : { state, level })
})

test('7 % reduce for fifteen minutes to the millisecond, and only once a day', () => {
  const state = mark(start, 93_000n * one)
  expect(drawdownVerdict(state, noonMs)).toEqual({
    state: 'REDUCING',
    level: 1,
    untilMs: noonMs + 15 * minuteMs,
  })
  const later = mark(state, 92_000n * one, { timeMs: noonMs + 10 * minuteMs })
  expect(drawdownVerdict(later, noonMs + 15 * minuteMs - 1).state).toBe('REDUCING')
  expect(drawdownVerdict(later, noonMs + 15 * minuteMs).state).toBe('ACTIVE')
  const again = mark(later, 91_000n * one, { timeMs: noonMs + 20 * minuteMs })
  expect(drawdownVerdict(again, noonMs + 20 * minuteMs).state).toBe('ACTIVE')
})

test('13 % reduce until the day in New York ends, even after a recovery', () => {
  const state = mark(mark(start, 87_000n * one), 100_000n * one, { timeMs: noonMs + minuteMs })
  const midnightMs = Date.parse('2024-06-05T04:00:00Z')
  expect(drawdownVerdict(state, midnightMs - 1)).toEqual({
    state: 'REDUCING',
    level: 2,
    untilMs: undefined,
  })
  expect(drawdownVerdict(state, midnightMs).state).toBe('ACTIVE')
})

test('13 % after 7 % reduce for the day: the shorter clock does not end it', () => {
  const state = mark(mark(start, 93_000n * one), 87_000n * one, { timeMs: noonMs + minuteMs })
  expect(drawdownVerdict(state, noonMs + 60 * minuteMs).state).toBe('REDUCING')
})

test('20 % halt over days and recoveries, until a person re-arms', () => {
  const halted = mark(start, 80_000n * one)
  const recovered = mark(halted, 200_000n * one, { timeMs: nextNoonMs })
  expect(drawdownVerdict(recovered, nextNoonMs).state).toBe('HALTED')
  const lost = mark(recovered, 186_000n * one, { timeMs: nextNoonMs + minuteMs })
  expect(lost.level).toBe(1)
  expect(drawdownVerdict(lost, nextNoonMs + minuteMs).state).toBe('HALTED')
  const rearmed = rearmDrawdown(recovered, nextNoonMs)
  expect(drawdownVerdict(rearmed, nextNoonMs).state).toBe('ACTIVE')
  expect(
    drawdownVerdict(mark(rearmed, 161_000n * one, { timeMs: nextNoonMs }), nextNoonMs).state,
  ).toBe('REDUCING')
})

test('after re-arming the loss that halted is not counted again', () => {
  const rearmed = rearmDrawdown(mark(start, 80_000n * one), noonMs)
  expect(drawdownVerdict(mark(rearmed, 79_000n * one), noonMs).state).toBe('ACTIVE')
})

test('from the high-water mark a gain given back is a loss; from the day’s start it is not', () => {
  const fromDay: DrawdownRules = { ...drawdownRules, from: 'day_start' }
  const run = (rules: DrawdownRules) =>
    mark(mark(start, 120_000n * one, { rules }), 100_000n * one, { rules })
  expect(drawdownVerdict(run(drawdownRules), noonMs)).toMatchObject({ level: 2 })
  expect(drawdownVerdict(run(fromDay), noonMs).state).toBe('ACTIVE')
})

test('from the day’s start slow losses of several days are none, from the high-water mark they add up', () => {
  const fromDay: DrawdownRules = { ...drawdownRules, from: 'day_start' }
  const run = (rules: DrawdownRules) => {
    const first = mark(start, 94_000n * one, { rules })
    return mark(first, 90_000n * one, { timeMs: nextNoonMs, rules })
  }
  expect(drawdownVerdict(run(fromDay), nextNoonMs).state).toBe('ACTIVE')
  expect(drawdownVerdict(run(drawdownRules), nextNoonMs)).toMatchObject({ level: 1 })
  // The next day starts with the last equity seen, not with its own first mark.
  const gap = mark(start, 90_000n * one, { timeMs: nextNoonMs, rules: fromDay })
  expect(drawdownVerdict(gap, nextNoonMs)).toMatchObject({ level: 1 })
})

test('an account that never had anything has lost nothing', () => {
  const empty = startDrawdown({ timeMs: noonMs, equity: 0n })
  expect(drawdownVerdict(mark(empty, 0n), noonMs).state).toBe('ACTIVE')
})

test('whatever the equity does, a halt needs 20 % below the highest mark and then stays', () => {
  const random = seededRandom(17).random
  let halts = 0
  for (let round = 0; round < 200; round += 1) {
    let state = start
    let highest = start.equity
    let hasHalted = false
    for (let step = 1; step <= 50; step += 1) {
      const equity = 60_000n * one + BigInt(Math.floor(random() * 2 ** 50)) * 50_000_000n
      highest = equity > highest ? equity : highest
      hasHalted ||= equity * 100n <= highest * 80n
      const timeMs = noonMs + step * minuteMs
      state = mark(state, equity, { timeMs })
      expect(drawdownVerdict(state, timeMs).state === 'HALTED').toBe(hasHalted)
      expect(state.highWater).toBe(highest)
    }
    if (hasHalted) halts += 1
  }
  expect(halts).toBeGreaterThan(10)
})
