import { expect, test } from 'bun:test'
import {
  admitCall,
  closedServiceBreaker,
  outcomesMax,
  recordOutcome,
  type ServiceBreakerRules,
  type ServiceBreakerState,
  serviceBreakerRules,
} from '#core/market/service-breaker.ts'

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

test('the window of a busy service holds so many outcomes and no more', () => {
  const by = { ...rules, ...never, failuresMax: outcomesMax + 1, windowMs: 10 * outcomesMax * 1000 }
  const state = record(closedServiceBreaker, 's'.repeat(outcomesMax + 5), { by })
  expect(state).toMatchObject({ status: 'CLOSED' })
  expect('outcomes' in state ? state.outcomes.length : 0).toBe(outcomesMax)
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
