import { z } from 'zod'

/** Everything a score depends on besides the swaps; a stored score names the version. */
export type Algorithm = {
  /** Decimal fractions that add up to 1. */
  readonly weights: { readonly sharpe: string; readonly roi: string; readonly drawdown: string }
  readonly windowDays: number
  /** Periods in a year: tokens trade every day. Used for annualising and for the risk-free rate. */
  readonly periodsPerYear: number
  /** A year, as a fraction. */
  readonly riskFreeRate: number
  /** Least acceptable return of a period, for downside deviation and Sortino. */
  readonly acceptableReturn: number
  readonly historyDaysMin: number
  readonly tradesMin: number
  /** Our own rule: an old wallet that fell silent has nothing to be measured by. */
  readonly windowTradesMin: number
  /** A day's realised P&L as a fraction of what was put in; strictly above is a spike. */
  readonly dailyRoiMax: string
  /** Fewer wallets give no bounds to normalise with. */
  readonly cohortMin: number
  /** Confidence of the minimum track record. */
  readonly confidence: number
}

const xorj: Omit<Algorithm, 'weights'> = {
  windowDays: 90,
  periodsPerYear: 365,
  riskFreeRate: 0,
  acceptableReturn: 0,
  historyDaysMin: 90,
  tradesMin: 50,
  windowTradesMin: 10,
  dailyRoiMax: '0.5',
  cohortMin: 20,
  confidence: 0.95,
}

export const algorithmVersions = ['xorj-1.0.0', 'xorj-1.0.0-safety'] as const
export type AlgorithmVersion = (typeof algorithmVersions)[number]
export const algorithmVersionSchema = z.enum(algorithmVersions)

export const algorithms: Readonly<Record<AlgorithmVersion, Algorithm>> = {
  'xorj-1.0.0': { ...xorj, weights: { sharpe: '0.40', roi: '0.25', drawdown: '0.35' } },
  'xorj-1.0.0-safety': { ...xorj, weights: { sharpe: '0.40', roi: '0.15', drawdown: '0.45' } },
}
