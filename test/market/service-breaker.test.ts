import { expect, test } from 'bun:test'
import {
  admitCall,
  closedServiceBreaker,
  type Outcome,
  recordOutcome,
  type ServiceBreakerRules,
  type ServiceBreakerState,
  serviceBreakerRules,
  successesMax,
} from '#core/market/service-breaker.ts'
import { seededRandom } from '#core/order/venue/seeded-random.ts'

const minuteMs = 60_000
const rules = serviceBreakerRules.trade
/** Judged by one criterion at a time. */
const never = { failuresMax: 1000, consecutiveMax: 1000, failurePercentMax: 101 }

/** `f` is a failed call, `s` a successful one, a second apart. */
function record(
  state: ServiceBreakerState,
  outcomes: string,
  { startMs = 0, by = rules }: { startMs?: number; by?: ServiceBreakerRules } = {},
): ServiceBreakerState {
  return [...outcomes].reduce(
    (before, letter, at) =>
      recordOutcome(before, { timeMs: startMs + at * 1000, ok: letter === 's' }, by),
    state,
  )
}

/** Opened at 2 s by three failures in a row. */
const opened = record(closedServiceBreaker, 'fff')
const reopensAt = 2000 + 30 * minuteMs

function admit(state: ServiceBreakerState, nowMs: number) {
  return admitCall(state, nowMs, rules)
}

function halfOpen(probes: number): ServiceBreakerState {
  let state = opened
  for (let probe = 0; probe < probes; probe += 1) state = admit(state, reopensAt).state
  return state
}

test('an open breaker admits nothing before its wait is over, to the millisecond', () => {
  expect(opened).toEqual({ status: 'OPEN', untilMs: reopensAt })
  expect(admit(opened, reopensAt - 1)).toEqual({ isAdmitted: false, state: opened })
  expect(admit(opened, reopensAt).isAdmitted).toBe(true)
})

test('half open admits five probes and no sixth', () => {
  const probing = halfOpen(5)
  expect(probing).toEqual({ status: 'HALF_OPEN', sinceMs: reopensAt, probes: 5, successes: 0 })
  expect(admit(probing, reopensAt + 1)).toEqual({ isAdmitted: false, state: probing })
})

test('one failed probe opens again for the whole wait, whatever succeeded before it', () => {
  const failed = record(halfOpen(3), 'ssf', { startMs: reopensAt })
  expect(failed).toEqual({ status: 'OPEN', untilMs: reopensAt + 2000 + 30 * minuteMs })
})

test('three successful probes close, and two do not', () => {
  expect(record(halfOpen(3), 'ss', { startMs: reopensAt }).status).toBe('HALF_OPEN')
  expect(record(halfOpen(3), 'sss', { startMs: reopensAt })).toEqual(closedServiceBreaker)
})

test('closing clears the window: old failures do not open it again', () => {
  // A wait shorter than the window: the three failures would still be in it.
  const quick = { ...rules, waitMs: 1000, consecutiveMax: 1000, failuresMax: 3 }
  const tripped = record(closedServiceBreaker, 'fff', { by: quick })
  const probing = [0, 1, 2].reduce((state) => admitCall(state, 3000, quick).state, tripped)
  const closed = record(probing, 'sss', { startMs: 3000, by: quick })
  expect(closed.status).toBe('CLOSED')
  expect(record(closed, 'ff', { startMs: 6000, by: quick }).status).toBe('CLOSED')
  expect(record(closed, 'fff', { startMs: 6000, by: quick }).status).toBe('OPEN')
})

test('probes whose outcome never came are given up after the wait', () => {
  const probing = halfOpen(5)
  expect(admit(probing, reopensAt + rules.waitMs - 1).isAdmitted).toBe(false)
  const again = admit(probing, reopensAt + rules.waitMs)
  expect(again.isAdmitted).toBe(true)
  expect(again.state).toMatchObject({ probes: 1, successes: 0 })
})

test('the outcome of a call that began before the breaker opened changes nothing', () => {
  expect(record(opened, 'sssfff', { startMs: 5000 })).toBe(opened)
})

