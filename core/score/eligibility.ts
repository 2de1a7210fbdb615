import { absolute, one, parseDecimal } from '../decimal.ts'
import type { Algorithm } from './algorithm.ts'
import { dayMs, type EquityCurve } from './equity.ts'
import type { Metrics } from './metrics.ts'

/** In the order of precedence: the first rule that fails is the status, all are reasons. */
export const eligibilityStatuses = [
  'no_data',
  'insufficient_history',
  'insufficient_trades',
  'extreme_roi_spike',
  'calculation_error',
  'eligible',
] as const
export type EligibilityStatus = (typeof eligibilityStatuses)[number]

/** Why a wallet is not eligible, or why an eligible one has no score. */
export const reasonCodes = [
  'NO_TRADES',
  'HISTORY_TOO_SHORT',
  'TOO_FEW_TRADES',
  'TOO_FEW_TRADES_IN_WINDOW',
  'EXTREME_ROI_SPIKE',
  'METRIC_MISSING',
  'TOO_MANY_TRADES',
  'CALCULATION_FAILED',
  'COHORT_TOO_SMALL',
  'COHORT_WITHOUT_SPREAD',
] as const
export type ReasonCode = (typeof reasonCodes)[number]
export type Reason = { readonly code: ReasonCode; readonly detail: string }

export type Eligibility = {
  readonly status: EligibilityStatus
  readonly reasons: readonly Reason[]
}

/** Judges a wallet by its own history and window; never by the window that was asked for. */
export function judgeEligibility(
  curve: EquityCurve,
  metrics: Metrics,
  algorithm: Algorithm,
): Eligibility {
  const { trades } = curve.history
  if (trades === 0) {
    const reason = { code: 'NO_TRADES', detail: 'no swap up to the end date' } as const
    return { status: 'no_data', reasons: [reason] }
  }
  const failures = [
    ...historyFailure(curve, algorithm),
    ...countFailures(curve, algorithm),
    ...spikeFailure(curve, algorithm),
    ...metricFailure(metrics),
  ]
  const [first] = failures
  return {
    status: first?.status ?? 'eligible',
    reasons: failures.map(({ code, detail }) => ({ code, detail })),
  }
}

type Failure = Reason & { readonly status: EligibilityStatus }

/** Whole periods of 24 hours between the wallet's own first and last trade. */
function historyFailure({ history }: EquityCurve, algorithm: Algorithm): Failure[] {
  const { firstTradeMs = 0, lastTradeMs = 0 } = history
  const days = Math.floor((lastTradeMs - firstTradeMs) / dayMs)
  if (days >= algorithm.historyDaysMin) return []
  const detail = `${days} whole days from first to last trade, ${algorithm.historyDaysMin} needed`
  return [{ status: 'insufficient_history', code: 'HISTORY_TOO_SHORT', detail }]
}

function countFailures(curve: EquityCurve, algorithm: Algorithm): Failure[] {
  const failures: Failure[] = []
  const { trades } = curve.history
  const status = 'insufficient_trades'
  if (trades < algorithm.tradesMin) {
    const detail = `${trades} trades, ${algorithm.tradesMin} needed`
    failures.push({ status, code: 'TOO_FEW_TRADES', detail })
  }
  let inWindow = 0
  for (const day of curve.days) inWindow += day.trades
  if (inWindow < algorithm.windowTradesMin) {
    const detail = `${inWindow} trades in the ${algorithm.windowDays} days to the end date, ${algorithm.windowTradesMin} needed`
    failures.push({ status, code: 'TOO_FEW_TRADES_IN_WINDOW', detail })
  }
  return failures
}

/** Realised P&L over what was put in, per UTC day of the window; exactly the limit passes. */
function spikeFailure(curve: EquityCurve, algorithm: Algorithm): Failure[] {
  const limit = parseDecimal(algorithm.dailyRoiMax)
  for (const { day, realised, volumeIn } of curve.days) {
    if (absolute(realised) * one > limit * volumeIn) {
      const detail = `realised P&L of ${dateOf(day)} is above ${algorithm.dailyRoiMax} of its volume`
      return [{ status: 'extreme_roi_spike', code: 'EXTREME_ROI_SPIKE', detail }]
    }
  }
  return []
}

function metricFailure(metrics: Metrics): Failure[] {
  const { sharpe, netRoiPercent, maxDrawdown } = metrics
  const scored = { sharpe, netRoiPercent, maxDrawdown }
  const missing = Object.entries(scored).filter(([, value]) => value === null)
  if (missing.length === 0) return []
  const causes = missing.map(([metric]) => {
    const cause = metrics.reasons.find((reason) => reason.metric === metric)
    return `${metric} (${cause?.code ?? 'unknown'})`
  })
  const detail = `no value for ${causes.join(', ')}`
  return [{ status: 'calculation_error', code: 'METRIC_MISSING', detail }]
}

export function dateOf(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10)
}
