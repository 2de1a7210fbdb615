import { z } from 'zod'
import { algorithmVersionSchema } from './algorithm.ts'
import { costBases } from './cost-basis.ts'
import { eligibilityStatuses, reasonCodes } from './eligibility.ts'
import { metricReasons } from './metrics.ts'

const decimalText = z.string().meta({ description: 'Decimal text', example: '41.25' })
const ratio = z.number().nullable()
const count = z.int().nonnegative()

export const dateSchema = z.iso
  .date('must be a date such as 2026-01-31')
  .meta({ description: 'UTC calendar date', example: '2026-01-31' })
export const costBasisSchema = z.enum(costBases)

const metricsSchema = z.object({
  totalReturn: ratio,
  netRoiPercent: decimalText.nullable(),
  cagr: ratio,
  volatility: ratio,
  sharpe: ratio,
  sharpePerPeriod: ratio,
  skewness: ratio,
  kurtosis: ratio,
  sharpeSe: ratio,
  psr: ratio,
  minTrackRecordDays: ratio,
  downsideDeviation: ratio,
  sortino: ratio,
  maxDrawdown: ratio,
  calmar: ratio,
  ulcerIndex: ratio,
  recoveryDaysMax: ratio,
  underwaterDays: ratio,
  wins: count,
  losses: count,
  winRate: ratio,
  winLossRatio: ratio,
  profitFactor: ratio,
  expectancyUsd: decimalText.nullable(),
  returns: count,
  reasons: z.array(z.object({ metric: z.string(), code: z.enum(metricReasons) })).readonly(),
})

const historySchema = z.object({
  firstTradeAt: z.string().nullable(),
  lastTradeAt: z.string().nullable(),
  trades: count,
  tradesInWindow: count,
  failed: count,
  wraps: count,
  unmatchedSales: count,
})

const booksSchema = z.object({
  realisedUsd: decimalText,
  unrealisedUsd: decimalText,
  /** All fees of the window; they are in costs and proceeds already, but for those of failed swaps. */
  feesUsd: decimalText,
  separateFeesUsd: decimalText,
  unmatchedProceedsUsd: decimalText,
  capitalUsd: decimalText,
  volumeInUsd: decimalText,
})

const equityDaySchema = z.object({
  date: z.string(),
  equityUsd: decimalText,
  inflowUsd: decimalText,
  realisedUsd: decimalText,
  volumeInUsd: decimalText,
  trades: count,
  isPriceCarried: z.boolean(),
})

const qualityFlags = ['UNMATCHED_SALES', 'PRICES_CARRIED_FORWARD', 'FAILED_SWAPS'] as const

const reasonSchema = z.object({ code: z.enum(reasonCodes), detail: z.string() })

/** One wallet measured alone: the same swaps always give the same measurement. */
const measurementSchema = z.object({
  wallet: z.string(),
  algorithmVersion: algorithmVersionSchema,
  costBasis: costBasisSchema,
  endDate: z.string(),
  windowDays: count,
  periodsPerYear: count,
  history: historySchema,
  books: booksSchema,
  openingEquityUsd: decimalText,
  equity: z.array(equityDaySchema),
  metrics: metricsSchema,
  dataQuality: z.array(z.enum(qualityFlags)),
  status: z.enum(eligibilityStatuses),
  reasons: z.array(reasonSchema),
})
export type Measurement = z.infer<typeof measurementSchema>
export type QualityFlag = (typeof qualityFlags)[number]

const boundsSchema = z.object({ min: decimalText, max: decimalText })

/** What a wallet was measured against. */
export const cohortSchema = z.object({
  id: z.string(),
  algorithmVersion: algorithmVersionSchema,
  costBasis: costBasisSchema,
  endDate: z.string(),
  /** Eligible wallets; the bounds are theirs. */
  size: count,
  screened: count,
  bounds: z
    .object({ sharpe: boundsSchema, roiPercent: boundsSchema, drawdownPercent: boundsSchema })
    .nullable(),
  /** Wallets with a Sharpe ratio and the deviation of those ratios per period. */
  trials: z.object({ count, sharpeDeviation: z.number() }),
})
export type Cohort = z.infer<typeof cohortSchema>

export const walletScoreSchema = measurementSchema.extend({
  trustScore: decimalText.nullable(),
  trustScoreScaled: decimalText.nullable(),
  performanceScore: decimalText.nullable(),
  riskPenalty: decimalText.nullable(),
  normalised: z
    .object({ sharpe: decimalText, roiPercent: decimalText, drawdownPercent: decimalText })
    .nullable(),
  /** Probability that the Sharpe ratio is not the luckiest of all wallets screened. */
  dsr: ratio,
  cohort: cohortSchema.nullable(),
})
walletScoreSchema.register(z.globalRegistry, { title: 'WalletScore' })
export type WalletScore = z.infer<typeof walletScoreSchema>
