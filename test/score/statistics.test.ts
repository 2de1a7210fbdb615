import { expect, test } from 'bun:test'
import { algorithms } from '#core/score/algorithm.ts'
import { drawdownOf } from '#core/score/drawdown.ts'
import type { EquityCurve } from '#core/score/equity.ts'
import { measureCurve } from '#core/score/metrics.ts'
import { normalCdf, normalQuantile } from '#core/score/normal-distribution.ts'
import { deviation, isConstant, shape } from '#core/score/series.ts'
import {
  deflatedSharpe,
  luckySharpe,
  minimumTrackRecord,
  probabilisticSharpe,
  sharpeError,
  trialsOf,
} from '#core/score/sharpe-significance.ts'

const one = 10n ** 18n
const algorithm = algorithms['xorj-1.0.0']

/** Equity in whole dollars at the end of each day, the first one the opening. */
function curve(equity: readonly number[], closures: readonly number[] = []): EquityCurve {
  const values = equity.map((value) => BigInt(Math.round(value * 1e6)) * 10n ** 12n)
  const [opening = 0n] = values
  const nothing = { inflow: 0n, realised: 0n, volumeIn: 0n, trades: 0, isPriceCarried: false }
  return {
    days: values.slice(1).map((value, day) => ({ day, equity: value, ...nothing })),
    opening: { equity: opening, cost: opening },
    closing: { equity: values.at(-1) ?? 0n, cost: opening },
    totals: { realised: 0n, unmatchedProceeds: 0n, fees: 0n, separateFees: 0n, volumeIn: 0n },
    closures: closures.map((value) => BigInt(value) * one),
    history: {
      ...{ trades: 1, failed: 0, wraps: 0, unmatchedSales: 0 },
      ...{ firstTradeMs: 0, lastTradeMs: 0 },
    },
  }
}

const measure = (equity: readonly number[], closures: readonly number[] = []) =>
  measureCurve(curve(equity, closures), algorithm)

test('hand-counted metrics of 100, 110, 99, 108.9', () => {
  // Returns 0.1, -0.1, 0.1: mean 1/30, sample deviation sqrt(4/300).
  const metrics = measure([100, 110, 99, 108.9])
  expect(metrics.totalReturn).toBeCloseTo(0.089, 12)
  expect(metrics.netRoiPercent).toBe('8.9')
  expect(metrics.sharpePerPeriod).toBeCloseTo(0.28867513459, 10)
  expect(metrics.sharpe).toBeCloseTo(0.28867513459 * Math.sqrt(365), 8)
  expect(metrics.volatility).toBeCloseTo(Math.sqrt((4 / 300) * 365), 10)
  expect(metrics.downsideDeviation).toBeCloseTo(Math.sqrt((0.01 / 3) * 365), 10)
  expect(metrics.sortino).toBeCloseTo(365 / 30 / Math.sqrt((0.01 / 3) * 365), 9)
  expect(metrics.maxDrawdown).toBeCloseTo(-0.1, 12)
  expect(metrics.cagr).toBeCloseTo(1.089 ** (365 / 3) - 1, 4)
  expect(metrics.calmar).toBeCloseTo((1.089 ** (365 / 3) - 1) / 0.1, 3)
  // Index 1, 1.1, 0.99, 1.089: losses 0, 0, 10 and 1 percent.
  expect(metrics.ulcerIndex).toBeCloseTo(Math.sqrt(101 / 4), 10)
})

test.each([
  ['no day', [100], 'NO_DATA', 'totalReturn'],
  ['one day', [100, 101], 'TOO_FEW', 'sharpe'],
  ['no change at all', [100, 100, 100, 100], 'ZERO_VARIANCE', 'sharpe'],
  ['no loss', [100, 101, 103], 'NO_DRAWDOWN', 'calmar'],
  ['no day below the acceptable return', [100, 101, 103], 'NO_DOWNSIDE', 'sortino'],
  ['a fall that is not regained', [100, 90, 95], 'NOT_RECOVERED', 'recoveryDaysMax'],
  ['a loss', [100, 90, 95], 'NOT_ABOVE_BENCHMARK', 'minTrackRecordDays'],
  ['a gain no double can annualise', [1, 90_000, 90_000_000], 'OUT_OF_RANGE', 'cagr'],
])('%s gives null and says why', (_name, equity, code, metric) => {
  const { reasons, ...metrics } = measure(equity)
  expect(reasons.map((each) => `${each.metric} ${each.code}`)).toContain(`${metric} ${code}`)
  expect(Object.entries(metrics).find(([name]) => name === metric)?.[1]).toBeNull()
})

