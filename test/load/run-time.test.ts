import { expect, test } from 'bun:test'
import { parseRunTime } from './run-time.ts'

test.each([...['', '1.5s', '1m30', '1s1m', '-5', 's', '1d', '0', '0s', '169h']])(
  '%p is no run time',
  (text) => {
    expect(parseRunTime(text)).toBeUndefined()
  },
)

test.each([
  ['90', 90],
  ['300s', 300],
  ['10m', 600],
  ['1h30m', 5_400],
  ['3h30m10s', 12_610],
  ['168h', 604_800],
])('%s is %i seconds', (text, expected) => {
  expect(parseRunTime(text)).toBe(expected)
})
