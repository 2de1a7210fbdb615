import { expect, test } from 'bun:test'
import { parseProfile, readProfile } from '../read-profile.ts'
import { offeredLoad } from './offered-load.ts'
import { classesOf, everyClass, taskPicker } from './profile.ts'
import { splitUsers } from './split-users.ts'

const profile = readProfile()

test('a class that the profile does not have is refused', () => {
  expect(() => classesOf(profile, { ...everyClass, names: ['NoSuchUser'] })).toThrow('NoSuchUser')
})

test('a profile with a member that nobody reads is refused', () => {
  const text = JSON.stringify({ ...profile, thinkTime: 1 })
  expect(() => parseProfile(text)).toThrow('thinkTime')
})

test('what extends a class has its waits and all of its tasks', () => {
  const [normal] = classesOf(profile, everyClass)
  expect(normal).toMatchObject({ name: 'NormalLoad', weight: 70, wait: [0.1, 0.5] })
  const weights = Object.values(normal?.tasks ?? {})
  expect(weights).toHaveLength(8)
  expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(40)
})

test('tags choose tasks and leave others out', () => {
  const filter = { ...everyClass, tags: ['order', 'cancel'], excludedTags: ['hft'] }
  const [normal, , fast] = classesOf(profile, filter)
  expect(Object.keys(normal?.tasks ?? {})).toEqual(['submit_order', 'cancel_order'])
  expect(fast?.tasks).toEqual({})
})

test.each([
  [0, 'first'],
  [0.249, 'first'],
  [0.25, 'second'],
  [0.999, 'second'],
])('of tasks with the weights 1 and 3 the draw %f picks the %s', (drawn, expected) => {
  expect(taskPicker({ first: 1, second: 3 })(drawn)).toBe(expected)
})

test('a class without tasks has nobody to play', () => {
  expect(() => taskPicker({})(0.5)).toThrow('without a task')
})

test.each([
  [100, 767],
  [1_000, 7_672],
])('%i users who never wait for an answer offer %i requests a second', (users, expected) => {
  const classes = classesOf(profile, everyClass)
  const load = offeredLoad(profile, classes, splitUsers(classes, users))
  const sum = [...load.values()].reduce((total, rate) => total + rate, 0)
  expect(Math.round(sum)).toBe(expected)
})
