import type { Sql } from 'postgres'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { Submission } from './intake.ts'
import type { Delivery, JobQueue } from './job-queue.ts'

/** Batches on their way to the engine at once; what exceeds this is left to the sweeper. */
const sendsInFlightMax = 64
/** How long a finished outbox row may stay when no further batch comes to take it away. */
const tidyMs = 500

export type Dispatcher = {
  /** Hands a committed batch to the engine; a failure leaves its outbox row for the sweeper. */
  send(outboxId: string, submissions: readonly Submission[]): void
  /** Outbox rows whose jobs the engine has; the next accepting statement deletes them. */
  takeDispatched(): readonly string[]
  giveBack(ids: readonly string[]): void
  close(): Promise<void>
}

/** The first dispatch of accepted jobs, right after their commit. */
export function dispatcher(options: {
  readonly sql: Sql
  readonly queue: JobQueue
  readonly log: Log
  readonly metrics: Metrics
}): Dispatcher {
  const { sql, queue, log, metrics } = options
  let dispatched: string[] = []
  const underWay = new Set<Promise<void>>()
  let tidyTimer: Timer | undefined

  function takeDispatched(): readonly string[] {
    const taken = dispatched
    dispatched = []
    return taken
  }

  async function tidy(): Promise<void> {
    tidyTimer = undefined
    const ids = takeDispatched()
    if (ids.length === 0) return
    try {
      await sql`delete from postern_outbox where id = any(${[...ids]}::uuid[])`
    } catch {
      // The sweeper finds the rows, sends again, and the engine ignores what it has.
      dispatched.push(...ids)
    }
  }

  async function sendBatch(outboxId: string, deliveries: readonly Delivery[]): Promise<void> {
    try {
      await queue.add(deliveries)
      dispatched.push(outboxId)
      tidyTimer ??= setTimeout(() => void tidy(), tidyMs)
    } catch (error) {
      metrics.dispatchFailures.inc()
      log.warn('dispatch.failed', { jobs: deliveries.length, error })
    }
  }

  return {
    send(outboxId, submissions) {
      const deliveries = submissions.flatMap((submission) => deliveriesOf(submission))
      for (const { kind } of deliveries) metrics.accepted.inc({ kind: kind.name })
      if (underWay.size >= sendsInFlightMax) return
      const sending = sendBatch(outboxId, deliveries).finally(() => underWay.delete(sending))
      underWay.add(sending)
    },
    takeDispatched,
    giveBack: (ids) => {
      dispatched.push(...ids)
    },
    async close() {
      await Promise.allSettled(underWay)
      clearTimeout(tidyTimer)
      await tidy()
    },
  }
}

function deliveriesOf(submission: Submission): Delivery[] {
  return submission.jobs.map((job) => ({
    id: job.id,
    kind: job.kind,
    payload: job.payload,
    dispatch: 1,
    priority: job.priority,
    delayMs: job.delayMs,
    attemptsMax: job.attemptsMax,
    timeoutMs: job.timeoutMs,
    requestId: submission.caller.requestId,
    traceparent: submission.caller.traceparent,
  }))
}
