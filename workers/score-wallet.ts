import { PosternError } from '#core/errors.ts'
import type { Processor } from '#core/job/processor.ts'
import { scoreOptionsOf } from '#core/score/defaults.ts'
import { type ScoreWalletPayload, scoreWalletKind } from '#core/score/kinds.ts'
import { measureWallet, type ScoreOptions, unmeasured } from '#core/score/measure-wallet.ts'
import { postgresScoreStore, storeScores } from '#core/score/postgres-score-store.ts'
import {
  postgresTradeStore,
  type TradeStore,
  type TradeStoreOptions,
  tooManyTrades,
} from '#core/score/postgres-trade-store.ts'
import { scoreMeasured } from '#core/score/score-cohort.ts'
import { scoreRecords } from '#core/score/score-records.ts'
import { tradeOf } from '#core/score/trade.ts'
import type { Measurement, WalletScore } from '#core/score/wallet-score.ts'

/** Scores one wallet, by the swaps it was sent or by the ingested ones, in the reference cohort. */
export function scoreWallet({
  sql,
  journal,
  now,
}: TradeStoreOptions): Processor<ScoreWalletPayload, WalletScore> {
  const trades = postgresTradeStore({ sql, journal, now })
  const scores = postgresScoreStore({ sql })
  return {
    kind: scoreWalletKind,
    async process({ jobId, payload, requestId }, signal) {
      const at = now()
      const options = scoreOptionsOf(payload, at)
      refuseFuture(options, at)
      const cohort = await scores.referenceCohort(options)
      signal.throwIfAborted()
      const score = scoreMeasured(await measure(trades, payload, options), cohort)
      signal.throwIfAborted()
      const { wallet, status, trustScore, reasons } = score
      return {
        result: score,
        effect: (transaction) =>
          storeScores(transaction, { scores: [score], cohort: undefined, jobId, at }),
        records: scoreRecords([score], { jobId, requestId, at }),
        details: {
          ...options,
          wallet,
          status,
          trustScore,
          reasons: reasons.map(({ code }) => code),
        },
      }
    },
  }
}

async function measure(
  trades: TradeStore,
  { wallet, swaps }: ScoreWalletPayload,
  options: ScoreOptions,
): Promise<Measurement> {
  if (swaps !== undefined) {
    const inline = swaps.map((swap) => tradeOf(wallet, swap))
    return measureWallet(wallet, inline, options)
  }
  const stored = await trades.tradesOf(wallet, options.endDate)
  if (stored === undefined) return unmeasured(wallet, options, tooManyTrades)
  return measureWallet(wallet, stored, options)
}

/** A window that has not ended would be scored anew every day. */
export function refuseFuture({ endDate }: ScoreOptions, now: Date): void {
  if (Date.parse(endDate) <= now.getTime()) return
  const detail = `endDate ${endDate} lies in the future.`
  throw new PosternError('job.payload_refused', { detail })
}
