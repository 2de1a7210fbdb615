import { absolute, formatDecimal, one, ratio, type Scaled } from '../decimal.ts'
import type { Algorithm } from './algorithm.ts'
import { type Drawdown, drawdownOf } from './drawdown.ts'
import type { EquityCurve } from './equity.ts'
import { deviation, isConstant, mean, shape } from './series.ts'
import {
  minimumTrackRecord,
  probabilisticSharpe,
  type SharpeSample,
  sharpeError,
} from './sharpe-significance.ts'

/** Why a metric is null. A metric is never a sentinel, Infinity or NaN. */
export const metricReasons = [
  'NO_DATA',
  'NO_CAPITAL',
  'TOO_FEW',
  'ZERO_VARIANCE',
  'NO_DOWNSIDE',
  'NO_DRAWDOWN',
  'NO_CLOSED_TRADES',
  'NO_LOSSES',
  'NOT_RECOVERED',
  'NOT_ABOVE_BENCHMARK',
  'OUT_OF_RANGE',
] as const
export type MetricReason = (typeof metricReasons)[number]

/** Ratios are fractions unless the name says percent; money is decimal text in USD. */
export type Metrics = {
  readonly totalReturn: number | null
  readonly netRoiPercent: string | null
  readonly cagr: number | null
  readonly volatility: number | null
  readonly sharpe: number | null
  /** Of one day, not annualised: what SE, PSR and DSR are computed from. */
  readonly sharpePerPeriod: number | null
  readonly skewness: number | null
  readonly kurtosis: number | null
  /** Annualised like `sharpe`. */
  readonly sharpeSe: number | null
  readonly psr: number | null
  readonly minTrackRecordDays: number | null
  readonly downsideDeviation: number | null
  readonly sortino: number | null
  /** 0 or negative; -1 = everything lost. */
  readonly maxDrawdown: number | null
  readonly calmar: number | null
  readonly ulcerIndex: number | null
  readonly recoveryDaysMax: number | null
  readonly underwaterDays: number | null
  readonly wins: number
  readonly losses: number
  readonly winRate: number | null
  readonly winLossRatio: number | null
  readonly profitFactor: number | null
  readonly expectancyUsd: string | null
  /** Number of daily returns. */
  readonly returns: number
  readonly reasons: readonly { readonly metric: string; readonly code: MetricReason }[]
}

type Note = (metric: string, code: MetricReason) => null

/** Everything of the window that can be said about a wallet alone. */
export function measureCurve(curve: EquityCurve, algorithm: Algorithm): Metrics {
  const reasons: { metric: string; code: MetricReason }[] = []
  const note: Note = (metric, code) => {
    reasons.push({ metric, code })
    return null
  }
  const returns = dailyReturns(curve)
  const index = growthIndex(returns)
  const drawdown = returns.length === 0 ? undefined : drawdownOf(index)
  const growth = growthMetrics({ returns, index, drawdown, algorithm }, note)
  return {
    netRoiPercent: netRoiPercent(curve, note),
    ...growth,
    ...sharpeMetrics(returns, algorithm, note),
    ...downsideMetrics(returns, algorithm, note),
    ...drawdownMetrics(drawdown, index.length, note),
    ...closureMetrics(curve.closures, note),
    returns: returns.length,
    reasons,
  }
}

/** The Sharpe sample of measured metrics, or undefined when there is none. */
export function sharpeSampleOf(metrics: Metrics): SharpeSample | undefined {
  const { sharpePerPeriod, skewness, kurtosis, returns } = metrics
  if (sharpePerPeriod === null || skewness === null || kurtosis === null) return undefined
  return { sharpe: sharpePerPeriod, periods: returns, skewness, kurtosis }
}

/**
 * Time-weighted: what came in during a day is counted as there from its start, so that it is
 * neither profit nor a reason for an absurd ratio to yesterday's small change. Ends with the day
 * on which everything was lost.
 */
function dailyReturns(curve: EquityCurve): number[] {
  const returns: number[] = []
  let previous = curve.opening.equity
  for (const { equity, inflow } of curve.days) {
    const base = previous + inflow
    const daily = base > 0n ? ratio(equity - base, base) : 0
    returns.push(daily)
    if (daily <= -1) break
    previous = equity
  }
  return returns
}

function growthIndex(returns: readonly number[]): number[] {
  const index = [1]
  let level = 1
  for (const daily of returns) {
    level *= 1 + daily
    index.push(level)
  }
  return index
}

/** (realised + unrealised - fees) / the most capital that was ever in, in percent. */
function netRoiPercent(curve: EquityCurve, note: Note): string | null {
  if (curve.days.length === 0) return note('netRoiPercent', 'NO_DATA')
  const { opening, closing, totals } = curve
  const unrealised = closing.equity - closing.cost - (opening.equity - opening.cost)
  const profit = totals.realised + unrealised - totals.separateFees
  const capital = capitalDeployed(curve)
  if (capital <= 0n) return note('netRoiPercent', 'NO_CAPITAL')
  return formatDecimal((100n * profit * one) / capital)
}

/** Opening equity and all that came in: swaps alone show no withdrawal, so the sum is the maximum. */
export function capitalDeployed(curve: EquityCurve): Scaled {
  let capital = curve.opening.equity
  for (const { inflow } of curve.days) capital += inflow
  return capital
}

