import { setImmediate } from 'node:timers/promises'
import type { Processor } from '#core/job/processor.ts'
import type { Log } from '#core/log.ts'
import { scoreOptionsOf } from '#core/score/defaults.ts'
import type { EligibilityStatus } from '#core/score/eligibility.ts'
import {
  type ScoreCohortPayload,
  type ScoreCohortResult,
  scoreCohortKind,
} from '#core/score/kinds.ts'
import { measureWallet, type ScoreOptions, unmeasured } from '#core/score/measure-wallet.ts'
import { storeScores } from '#core/score/postgres-score-store.ts'
import {
  postgresTradeStore,
  type TradeStore,
  type TradeStoreOptions,
  tooManyTrades,
} from '#core/score/postgres-trade-store.ts'
import { formCohort, scoreMeasured } from '#core/score/score-cohort.ts'
import { scoreRecords } from '#core/score/score-records.ts'
import type { Measurement, WalletScore } from '#core/score/wallet-score.ts'
import { refuseFuture } from './score-wallet.ts'

export type ScoreCohortOptions = TradeStoreOptions & { readonly log: Log }

/** Measures every wallet, then places them between their own extremes, all in one commit. */
export function scoreCohort(
  options: ScoreCohortOptions,
): Processor<ScoreCohortPayload, ScoreCohortResult> {
  const { sql, journal, now, log } = options
  const trades = postgresTradeStore({ sql, journal, now })
  return {
    kind: scoreCohortKind,
    async process({ jobId, payload, requestId }, signal) {
      const at = now()
      const score = scoreOptionsOf(payload, at)
      refuseFuture(score, at)
      const measurements: Measurement[] = []
      for await (const wallets of payload.wallets ? [payload.wallets] : trades.wallets()) {
        for (const wallet of wallets) {
          signal.throwIfAborted()
          measurements.push(await measureStored(trades, wallet, score, log))
          // Reckoning holds the event loop; the job's lock is renewed in between.
          await setImmediate()
        }
      }
      // The job's id is the cohort's: one batch, one cohort.
      const cohort = formCohort(jobId, measurements, score)
      const scores = measurements.map((measurement) => scoreMeasured(measurement, cohort))
      const result = summarise(cohort, scores)
      return {
        result,
        effect: (transaction) => storeScores(transaction, { scores, cohort, jobId, at }),
        records: scoreRecords(scores, { jobId, requestId, at }),
        details: { ...score, statuses: result.statuses, scored: result.scored },
      }
    },
  }
}

/** Whatever is wrong with one wallet becomes its status; only an outage stops the batch. */
async function measureStored(
  trades: TradeStore,
  wallet: string,
  options: ScoreOptions,
  log: Log,
): Promise<Measurement> {
  const stored = await trades.tradesOf(wallet, options.endDate)
  if (stored === undefined) return unmeasured(wallet, options, tooManyTrades)
  try {
    return measureWallet(wallet, stored, options)
  } catch (error) {
    log.error('score.wallet_failed', { wallet, error })
    const detail = 'a fault of ours while reckoning; it is in the log'
    return unmeasured(wallet, options, { code: 'CALCULATION_FAILED', detail })
  }
}

function summarise(
  cohort: ScoreCohortResult['cohort'],
  scores: readonly WalletScore[],
): ScoreCohortResult {
  const statuses: Partial<Record<EligibilityStatus, number>> = {}
  for (const { status } of scores) statuses[status] = (statuses[status] ?? 0) + 1
  const scored = scores.filter(({ trustScore }) => trustScore !== null).length
  return { cohort, statuses, scored }
}
