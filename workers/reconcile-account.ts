import type { Processor } from '#core/job/processor.ts'
import { type ReconcileOptions, reconcileAccount as reconcile } from '#core/order/desk/reconcile.ts'
import {
  type ReconcileAccountPayload,
  type ReconcileAccountResult,
  reconcileAccountKind,
} from '#core/order/kinds.ts'

/** Commits as it goes; its result is a report of what was found. */
export function reconcileAccount(
  options: ReconcileOptions,
): Processor<ReconcileAccountPayload, ReconcileAccountResult> {
  return {
    kind: reconcileAccountKind,
    async process({ payload }, signal) {
      const { account, reconciliation_date: day } = payload
      const result = await reconcile(options, { account, day, signal })
      return { result, details: { account, mismatches: result.mismatches.length } }
    },
  }
}
