import { expect, test } from 'bun:test'
import { nearest } from '#core/nearest.ts'

const commands = ['serve', 'secrets', 'schedules', 'score', 'migrate', 'up', 'run']

test.each([
  ['serv', 'serve'],
  ['secrts', 'secrets'],
  ['shcedules', 'schedules'],
  ['mirgate', 'migrate'],
])('%s may have meant %s', (typed, meant) => {
  expect(nearest(typed, commands)).toBe(meant)
})

test.each(['', 'x', 'kubernetes', 'hunter2-of-the-desk'])('%p means none of them', (typed) => {
  expect(nearest(typed, commands)).toBeUndefined()
})
