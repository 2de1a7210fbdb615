import { type AuditRecord, systemRecord } from '../audit/record.ts'
import { algorithms } from './algorithm.ts'
import type { WalletScore } from './wallet-score.ts'

/**
 * What an auditor has to see of a score: how it was reckoned, and against which criteria the
 * wallet was judged. The days of the equity curve stand in the job's result.
 */
export function scoreRecords(
  scores: readonly WalletScore[],
  job: { readonly jobId: string; readonly requestId: string; readonly at: Date },
): readonly AuditRecord[] {
  return scores.flatMap((score) => {
    const { wallet, status, reasons, equity, cohort, ...calculation } = score
    const about = {
      at: job.at,
      target: `wallet/${wallet}`,
      requestId: job.requestId,
    }
    return [
      systemRecord({
        ...about,
        id: Bun.randomUUIDv7(),
        type: 'score.calculated',
        outcome: 'ok',
        details: {
          ...calculation,
          jobId: job.jobId,
          cohort: cohort?.id ?? null,
          equityDays: equity.length,
        },
      }),
      systemRecord({
        ...about,
        id: Bun.randomUUIDv7(),
        type: 'score.eligibility',
        outcome: status === 'eligible' ? 'ok' : 'refused',
        reason: status,
        details: {
          jobId: job.jobId,
          criteria: algorithms[score.algorithmVersion],
          reasons,
        },
      }),
    ]
  })
}
