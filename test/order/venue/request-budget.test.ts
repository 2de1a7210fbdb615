import { expect, test } from 'bun:test'
import { requestBudget } from '#core/order/venue/request-budget.ts'

function budgetAt(options: { perMinute?: number; urgentOnly?: number } = {}) {
  const clock = { ms: 0 }
  const { perMinute = 6, urgentOnly = 2 } = options
  return { clock, ...requestBudget({ perMinute, urgentOnly, now: () => clock.ms }) }
}

test('what is over the budget is told when to come again', () => {
  const { take, clock } = budgetAt({ urgentOnly: 0 })
  for (let at = 0; at < 6; at += 1) expect(take(false)).toBeUndefined()
  expect(take(false)).toBe(10)
  clock.ms += 9_999
  expect(take(false)).toBe(1)
  clock.ms += 1
  expect(take(false)).toBeUndefined()
  expect(take(false)).toBe(10)
})

test('the last requests are kept for what is urgent', () => {
  const { take } = budgetAt()
  for (let at = 0; at < 4; at += 1) expect(take(false)).toBeUndefined()
  expect(take(false)).toBe(10)
  expect(take(true)).toBeUndefined()
  expect(take(true)).toBeUndefined()
  expect(take(true)).toBe(10)
})

test('a quiet hour saves no more than a minute', () => {
  const { take, clock } = budgetAt({ urgentOnly: 0 })
  clock.ms += 3_600_000
  for (let at = 0; at < 6; at += 1) expect(take(false)).toBeUndefined()
  expect(take(false)).toBe(10)
})

test('a clock that goes back gives nothing away', () => {
  const { take, clock } = budgetAt({ urgentOnly: 0 })
  for (let at = 0; at < 6; at += 1) take(false)
  clock.ms -= 60_000
  expect(take(false)).toBe(10)
})

test.each([
  [7, 7],
  [undefined, 1],
  [0, 1],
  [3_600, 60],
])('after a limit of %p seconds nothing is sent for %p, not even the urgent', (named, waited) => {
  const { take, limited, clock } = budgetAt()
  expect(limited(named)).toBe(waited)
  expect(take(true)).toBe(waited)
  clock.ms += waited * 1_000 - 1
  expect(take(true)).toBe(1)
  clock.ms += 1
  expect(take(true)).toBeUndefined()
})
