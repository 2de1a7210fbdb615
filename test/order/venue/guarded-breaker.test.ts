import { beforeEach, expect, test } from 'bun:test'
import { serviceBreakerRules } from '#core/market/service-breaker.ts'
import {
  type BreakerStatus,
  type GuardedBreaker,
  guardedBreaker,
} from '#core/order/venue/guarded-breaker.ts'

const rules = serviceBreakerRules.network
const clock = { nowMs: 0 }
let breaker: GuardedBreaker
let statuses: BreakerStatus[]

beforeEach(() => {
  clock.nowMs = 1_000_000
  statuses = []
  breaker = guardedBreaker({
    rules,
    now: () => clock.nowMs,
    onChange: (_from, to) => void statuses.push(to),
  })
})

/** Calls one after the other: `s` succeeds, `f` fails, `n` says nothing. */
function call(outcomes: string, isGated = true): void {
  for (const letter of outcomes) {
    const begun = breaker.begin(isGated)
    breaker.end(begun, letter === 's' ? 'ok' : letter === 'f' ? 'failed' : 'nothing')
  }
}

function waitedOut(): void {
  call('ff')
  expect(breaker.waitSeconds()).toBe(rules.waitMs / 1_000)
  clock.nowMs += rules.waitMs
  statuses.length = 0
}

test('while it is open it says to the second, rounded up, for how long', () => {
  call('ff')
  clock.nowMs += rules.waitMs - 1
  expect(breaker.waitSeconds()).toBe(1)
  clock.nowMs += 1
  expect(breaker.waitSeconds()).toBeUndefined()
})

test('to ask how long it takes is no probe', () => {
  waitedOut()
  for (let count = 0; count < 20; count += 1) expect(breaker.waitSeconds()).toBeUndefined()
  expect(statuses).toEqual([])
})

test('after its wait five calls may be under way, and no sixth', () => {
  waitedOut()
  const begun = Array.from({ length: 5 }, () => breaker.begin(true))
  expect(breaker.waitSeconds()).toBe(1)
  for (const one of begun.slice(0, 3)) breaker.end(one, 'ok')
  expect(breaker.waitSeconds()).toBeUndefined()
  expect(statuses).toEqual(['HALF_OPEN', 'CLOSED'])
})

test('one failed probe opens it again for the whole wait', () => {
  waitedOut()
  call('ssf')
  expect(statuses).toEqual(['HALF_OPEN', 'OPEN'])
  expect(breaker.waitSeconds()).toBe(rules.waitMs / 1_000)
})

test('a probe that says nothing gives its place back', () => {
  waitedOut()
  call('nnnnnnnnnnnnsss')
  expect(statuses).toEqual(['HALF_OPEN', 'CLOSED'])
})

test('calls that need no admission neither probe it nor close nor open it', () => {
  waitedOut()
  const probe = breaker.begin(true)
  call('sssssfffff', false)
  expect(statuses).toEqual(['HALF_OPEN'])
  breaker.end(probe, 'ok')
  call('ss')
  expect(statuses).toEqual(['HALF_OPEN', 'CLOSED'])
})

test('a call from before it opened, and a probe of an earlier phase, come too late to count', () => {
  const before = Array.from({ length: 3 }, () => breaker.begin(true))
  waitedOut()
  const [first, early] = [breaker.begin(true), breaker.begin(true)]
  for (const one of before) breaker.end(one, 'failed')
  expect(statuses).toEqual(['HALF_OPEN'])
  breaker.end(first, 'failed')
  clock.nowMs += rules.waitMs
  call('ss')
  breaker.end(early, 'failed')
  breaker.end(early, 'ok')
  expect(statuses).toEqual(['HALF_OPEN', 'OPEN', 'HALF_OPEN'])
  call('s')
  expect(statuses.at(-1)).toBe('CLOSED')
})

test('calls that were under way together fail once, those that begin later count again', () => {
  const together = Array.from({ length: 64 }, () => breaker.begin(true))
  for (const one of together) breaker.end(one, 'failed')
  expect(statuses).toEqual([])
  call('f')
  expect(statuses).toEqual(['OPEN'])
})

test('thousands of successes in a second count when failures follow', () => {
  // Three failures of five are more than its half, of a hundred and three they are few.
  const rules = serviceBreakerRules.confirmation
  const onChange = () => void statuses.push('OPEN')
  breaker = guardedBreaker({ rules, now: () => clock.nowMs, onChange })
  call(`${'s'.repeat(5_000)}fsfsff`)
  expect(statuses).toEqual([])
  call('f')
  expect(statuses).toEqual(['OPEN'])
})

test('a service that has long been busy is known to be, in every window', () => {
  call('s'.repeat(200))
  for (let second = 0; second < 2 * (rules.windowMs / 1_000); second += 1) {
    clock.nowMs += 1_000
    call('s')
  }
  call('fsf')
  expect(statuses).toEqual([])
  call('sf')
  expect(statuses).toEqual(['OPEN'])
})

test('what is older than its window is forgotten, whatever was kept of it', () => {
  call('s'.repeat(1_000))
  clock.nowMs += rules.windowMs
  call('fs')
  expect(statuses).toEqual([])
  // Two of three: more than the rate that opens it.
  call('f')
  expect(statuses).toEqual(['OPEN'])
})