function growthMetrics(
  input: {
    readonly returns: readonly number[]
    readonly index: readonly number[]
    readonly drawdown: Drawdown | undefined
    readonly algorithm: Algorithm
  },
  note: Note,
) {
  const { returns, index, drawdown, algorithm } = input
  const level = index.at(-1)
  if (level === undefined || returns.length === 0) {
    return {
      totalReturn: note('totalReturn', 'NO_DATA'),
      cagr: note('cagr', 'NO_DATA'),
      calmar: note('calmar', 'NO_DATA'),
    }
  }
  const cagr = level ** (algorithm.periodsPerYear / returns.length) - 1
  const depth = drawdown?.depth ?? 0
  return {
    totalReturn: finite(level - 1, 'totalReturn', note),
    cagr: finite(cagr, 'cagr', note),
    calmar:
      depth === 0 ? note('calmar', 'NO_DRAWDOWN') : finite(cagr / Math.abs(depth), 'calmar', note),
  }
}

function sharpeMetrics(returns: readonly number[], algorithm: Algorithm, note: Note) {
  const { periodsPerYear, riskFreeRate, confidence } = algorithm
  const volatility = deviation(returns)
  const riskFree = (1 + riskFreeRate) ** (1 / periodsPerYear) - 1
  const excess = returns.map((daily) => daily - riskFree)
  const excessDeviation = deviation(excess)
  const shapeOf = shape(returns)
  const year = Math.sqrt(periodsPerYear)
  const isFlat = excessDeviation === undefined || shapeOf === undefined
  if (volatility === undefined || isFlat || isConstant(returns, excess)) {
    const code = returns.length < 2 ? 'TOO_FEW' : 'ZERO_VARIANCE'
    return {
      volatility: volatility === undefined ? note('volatility', 'TOO_FEW') : volatility * year,
      ...noSharpe,
      sharpe: note('sharpe', code),
    }
  }
  const sample = {
    sharpe: (mean(excess) ?? 0) / excessDeviation,
    periods: returns.length,
    ...shapeOf,
  }
  return {
    volatility: finite(volatility * year, 'volatility', note),
    sharpe: finite(sample.sharpe * year, 'sharpe', note),
    sharpePerPeriod: finite(sample.sharpe, 'sharpePerPeriod', note),
    skewness: finite(sample.skewness, 'skewness', note),
    kurtosis: finite(sample.kurtosis, 'kurtosis', note),
    sharpeSe: finite(sharpeError(sample) * year, 'sharpeSe', note),
    psr: probabilisticSharpe(sample, 0) ?? note('psr', 'OUT_OF_RANGE'),
    minTrackRecordDays:
      minimumTrackRecord(sample, { benchmark: 0, confidence }) ??
      note('minTrackRecordDays', 'NOT_ABOVE_BENCHMARK'),
  }
}

/** Without a Sharpe ratio nothing that judges it; the ratio's own reason speaks for all of them. */
const noSharpe = {
  sharpe: null,
  sharpePerPeriod: null,
  skewness: null,
  kurtosis: null,
  sharpeSe: null,
  psr: null,
  minTrackRecordDays: null,
} as const

function downsideMetrics(returns: readonly number[], algorithm: Algorithm, note: Note) {
  const { acceptableReturn, periodsPerYear } = algorithm
  const average = mean(returns)
  if (average === undefined) {
    return {
      downsideDeviation: note('downsideDeviation', 'NO_DATA'),
      sortino: note('sortino', 'NO_DATA'),
    }
  }
  let squares = 0
  for (const daily of returns) squares += Math.min(daily - acceptableReturn, 0) ** 2
  // All periods count, not only the bad ones.
  const downside = Math.sqrt(squares / returns.length) * Math.sqrt(periodsPerYear)
  const sortino = ((average - acceptableReturn) * periodsPerYear) / downside
  return {
    downsideDeviation: finite(downside, 'downsideDeviation', note),
    sortino: downside === 0 ? note('sortino', 'NO_DOWNSIDE') : finite(sortino, 'sortino', note),
  }
}

function drawdownMetrics(drawdown: Drawdown | undefined, points: number, note: Note) {
  if (drawdown === undefined) {
    return {
      maxDrawdown: note('maxDrawdown', 'NO_DATA'),
      ulcerIndex: note('ulcerIndex', 'NO_DATA'),
      recoveryDaysMax: note('recoveryDaysMax', 'NO_DATA'),
      underwaterDays: null,
    }
  }
  const { underwaterFrom } = drawdown
  return {
    maxDrawdown: drawdown.depth,
    ulcerIndex: drawdown.ulcerIndex,
    recoveryDaysMax: drawdown.recoveryPeriodsMax ?? note('recoveryDaysMax', 'NOT_RECOVERED'),
    underwaterDays: underwaterFrom === undefined ? null : points - 1 - underwaterFrom,
  }
}

/** Closures of exactly 0 are neither won nor lost. */
function closureMetrics(closures: readonly Scaled[], note: Note) {
  let wins = 0
  let losses = 0
  let won = 0n
  let lost = 0n
  for (const profit of closures) {
    if (profit > 0n) {
      wins += 1
      won += profit
    } else if (profit < 0n) {
      losses += 1
      lost += profit
    }
  }
  const decided = wins + losses
  const nothing = closures.length === 0 ? 'NO_CLOSED_TRADES' : 'NO_LOSSES'
  return {
    wins,
    losses,
    winRate: decided === 0 ? note('winRate', 'NO_CLOSED_TRADES') : wins / decided,
    winLossRatio: losses === 0 ? note('winLossRatio', nothing) : wins / losses,
    profitFactor: losses === 0 ? note('profitFactor', nothing) : ratio(won, absolute(lost)),
    expectancyUsd: expectancy(closures.length, decided, won + lost, note),
  }
}

function expectancy(closures: number, decided: number, total: Scaled, note: Note): string | null {
  if (closures === 0) return note('expectancyUsd', 'NO_CLOSED_TRADES')
  return decided === 0 ? '0' : formatDecimal(total / BigInt(decided))
}

function finite(value: number, metric: string, note: Note): number | null {
  return Number.isFinite(value) ? value : note(metric, 'OUT_OF_RANGE')
}
