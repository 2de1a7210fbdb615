import { parseDay } from '../../market/calendar-day.ts'
import { algorithms } from '../../score/algorithm.ts'
import type { EquityCurve } from '../../score/equity.ts'
import { type Metrics, measureCurve } from '../../score/metrics.ts'
import { formatMoney, type Money } from '../amount.ts'
import type { DailyPnl } from '../pnl.ts'
import type { DayRange } from './pnl-report.ts'

/** Trading days of a year at US exchanges; every ratio is annualised by it. */
const periodsPerYear = 252
const measure = { ...algorithms['xorj-1.0.0'], periodsPerYear }

/** Names of the metrics as callers see them. */
const metricNames = {
  totalReturn: 'total_return',
  cagr: 'cagr',
  volatility: 'volatility',
  sharpe: 'sharpe',
  sharpeSe: 'sharpe_se',
  psr: 'psr',
  downsideDeviation: 'downside_deviation',
  sortino: 'sortino',
  maxDrawdown: 'max_drawdown',
  calmar: 'calmar',
  ulcerIndex: 'ulcer_index',
  recoveryDaysMax: 'recovery_days_max',
  underwaterDays: 'underwater_days',
  winRate: 'win_rate',
  winLossRatio: 'win_loss_ratio',
  profitFactor: 'profit_factor',
} as const satisfies Partial<Record<keyof Metrics, string>>

type Name = (typeof metricNames)[keyof typeof metricNames]
type Reason = { readonly metric: string; readonly code: string; readonly detail?: string }

/**
 * What the daily equity says, ratios as fractions. A metric without an answer is null and has a
 * reason. A day without equity, because something held has no price, leaves all of them null.
 */
export function performanceReport(
  rows: readonly DailyPnl[],
  about: { readonly accounts: readonly string[]; readonly range: DayRange },
) {
  const { range, accounts } = about
  const curve = curveOf(rows)
  const document = {
    accounts: [...accounts],
    start_date: range.start,
    end_date: range.end,
    periods_per_year: periodsPerYear,
  }
  if (curve === undefined) {
    const unmarked = [...new Set(rows.flatMap((row) => row.unmarked))]
    const reason: Reason = { metric: 'equity', code: 'NO_MARK', detail: unmarked.join(' ') }
    const nothing = { days: Math.max(0, rows.length - 1), wins: 0, losses: 0 }
    return { ...document, ...nothing, ...moneyOf(undefined), ...ratios({}), reasons: [reason] }
  }
  const metrics = measureCurve(curve, measure)
  const { wins, losses, returns, reasons } = metrics
  return {
    ...document,
    days: returns,
    wins,
    losses,
    ...moneyOf(curve),
    ...ratios(metrics),
    reasons: reasons.flatMap(({ metric, code }): Reason[] => {
      const name = isNamed(metric) ? metricNames[metric] : undefined
      return name === undefined ? [] : [{ metric: name, code }]
    }),
  }
}

export type PerformanceReport = ReturnType<typeof performanceReport>

function isNamed(metric: string): metric is keyof typeof metricNames {
  return Object.hasOwn(metricNames, metric)
}

function ratios(metrics: Partial<Metrics>): Record<Name, number | null> {
  const value = (name: keyof typeof metricNames) => metrics[name] ?? null
  return {
    total_return: value('totalReturn'),
    cagr: value('cagr'),
    volatility: value('volatility'),
    sharpe: value('sharpe'),
    sharpe_se: value('sharpeSe'),
    psr: value('psr'),
    downside_deviation: value('downsideDeviation'),
    sortino: value('sortino'),
    max_drawdown: value('maxDrawdown'),
    calmar: value('calmar'),
    ulcer_index: value('ulcerIndex'),
    recovery_days_max: value('recoveryDaysMax'),
    underwater_days: value('underwaterDays'),
    win_rate: value('winRate'),
    win_loss_ratio: value('winLossRatio'),
    profit_factor: value('profitFactor'),
  }
}

function moneyOf(curve: EquityCurve | undefined) {
  return {
    start_equity: curve === undefined ? null : formatMoney(curve.opening.equity),
    end_equity: curve === undefined ? null : formatMoney(curve.closing.equity),
  }
}

/** As the metrics take it; nothing comes in from outside, and days that realised something are the trades. */
function curveOf(rows: readonly DailyPnl[]): EquityCurve | undefined {
  const marked = rows.flatMap(({ day, realised, fees, unrealised, equity }) =>
    unrealised === undefined || equity === undefined
      ? []
      : [{ number: parseDay(day) ?? 0, realised, fees, equity, cost: equity - unrealised }],
  )
  if (marked.length < rows.length) return undefined
  const nothing = { equity: 0n, cost: 0n }
  const days = marked.slice(1)
  const sum = (of: (day: (typeof days)[number]) => Money) =>
    days.reduce((total, day) => total + of(day), 0n)
  const fees = sum((day) => day.fees)
  return {
    days: days.map(({ number, equity, realised }) => ({
      ...{ day: number, equity, realised },
      ...{ inflow: 0n, volumeIn: 0n, trades: 0, isPriceCarried: false },
    })),
    opening: marked[0] ?? nothing,
    closing: marked.at(-1) ?? nothing,
    totals: {
      realised: sum((day) => day.realised),
      ...{ fees, separateFees: fees, unmatchedProceeds: 0n, volumeIn: 0n },
    },
    closures: days.map(({ realised }) => realised).filter((realised) => realised !== 0n),
    history: {
      ...{ trades: 0, failed: 0, wraps: 0, unmatchedSales: 0 },
      ...{ firstTradeMs: undefined, lastTradeMs: undefined },
    },
  }
}