test.each([
  ['five failures', { ...never, failuresMax: 5 }, 'fsfsfsfsf', 'OPEN'],
  ['four failures', { ...never, failuresMax: 5 }, 'fsfsfsfs', 'CLOSED'],
  ['three in a row', { ...never, consecutiveMax: 3 }, 'ffsfff', 'OPEN'],
  ['two in a row, twice', { ...never, consecutiveMax: 3 }, 'ffsff', 'CLOSED'],
  ['four of five', { ...never, failuresMax: 5, failurePercentMax: 80 }, 'sffff', 'OPEN'],
  [
    'three of four: too few calls',
    { ...never, failuresMax: 5, failurePercentMax: 75 },
    'sfff',
    'CLOSED',
  ],
  ['four of six', { ...never, failuresMax: 5, failurePercentMax: 80 }, 'ssffff', 'CLOSED'],
])('%s: the breaker counts to its limit', (_, change, outcomes, status) => {
  const state = record(closedServiceBreaker, outcomes, { by: { ...rules, ...change } })
  expect<object>(state).toMatchObject({ status })
})

test('failures older than the window do not count', () => {
  const by = { ...rules, ...never, failuresMax: 2 }
  const first = record(closedServiceBreaker, 'f', { by })
  expect(record(first, 'f', { startMs: 10 * minuteMs - 1, by }).status).toBe('OPEN')
  expect(record(first, 'f', { startMs: 10 * minuteMs, by }).status).toBe('CLOSED')
})

/** The rules word for word: every outcome of the window is kept, and counted at each failure. */
function opensAt(outcomes: readonly Outcome[], by: ServiceBreakerRules): number | undefined {
  return outcomes.find(({ timeMs, ok }, at) => {
    if (ok) return false
    const until = outcomes.slice(0, at + 1)
    const window = until.filter((one) => one.timeMs > timeMs - by.windowMs)
    const failures = window.filter((one) => !one.ok).length
    const inRow = until.length - 1 - until.findLastIndex((one) => one.ok)
    const isRate = failures >= (window.length * by.failurePercentMax) / 100
    if (failures >= by.failuresMax || inRow >= by.consecutiveMax) return true
    return window.length >= by.failuresMax && isRate
  })?.timeMs
}

function outcomesOf(seed: number, windowMs: number): readonly Outcome[] {
  const random = seededRandom(seed)
  const okShare = random()
  const stepMs = windowMs / (1 + 60 * random())
  let timeMs = 0
  return Array.from({ length: 120 }, () => {
    timeMs += Math.floor(stepMs * random())
    return { timeMs, ok: random() < okShare }
  })
}

/** The time of the outcome that opens it. What it holds until then stays within its bounds. */
function openedAt(outcomes: readonly Outcome[], by: ServiceBreakerRules): number | undefined {
  let state = closedServiceBreaker
  for (const outcome of outcomes) {
    state = recordOutcome(state, outcome, by)
    if (state.status !== 'CLOSED') return outcome.timeMs
    expect(state.successTimes.length).toBeLessThanOrEqual(successesMax(by))
    expect(state.failureTimes.length).toBeLessThan(by.failuresMax)
  }
  return undefined
}

test.each(Object.entries(serviceBreakerRules))(
  '%s: what is kept decides as all that was decides',
  (_, rules) => {
    // Without a limit in a row the rate and the number decide.
    for (const by of [rules, { ...rules, consecutiveMax: Number.POSITIVE_INFINITY }]) {
      const times = Array.from({ length: 300 }, (_, seed) => {
        const outcomes = outcomesOf(seed, rules.windowMs)
        const at = openedAt(outcomes, by)
        expect({ seed, at }).toEqual({ seed, at: opensAt(outcomes, by) })
        return at
      })
      expect(times).toContain(undefined)
      expect(times.some((at) => at !== undefined)).toBe(true)
    }
  },
)

test('a busy service is known by fourteen successes at most', () => {
  const most = Object.values(serviceBreakerRules).map(successesMax)
  expect(most).toEqual([2, 2, 4, 14, 5])
})

test.each([
  ['trade', 5, 10, 3, 80, 30],
  ['network', 3, 5, 2, 60, 15],
  ['slippage', 8, 15, 4, 70, 45],
  ['system', 10, 20, 5, 40, 30],
  ['confirmation', 5, 30, 3, 50, 60],
] as const)('%s failures have their own limits', (name, failures, window, row, percent, wait) => {
  expect(serviceBreakerRules[name]).toEqual({
    failuresMax: failures,
    windowMs: window * minuteMs,
    consecutiveMax: row,
    failurePercentMax: percent,
    waitMs: wait * minuteMs,
  })
})
