import { setImmediate } from 'node:timers/promises'
import { dateOf } from './eligibility.ts'
import { dayMs } from './equity.ts'
import { measureWallet, type ScoreOptions } from './measure-wallet.ts'
import { formCohort, scoreMeasured } from './score-cohort.ts'
import type { Trade } from './trade.ts'
import type { Measurement, WalletScore } from './wallet-score.ts'

type Selection = Omit<ScoreOptions, 'endDate'> & { readonly endDate: string | undefined }

/**
 * Scores the wallets of one file against each other, best first. Ends with the last day in the file
 * unless told otherwise, so that the same file always gives the same scores.
 */
export async function scoreTrades(
  batches: AsyncIterable<readonly Trade[]>,
  { costBasis, algorithmVersion, endDate }: Selection,
  progress: (what: string) => void,
): Promise<WalletScore[]> {
  const wallets = new Map<string, Trade[]>()
  let rows = 0
  let latestMs = 0
  for await (const batch of batches) {
    for (const trade of batch) {
      const trades = wallets.get(trade.wallet)
      if (trades === undefined) wallets.set(trade.wallet, [trade])
      else trades.push(trade)
      latestMs = Math.max(latestMs, trade.timeMs)
    }
    rows += batch.length
    progress(`read ${rows} swaps of ${wallets.size} wallets`)
  }
  const lastDay = dateOf(Math.floor(latestMs / dayMs))
  const options = { costBasis, algorithmVersion, endDate: endDate ?? lastDay }
  const measurements: Measurement[] = []
  for (const [wallet, trades] of wallets) {
    measurements.push(measureWallet(wallet, trades, options))
    progress(`scored ${measurements.length} of ${wallets.size} wallets`)
    // Lets an interrupt through.
    await setImmediate()
  }
  const cohort = formCohort(`file-${options.endDate}`, measurements, options)
  const scores = measurements.map((measurement) => scoreMeasured(measurement, cohort))
  return scores.toSorted(byScore)
}

function byScore(a: WalletScore, b: WalletScore): number {
  const left = a.trustScoreScaled ?? '-1'
  const right = b.trustScoreScaled ?? '-1'
  return Number(right) - Number(left) || (a.wallet < b.wallet ? -1 : 1)
}
