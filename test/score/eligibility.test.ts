import { expect, test } from 'bun:test'
import { measureWallet } from '#core/score/measure-wallet.ts'
import type { Trade } from '#core/score/trade.ts'
import { buy, sell, wallet } from './swaps.ts'

const firstMs = Date.UTC(2025, 0, 1)
const dayMs = 86_400_000
const iso = (ms: number) => new Date(ms).toISOString()

/** Buys and sells in turn, spread evenly, a little won or lost each time. */
function career(count: number, spanMs: number): Trade[] {
  return Array.from({ length: count }, (_, index) => {
    const at = iso(firstMs + Math.floor((spanMs * index) / (count - 1)))
    const usd = index % 4 === 1 ? '104' : index % 4 === 3 ? '98' : '100'
    return index % 2 === 0 ? buy({ at, amount: '1', usd }) : sell({ at, amount: '1', usd })
  })
}

function judge(trades: readonly Trade[], endMs = firstMs + 95 * dayMs) {
  const { status, reasons } = measureWallet(wallet, trades, {
    ...{ costBasis: 'fifo', algorithmVersion: 'xorj-1.0.0' },
    endDate: iso(endMs).slice(0, 10),
  })
  return { status, codes: reasons.map(({ code }) => code) }
}

test('no trades is no data', () => {
  expect(judge([])).toEqual({ status: 'no_data', codes: ['NO_TRADES'] })
})

test.each([
  ['89 days 23:59:59', 90 * dayMs - 1_000, 'insufficient_history'],
  ['90 days to the second', 90 * dayMs, 'eligible'],
])('a history of %s is %p %p', (_name, spanMs, status) => {
  expect<string>(judge(career(60, spanMs)).status).toBe(status)
})

test.each([
  [49, 'insufficient_trades'],
  [50, 'eligible'],
])('%p trades are %p', (count, status) => {
  expect<string>(judge(career(count, 91 * dayMs)).status).toBe(status)
})

test.each([
  // One day: 100 in and out at 300: profit 200 of 100 + 300 put in is exactly one half.
  ['exactly one half', '300', 'eligible'],
  ['just above one half', '300.01', 'extreme_roi_spike'],
])('a day whose profit is %s of its volume: %p is %p', (_name, usd, status) => {
  const trades = career(60, 91 * dayMs)
  const at = iso(firstMs + 92 * dayMs)
  const spike = [buy({ at, amount: '1', usd: '100' }), sell({ at, amount: '1', usd })]
  expect<string>(judge([...trades, ...spike]).status).toBe(status)
})

test('a loss of more than one half of the volume is a spike too', () => {
  const at = iso(firstMs + 92 * dayMs)
  const before = iso(firstMs + 91.5 * dayMs)
  const loss = [
    buy({ at: before, amount: '1', usd: '1000' }),
    sell({ at, amount: '1', usd: '400' }),
  ]
  expect(judge([...career(60, 91 * dayMs), ...loss]).codes).toContain('EXTREME_ROI_SPIKE')
})

test('a long career without trades in the window is not enough', () => {
  const { status, codes } = judge(career(60, 91 * dayMs), firstMs + 300 * dayMs)
  expect(status).toBe('insufficient_trades')
  expect(codes).toContain('TOO_FEW_TRADES_IN_WINDOW')
})

test.each([
  [9, 'insufficient_trades'],
  [10, 'eligible'],
])('%p trades in the window are %p', (count, status) => {
  const old = career(60, 91 * dayMs)
  const recent = career(count, 20 * dayMs).map((each) => ({
    ...each,
    timeMs: each.timeMs + 400 * dayMs,
  }))
  expect<string>(judge([...old, ...recent], firstMs + 430 * dayMs).status).toBe(status)
})

test('every reason is told, the first rule that fails is the status', () => {
  expect(judge(career(5, 10 * dayMs))).toEqual({
    status: 'insufficient_history',
    codes: ['HISTORY_TOO_SHORT', 'TOO_FEW_TRADES', 'TOO_FEW_TRADES_IN_WINDOW'],
  })
})