test('a constant return is no variance although its deviation is a residue', () => {
  const returns = Array.from({ length: 90 }, () => 0.1)
  expect(deviation(returns)).not.toBe(0)
  expect(isConstant(returns, returns)).toBe(true)
  expect(isConstant([0.1, 0.100_000_1], [0])).toBe(false)
})

test('closures of exactly 0 are neither won nor lost', () => {
  const metrics = measure([100, 101, 102], [10, -5, 0, 20])
  expect(metrics).toMatchObject({ wins: 2, losses: 1, winLossRatio: 2, profitFactor: 6 })
  expect(metrics.winRate).toBeCloseTo(2 / 3, 12)
  // 15 * 2/3 - 5 * 1/3
  expect(metrics.expectancyUsd).toBe('8.333333333333333333')
  expect(measure([100, 101], [0]).expectancyUsd).toBe('0')
  expect(measure([100, 101]).expectancyUsd).toBeNull()
})

test.each([
  ['everything only rises', [1, 2, 3], 0, 0, undefined],
  ['the first value is the peak', [1, 0.8, 0.9], -0.2, undefined, 0],
  ['regained after two steps', [1, 0.5, 1], -0.5, 2, undefined],
  ['a plateau counts from its last point', [1, 1, 1, 0.9, 1], -0.1, 2, undefined],
  ['an open fall is not the longest recovery', [1, 0.9, 1, 0.8, 0.7, 0.6], -0.4, 2, 2],
  ['all is lost', [1, 0, 0], -1, undefined, 0],
])('drawdown: %s', (_name, index, depth, recovery, open) => {
  const drawdown = drawdownOf(index)
  expect(drawdown?.depth).toBeCloseTo(depth, 12)
  expect(drawdown?.recoveryPeriodsMax).toBe(recovery)
  expect(drawdown?.underwaterFrom).toBe(open)
})

test.each([
  [0, 0.5],
  [1, 0.841344746068543],
  [-1.959963984540054, 0.025],
  [3, 0.99865010196837],
  [3.5, 0.999767370920964],
  [-3.5, 0.000232629079035525],
  [-6, 9.865876450377e-10],
])('normal distribution: P(X <= %p) = %p', (x, p) => {
  expect(Math.abs(normalCdf(x) / p - 1)).toBeLessThan(1e-8)
  expect(normalQuantile(normalCdf(x))).toBeCloseTo(x, 6)
})

test('the two ways to reckon the normal distribution meet where they change over', () => {
  expect(Math.abs(normalCdf(3.000_000_000_1) - normalCdf(3))).toBeLessThan(1e-12)
})

test('skewness and kurtosis are of the population, normal = 3', () => {
  expect(shape([1, 2, 3, 4, 5])).toEqual({ skewness: 0, kurtosis: 1.7 })
  expect(shape([1, 1, 4])?.skewness).toBeCloseTo(Math.SQRT1_2, 12)
})

test('a Sharpe ratio is judged by its error, its luck and the length of its record', () => {
  const sample = { sharpe: 0.1, periods: 90, skewness: 0, kurtosis: 3 }
  expect(sharpeError(sample)).toBeCloseTo(Math.sqrt(1.005 / 90), 12)
  expect(probabilisticSharpe(sample, 0)).toBeCloseTo(
    normalCdf((0.1 * Math.sqrt(89)) / Math.sqrt(1.005)),
    12,
  )
  expect(minimumTrackRecord(sample, { benchmark: 0, confidence: 0.95 })).toBeCloseTo(
    1 + 1.005 * (1.644853626951 / 0.1) ** 2,
    6,
  )
  expect(luckySharpe(1, 0.5)).toBe(0)
  expect(luckySharpe(100, 0)).toBe(0)
  // Z(0.99) = 2.326348, Z(1 - 1/(100e)) = 2.680...: between them, as expected of a hundred tries.
  expect(luckySharpe(100, 1)).toBeGreaterThan(2.5)
  expect(luckySharpe(100, 1)).toBeLessThan(2.54)
  const psr = probabilisticSharpe(sample, 0) ?? 0
  expect(deflatedSharpe(sample, trialsOf([0.1, -0.1, 0.2, 0]))).toBeLessThan(psr)
})
