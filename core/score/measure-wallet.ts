import { formatDecimal } from '../decimal.ts'
import { type Algorithm, type AlgorithmVersion, algorithms } from './algorithm.ts'
import type { CostBasis } from './cost-basis.ts'
import { dateOf, judgeEligibility, type Reason } from './eligibility.ts'
import { dayMs, type EquityCurve, equityCurve } from './equity.ts'
import { capitalDeployed, measureCurve } from './metrics.ts'
import type { Trade } from './trade.ts'
import type { Measurement, QualityFlag } from './wallet-score.ts'

export type ScoreOptions = {
  readonly costBasis: CostBasis
  readonly algorithmVersion: AlgorithmVersion
  /** The last UTC day that counts; later swaps are not looked at. */
  readonly endDate: string
}

/** Swaps of one wallet, in any order, each signature once, to all that can be said of it alone. */
export function measureWallet(
  wallet: string,
  trades: readonly Trade[],
  options: ScoreOptions,
): Measurement {
  const algorithm = algorithms[options.algorithmVersion]
  const lastDay = Date.parse(options.endDate) / dayMs
  const curve = equityCurve(inOrder(trades), {
    costBasis: options.costBasis,
    firstDay: lastDay - algorithm.windowDays + 1,
    lastDay,
  })
  const metrics = measureCurve(curve, algorithm)
  const { status, reasons } = judgeEligibility(curve, metrics, algorithm)
  return {
    ...heading(wallet, options, algorithm),
    history: historyOf(curve),
    books: booksOf(curve),
    openingEquityUsd: formatDecimal(curve.opening.equity),
    equity: equityOf(curve),
    metrics,
    dataQuality: qualityOf(curve),
    status,
    reasons: [...reasons],
  }
}

/** The measurement of a wallet whose swaps could not be read or reckoned with. */
export function unmeasured(wallet: string, options: ScoreOptions, reason: Reason): Measurement {
  return {
    ...measureWallet(wallet, [], options),
    status: 'calculation_error',
    reasons: [reason],
  }
}

function heading(wallet: string, options: ScoreOptions, algorithm: Algorithm) {
  const { algorithmVersion, costBasis, endDate } = options
  const { windowDays, periodsPerYear } = algorithm
  return { wallet, algorithmVersion, costBasis, endDate, windowDays, periodsPerYear }
}

/** By time; swaps of one instant stay in the order they were given in. */
function inOrder(trades: readonly Trade[]): readonly Trade[] {
  const isOrdered = trades.every((trade, index) => {
    const previous = trades[index - 1]
    return previous === undefined || previous.timeMs <= trade.timeMs
  })
  return isOrdered ? trades : trades.toSorted((a, b) => a.timeMs - b.timeMs)
}

function historyOf({ history, days }: EquityCurve): Measurement['history'] {
  const { firstTradeMs, lastTradeMs, ...counts } = history
  let tradesInWindow = 0
  for (const day of days) tradesInWindow += day.trades
  return {
    firstTradeAt: firstTradeMs === undefined ? null : new Date(firstTradeMs).toISOString(),
    lastTradeAt: lastTradeMs === undefined ? null : new Date(lastTradeMs).toISOString(),
    ...counts,
    tradesInWindow,
  }
}

function booksOf(curve: EquityCurve): Measurement['books'] {
  const { opening, closing, totals } = curve
  const unrealised = closing.equity - closing.cost - (opening.equity - opening.cost)
  return {
    realisedUsd: formatDecimal(totals.realised),
    unrealisedUsd: formatDecimal(unrealised),
    feesUsd: formatDecimal(totals.fees),
    separateFeesUsd: formatDecimal(totals.separateFees),
    unmatchedProceedsUsd: formatDecimal(totals.unmatchedProceeds),
    capitalUsd: formatDecimal(capitalDeployed(curve)),
    volumeInUsd: formatDecimal(totals.volumeIn),
  }
}

function equityOf({ days }: EquityCurve): Measurement['equity'] {
  return days.map((day) => ({
    date: dateOf(day.day),
    equityUsd: formatDecimal(day.equity),
    inflowUsd: formatDecimal(day.inflow),
    realisedUsd: formatDecimal(day.realised),
    volumeInUsd: formatDecimal(day.volumeIn),
    trades: day.trades,
    isPriceCarried: day.isPriceCarried,
  }))
}

function qualityOf({ history, days }: EquityCurve): QualityFlag[] {
  const flags: QualityFlag[] = []
  if (history.unmatchedSales > 0) flags.push('UNMATCHED_SALES')
  if (days.some((day) => day.isPriceCarried)) flags.push('PRICES_CARRIED_FORWARD')
  if (history.failed > 0) flags.push('FAILED_SWAPS')
  return flags
}
