import { insertOwnJobs } from '#core/job/own-jobs.ts'
import type { Processor } from '#core/job/processor.ts'
import { exchangeDay, previousTradingDay, sessionOf } from '#core/market/session.ts'
import {
  type ReconcileAccountsResult,
  reconcileAccountKind,
  reconcileAccountsKind,
} from '#core/order/kinds.ts'

/** The jobs are accepted by the commit of this one's outcome; the sweeper sends them. */
export function reconcileAccounts(options: {
  /** Every account there is. */
  readonly accounts: () => Promise<readonly string[]>
  readonly now: () => Date
}): Processor<Record<string, never>, ReconcileAccountsResult> {
  const { accounts, now } = options
  return {
    kind: reconcileAccountsKind,
    async process({ requestId, traceparent }) {
      const at = now()
      const reconciliation_date = lastTradingDay(at.getTime())
      const jobs = (await accounts()).map((account) => ({
        ...{ kind: reconcileAccountKind, requestId, traceparent },
        payload: { account, reconciliation_date },
      }))
      const result = { accounts: jobs.length, reconciliation_date }
      if (jobs.length === 0) return { result, details: result }
      return {
        result,
        details: result,
        effect: (transaction) => insertOwnJobs(transaction, jobs, at),
      }
    },
  }
}

/** The last one whose session is over: a run that comes late still means it. */
function lastTradingDay(atMs: number): string {
  const day = exchangeDay(atMs)
  const session = sessionOf(atMs)
  if (session !== undefined && session.closeMs <= atMs) return day
  return previousTradingDay(day) ?? day
}
