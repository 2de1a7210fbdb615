import { expect, test } from 'bun:test'
import { readProfile } from '../read-profile.ts'
import { classesOf, everyClass } from './profile.ts'
import { splitUsers } from './split-users.ts'

const classes = classesOf(readProfile(), everyClass)

// What the dispatcher of Locust 2.47.0 hands out; `check-locust` asks it again.
test.each([
  [1, [1, 0, 0, 0]],
  [5, [3, 1, 1, 0]],
  [10, [7, 1, 1, 1]],
  [50, [35, 5, 7, 3]],
  [100, [70, 10, 15, 5]],
  [1_000, [700, 100, 150, 50]],
])('%i users are split as Locust splits them', (users, expected) => {
  const split = splitUsers(classes, users)
  const names = ['NormalLoad', 'HeavyLoad', 'HFTLoad', 'AnalyticsLoad']
  expect(names.map((name) => split.get(name))).toEqual(expected)
})

test('with the three classes that are not abstract in the original, each of them gets one of a hundred', () => {
  const profile = readProfile()
  const concrete = {
    ...profile,
    classes: profile.classes.map((one) => ({ ...one, abstract: false })),
  }
  const split = splitUsers(classesOf(concrete, everyClass), 100)
  expect(Object.fromEntries(split)).toEqual({
    ...{ TradingUser: 1, HighFrequencyUser: 1, AnalyticsUser: 1 },
    ...{ NormalLoad: 68, HeavyLoad: 10, HFTLoad: 14, AnalyticsLoad: 5 },
  })
})

test('a class without weight gets nobody', () => {
  const split = splitUsers(
    [
      { name: 'idle', weight: 0 },
      { name: 'busy', weight: 1 },
    ],
    7,
  )
  expect(Object.fromEntries(split)).toEqual({ idle: 0, busy: 7 })
})

test('classes of one weight are levelled by name', () => {
  const split = splitUsers(classesOf(readProfile(), { ...everyClass, isEqual: true }), 6)
  expect(Object.fromEntries(split)).toEqual({
    ...{ NormalLoad: 1, HeavyLoad: 1, HFTLoad: 2, AnalyticsLoad: 2 },
  })
})
