import { expect, test } from 'bun:test'
import { decimalFault, formatDecimal, parseDecimal } from '#core/decimal.ts'
import { randomNumbers } from '../score/synthetic-wallets.ts'

test.each([
  ['-1', /negative/],
  ['-0.5', /negative/],
  ['', /plain decimal/],
  ['NaN', /plain decimal/],
  ['Infinity', /plain decimal/],
  ['1e5', /plain decimal/],
  ['1E400', /plain decimal/],
  ['0x10', /plain decimal/],
  ['+1', /plain decimal/],
  [' 1', /plain decimal/],
  ['1 ', /plain decimal/],
  ['1\n', /plain decimal/],
  ['1,5', /plain decimal/],
  ['1_000', /plain decimal/],
  ['.5', /plain decimal/],
  ['5.', /plain decimal/],
  ['1.2.3', /plain decimal/],
  ['007', /plain decimal/],
  ['１', /plain decimal/],
  [`1${'0'.repeat(40)}`, /at most 20 digits/],
  [`1${'0'.repeat(20)}`, /at most 20 digits/],
  [`0.${'0'.repeat(18)}1`, /18 after/],
])('%p is no amount', (text, fault) => {
  expect(decimalFault(text)).toMatch(fault)
})

test.each([
  ['0', 0n],
  ['0.000000000000000001', 1n],
  ['1', 10n ** 18n],
  ['12.50', 125n * 10n ** 17n],
  [`${'9'.repeat(20)}.${'9'.repeat(18)}`, 10n ** 38n - 1n],
])('%p is read exactly', (text, value) => {
  expect(decimalFault(text)).toBeUndefined()
  expect(parseDecimal(text)).toBe(value)
})

test.each([
  [0n, '0'],
  [1n, '0.000000000000000001'],
  [-125n * 10n ** 17n, '-12.5'],
  [10n ** 21n, '1000'],
])('%p is written without zeros that say nothing', (value, text) => {
  expect(formatDecimal(value)).toBe(text)
})

test('a + b - b = a for any amounts', () => {
  const random = randomNumbers(1)
  const amount = () => `${Math.floor(random() * 1e9)}.${Math.floor(random() * 1e9)}`
  for (let round = 0; round < 1_000; round += 1) {
    const a = parseDecimal(amount())
    const b = parseDecimal(amount())
    expect(a + b - b).toBe(a)
    expect(parseDecimal(formatDecimal(a))).toBe(a)
  }
})
