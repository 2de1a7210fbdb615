import { expect, test } from 'bun:test'
import { isAddress } from '#core/score/base58.ts'
import { scoreCohortPayload, scoreWalletPayload } from '#core/score/kinds.ts'
import { parseTime, swapSchema, tradeOf } from '#core/score/trade.ts'
import { jup, sol, swap, usdc, wallet } from './swaps.ts'

function fault(change: Record<string, unknown>) {
  const parsed = swapSchema.safeParse({ ...swap(), ...change })
  return parsed.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
}

test.each([
  ['a negative quantity', { amountIn: '-1' }, /amountIn: must not be negative/],
  ['a quantity of zero', { amountOut: '0.000' }, /amountOut: must be above zero/],
  ['a leg without a value', { usdIn: '0' }, /usdIn: must be above zero/],
  ['a JavaScript number', { amountIn: 1.5 }, /amountIn: must be a decimal in quotes/],
  ['NaN', { usdOut: 'NaN' }, /usdOut: must be a plain decimal/],
  ['10^40', { usdOut: `1${'0'.repeat(40)}` }, /usdOut: must have at most 20 digits/],
  ['an exponent', { feeUsd: '1e3' }, /feeUsd: must be a plain decimal/],
  ['an unknown field', { profit: '1' }, /[Uu]nrecognized key/],
  ['a missing field', { feeUsd: undefined }, /feeUsd/],
  ['null', { amountIn: null }, /amountIn: must be a decimal/],
  ['an array', { amountIn: ['1'] }, /amountIn: must be a decimal/],
  ['a mint that is no base58', { mintIn: '0OIl'.repeat(10) }, /mintIn: must be a base58 address/],
  ['a mint of 31 bytes', { mintIn: '1'.repeat(31) }, /mintIn: must be a base58 address/],
  ['a token swapped for itself', { mintIn: jup, mintOut: jup }, /mintOut: must differ/],
  ['a signature with a NUL', { signature: `${'1'.repeat(63)}\0` }, /signature: must be/],
  ['a short signature', { signature: '1'.repeat(63) }, /signature: must be/],
  ['a flag in words', { failed: 'yes' }, /failed: must be true or false/],
  ['a time without offset', { time: '2025-01-01T00:00:00' }, /time: must be an RFC 3339 time/],
  ['a day that does not exist', { time: '2025-02-30T00:00:00Z' }, /time: must be/],
  ['a time before Solana', { time: '2020-03-15T23:59:59Z' }, /time: must be/],
  ['milliseconds given as seconds', { time: 1_735_689_600_000 }, /time: must be/],
  ['a broken second', { time: 1_735_689_600.5 }, /time: must be/],
])('%s is refused with its column', (_name, change, expected) => {
  expect(fault(change)).toMatch(expected)
})

test('a failed swap may have moved nothing', () => {
  expect(fault({ failed: true, amountOut: '0', usdOut: '0' })).toBeUndefined()
})

test.each([
  ['2025-01-01T00:00:00Z', 1_735_689_600_000],
  ['2025-01-01T01:00:00.250+01:00', 1_735_689_600_250],
  ['1735689600', 1_735_689_600_000],
  [1_735_689_600, 1_735_689_600_000],
  ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
])('%p is a time', (text, ms) => {
  expect(parseTime(text)).toBe(ms)
})

test.each([
  [wallet, true],
  [sol, true],
  [usdc, true],
  ['1'.repeat(32), true],
  ['1'.repeat(33), false],
  ['z'.repeat(44), false],
  [wallet.slice(3), false],
  [`${wallet}1`, false],
  [wallet.replace('B', '0'), false],
  ['', false],
])('%p decodes to 32 bytes: %p', (text, expected) => {
  expect(isAddress(text)).toBe(expected)
})

test('native and wrapped SOL are one asset', () => {
  const native = 'So11111111111111111111111111111111111111111'
  expect(tradeOf(wallet, swap({ mintIn: native })).mintIn).toBe(sol)
})

test('swaps in a payload that go back in time or appear twice name their place', () => {
  const first = swap({ time: '2025-01-02T00:00:00Z' })
  const earlier = swap({ time: '2025-01-01T00:00:00Z' })
  const parsed = scoreWalletPayload.safeParse({ wallet, swaps: [first, earlier, first] })
  expect(parsed.error?.issues.map(({ path }) => path.join('/'))).toEqual([
    'swaps/1/time',
    'swaps/2/signature',
  ])
})

test.each([
  ['no wallet', scoreWalletPayload, {}],
  ['no swaps in the list', scoreWalletPayload, { wallet, swaps: [] }],
  ['501 swaps', scoreWalletPayload, { wallet, swaps: Array.from({ length: 501 }, () => swap()) }],
  ['an unknown method', scoreWalletPayload, { wallet, costBasis: 'lifo' }],
  ['an unknown version', scoreWalletPayload, { wallet, algorithmVersion: 'xorj-2.0.0' }],
  ['a date that does not exist', scoreWalletPayload, { wallet, endDate: '2025-02-30' }],
  ['an unknown member', scoreWalletPayload, { wallet, weights: {} }],
  ['a cohort of no wallets', scoreCohortPayload, { wallets: [] }],
  ['a wallet named twice', scoreCohortPayload, { wallets: [wallet, wallet] }],
])('a job with %s is refused', (_name, schema, payload) => {
  expect(schema.safeParse(payload).success).toBe(false)
})
