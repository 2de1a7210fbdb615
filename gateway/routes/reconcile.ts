import { z } from 'zod'
import type { Intake } from '#core/job/intake.ts'
import type { AccountDirectory } from '#core/order/desk/account-directory.ts'
import { reconcileAccountKind, reconcileAccountResult } from '#core/order/kinds.ts'
import { answer } from '../answer.ts'
import { callerOf } from '../context.ts'
import { defineRoute, type Route } from '../route.ts'
import type { Waiting } from '../wait-finished.ts'

/** Seconds; an account that was reconciled a minute ago takes milliseconds. */
const waitSeconds = 30

const answerSchema = z.object({
  status: z.enum(['completed', 'failed', 'running']),
  job_id: z.uuid(),
  result: reconcileAccountResult.optional(),
})

export type ReconcileDependencies = {
  readonly intake: Intake
  readonly directory: AccountDirectory
}

/** Reconciliation runs by itself; this is for who wants to see it now. */
export function reconcileRoute(
  { intake, directory }: ReconcileDependencies,
  waits: Waiting,
): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/reconcile',
    zone: 'v1',
    scope: 'orders:write',
    priority: 'last',
    operationId: 'reconcile-account',
    summary: 'Hold an account against its venue',
    description:
      'Orders, fills, positions and cash. Fills that are missing here are replayed; what still differs freezes its symbol. With a date all fills of that trading day are compared, else those since the last time.',
    query: z.strictObject({
      account: z.string().max(64).optional(),
      reconciliation_date: z.iso.date().optional(),
    }),
    answers: {
      200: {
        description: 'What was found, or the job that is still looking',
        schema: answerSchema,
      },
    },
    refusals: [
      'account.not_authorized',
      'job.queue_full',
      'gateway.overloaded',
      'database.unavailable',
    ],
    async handle(c, { query }) {
      const caller = callerOf(c)
      const { principal } = caller
      const { id: account } = await directory.tradedAccount(principal, query.account)
      const day = query.reconciliation_date
      const kind = reconcileAccountKind
      const { receipts } = await intake.accept({
        jobs: [
          {
            id: Bun.randomUUIDv7(),
            kind,
            payload: { account, ...(day === undefined ? {} : { reconciliation_date: day }) },
            priority: kind.priority,
            delayMs: 0,
            attemptsMax: kind.attemptsMax,
            timeoutMs: kind.timeoutMs,
            callbackUrl: undefined,
            tag: undefined,
          },
        ],
        idempotency: undefined,
        caller,
      })
      const id = receipts[0]?.id ?? ''
      const job = await waits.forJob(c, id, principal, waitSeconds)
      const isDone = job?.finishedAt !== undefined
      return answer(c, 200, {
        status: isDone ? (job.state === 'completed' ? 'completed' : 'failed') : 'running',
        job_id: id,
        result: isDone && job.state === 'completed' ? job.result : undefined,
      })
    },
  })
}
