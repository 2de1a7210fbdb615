import type { Sql } from 'postgres'
import { PosternError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { groupCommit, type Settled } from '../postgres/group-commit.ts'
import { traceDispatch } from '../trace/trace-dispatch.ts'
import type { Tracing } from '../trace/tracing.ts'
import type { Delivery, JobQueue } from './job-queue.ts'

/** Accepted batches that share one call to the engine: a round trip costs more than a job. */
const batchesPerSendMax = 8
/** One at a time: what is accepted meanwhile shares the next call, a hundred jobs instead of thirty. */
const sendsInFlightMax = 1
/**
 * How long a call keeps the next one waiting. A call costs as much as ten jobs, so under load fewer
 * and larger ones are a third cheaper; a lone job still leaves at once.
 */
const sendPauseMs = 2
/** Accepted batches that may wait for a call; what exceeds this is left to the sweeper. */
const batchesWaitingMax = 64
/** How long a finished outbox row may stay when no further batch comes to take it away. */
const tidyMs = 500

export type Dispatcher = {
  /** Hands a committed batch to the engine; a failure leaves its outbox row for the sweeper. */
  send(outboxId: string, deliveries: readonly Delivery[]): void
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
  readonly tracing?: Tracing | undefined
}): Dispatcher {
  const { sql, queue, log, metrics, tracing } = options
  let dispatched: string[] = []
  let tidyTimer: Timer | undefined
  let tidying = Promise.resolve()
  const sends = groupCommit<Batch, void>({
    run: sendBatches,
    batchMax: batchesPerSendMax,
    inFlightMax: sendsInFlightMax,
    waitingMax: batchesWaitingMax,
    refuse: () => new PosternError('queue.unavailable', { reason: 'too many batches waiting' }),
  })

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
      // A row that the sweeper holds is the sweeper's: waiting for it would hold up what is accepted next.
      await sql`
        delete from postern_outbox where id in (
          select id from postern_outbox where id = any(${[...ids]}::uuid[]) for update skip locked)`
    } catch {
      // The sweeper finds the rows, sends again, and the engine ignores what it has.
      dispatched.push(...ids)
    }
  }

  async function sendBatches(batches: readonly Batch[]): Promise<readonly Settled<void>[]> {
    const traced = traceDispatch(
      tracing,
      batches.flatMap((batch) => batch.deliveries),
    )
    await queue.add(traced.deliveries).catch((error: unknown) => {
      traced.fail(error)
      throw error
    })
    traced.end()
    await Bun.sleep(sendPauseMs)
    for (const batch of batches) dispatched.push(batch.outboxId)
    tidyTimer ??= setTimeout(() => {
      tidying = tidy()
    }, tidyMs)
    return batches.map(() => ({ ok: true, value: undefined }))
  }

  return {
    send(outboxId, deliveries) {
      const byKind = Map.groupBy(deliveries, (delivery) => delivery.kind.name)
      for (const [kind, some] of byKind) metrics.accepted.inc({ kind }, some.length)
      sends.submit({ outboxId, deliveries }).catch((error: unknown) => {
        metrics.dispatchFailures.inc()
        log.warn('dispatch.failed', { jobs: deliveries.length, error })
      })
    },
    takeDispatched,
    giveBack: (ids) => {
      dispatched.push(...ids)
    },
    async close() {
      await sends.idle()
      clearTimeout(tidyTimer)
      // One under way has taken ids along, and gives them back where it fails.
      await tidying
      await tidy()
    },
  }
}

type Batch = { readonly outboxId: string; readonly deliveries: readonly Delivery[] }
