import { expect, test } from 'bun:test'
import {
  advanceVolatility,
  estimateVolatility,
  noVolatility,
  realizedVolatility,
  type VolatilityState,
  volatilityStateSchema,
} from '#core/market/volatility.ts'
import { seededRandom } from '../audit/verify/seeded-random.ts'

const unit = 1_000_000_000

function afterCloses(closes: readonly number[]): VolatilityState {
  return closes.reduce((state, close) => advanceVolatility(state, close * unit), noVolatility)
}

/** By the textbook, in one line each. */
function expectedVolatility(returns: readonly number[], days: number): number {
  const last = returns.slice(-days)
  const mean = last.reduce((sum, value) => sum + value, 0) / days
  const squares = last.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return Math.sqrt((squares / (days - 1)) * 252)
}

test.each([[0], [-1], [Number.NaN], [Number.POSITIVE_INFINITY]])(
  'a close of %p is left out',
  (close) => {
    const state = afterCloses([100, 101])
    expect(advanceVolatility(state, close)).toBe(state)
  },
)

test('below five returns there is no estimate to size by', () => {
  expect(estimateVolatility(noVolatility)).toEqual({
    rv5: undefined,
    rv20: undefined,
    ewma: undefined,
    percent: undefined,
  })
  expect(estimateVolatility(afterCloses([100, 101, 99, 100, 102])).percent).toBeUndefined()
  expect(estimateVolatility(afterCloses([100, 101, 99, 100, 102, 101])).percent).toBeGreaterThan(0)
})

test('realised volatility divides by n − 1 and is annualised by the root of 252', () => {
  // Returns of 1 % and −1 %: squares 2·10⁻⁴ about a mean of 0, over one.
  expect(realizedVolatility([0.01, -0.01], 2)).toBeCloseTo(Math.sqrt(2e-4 * 252), 12)
  expect(realizedVolatility([0.01], 2)).toBeUndefined()
  expect(realizedVolatility([0.01, 0.02], 1)).toBeUndefined()
})

test('the stream agrees with the textbook over the last 5 and 20 returns, and takes the larger', () => {
  const random = seededRandom(18).random
  const closes = [100]
  let state = afterCloses(closes)
  for (let day = 1; day <= 60; day += 1) {
    const close = (closes[day - 1] ?? 0) * (1 + (random() - 0.5) * (day < 40 ? 0.02 : 0.1))
    closes.push(close)
    state = advanceVolatility(volatilityStateSchema.parse(JSON.parse(JSON.stringify(state))), close)
  }
  // The first close is in nanos, the others are not: only the first return is off, and long gone.
  const returns = closes.slice(1).map((close, at) => close / (closes[at] ?? 0) - 1)
  const { rv5, rv20, percent } = estimateVolatility(state)
  expect(rv5).toBeCloseTo(expectedVolatility(returns, 5), 12)
  expect(rv20).toBeCloseTo(expectedVolatility(returns, 20), 12)
  expect(percent).toBe(100 * Math.max(rv5 ?? 0, rv20 ?? 0))
  expect(state.returns).toHaveLength(20)
})

test('EWMA keeps 94 % of the variance and takes 6 % of the newest square', () => {
  const state = afterCloses([100, 110, 99])
  expect(state.ewmaVariance).toBeCloseTo(0.94 * 0.01 + 0.06 * 0.01, 12)
  expect(estimateVolatility(state).ewma).toBeCloseTo(0.1 * Math.sqrt(252), 10)
})

test('size is lost at once and regained late: a shock raises the estimate that calm days keep up', () => {
  const calm = Array.from({ length: 25 }, (_, at) => (at % 2 === 0 ? 100 : 100.1))
  const before = estimateVolatility(afterCloses(calm)).percent ?? 0
  const shocked = estimateVolatility(afterCloses([...calm, 90])).percent ?? 0
  const later = [90, 90.1, 90, 90.1, 90, 90.1]
  const after = estimateVolatility(afterCloses([...calm, ...later])).percent ?? 0
  expect(shocked).toBeGreaterThan(10 * before)
  expect(after).toBeGreaterThan(5 * before)
})
