import {
  type CheckDriftOptions,
  checkDrift as check,
  isNews,
  resultOf,
} from '#core/drift/check-drift.ts'
import {
  type CheckDriftPayload,
  type CheckDriftResult,
  checkDriftKind,
} from '#core/drift/check-drift-kind.ts'
import { applyDriftStep } from '#core/drift/postgres-drift.ts'
import { deliverWebhookKind } from '#core/job/deliver-webhook-kind.ts'
import { insertOwnJobs } from '#core/job/own-jobs.ts'
import type { Processor } from '#core/job/processor.ts'
import type { Effect } from '#core/postgres/effect.ts'

/** What it has seen commits with its outcome; when something was opened or resolved, a webhook too. */
export function checkDrift(
  options: CheckDriftOptions & {
    /** Where to tell of it, as the deployment says. */
    readonly callbackUrl: string | undefined
  },
): Processor<CheckDriftPayload, CheckDriftResult> {
  const { callbackUrl, now } = options
  return {
    kind: checkDriftKind,
    async process({ jobId, payload, requestId, traceparent }, signal) {
      const steps = await check(options, { sources: payload.sources, by: `job ${jobId}`, signal })
      const result = resultOf(steps)
      const effect: Effect = async (transaction) => {
        for (const step of steps) await applyDriftStep(transaction, step)
        if (callbackUrl === undefined || !steps.some(isNews)) return
        const told = { kind: deliverWebhookKind, payload: { jobId, url: callbackUrl } }
        await insertOwnJobs(transaction, [{ ...told, requestId, traceparent }], now())
      }
      return { result, effect, records: steps.flatMap((step) => step.records), details: result }
    },
  }
}
