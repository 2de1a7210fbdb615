import type { Job } from 'bullmq'
import { type BullWorker, openBullWorker, type QueueEngine } from '#core/job/bullmq-engine.ts'
import { canaryKindName, type JobKind } from '#core/job/kind.ts'
import type { Processor } from '#core/job/processor.ts'
import type { RunningNote } from '#core/job/run-store.ts'
import type { Log } from '#core/log.ts'
import { activeRuns } from './active-runs.ts'
import { type RunJobOptions, runJob } from './run-job.ts'

/**
 * A worker that died is noticed this long after: lock plus check. The lock must outlast the
 * longest block of the event loop; a cohort yields between wallets.
 */
const lockMs = 10_000
const stalledCheckMs = 5_000
/** Stalls before the engine gives a job up; Postgres then dispatches it anew, up to its own limit. */
const stalledMax = 3
const noteRunningMs = 250
/** After the deadline, time for aborted runs to put their jobs back. */
const abortGraceMs = 2_000

export type WorkersOptions = Omit<RunJobOptions, 'runs'> & {
  readonly engine: QueueEngine
  readonly processors: readonly Processor[]
  readonly noteRunning: (notes: readonly RunningNote[]) => Promise<void>
  /** Calls back with the id of each job that was cancelled; returns how to stop. */
  readonly onCancel: (listener: (jobId: string) => void) => () => void
  readonly onCanary: () => void
}

export type Workers = {
  /** Runs in progress. */
  active(): number
  /** Takes no more jobs, waits, aborts at the deadline what is left: it goes back to the queue. */
  drain(deadlineMs: number): Promise<void>
}

/** One BullMQ worker per kind. */
export function startWorkers(options: WorkersOptions): Workers {
  const { engine, processors, log } = options
  const runs = activeRuns(options.now)
  const workers = processors.map((processor) =>
    openWorker(options, processor.kind, runJob({ ...options, runs }, processor)),
  )
  workers.push(openCanaryWorker(engine, options.onCanary, log))
  for (const worker of workers) {
    worker.on('lockRenewalFailed', (jobIds) => {
      for (const jobId of jobIds) runs.abort(jobId, 'lock_lost')
    })
  }
  const stopListening = options.onCancel((jobId) => runs.abort(jobId, 'cancelled'))
  const noteTimer = setInterval(() => {
    const notes = runs.takeNotes()
    if (notes.length === 0) return
    options.noteRunning(notes).catch((error: unknown) => log.warn('job.note_failed', { error }))
  }, noteRunningMs)

  return {
    active: runs.count,
    async drain(deadlineMs) {
      const closed = Promise.allSettled(workers.map((worker) => worker.close()))
      if (!(await settlesWithin(closed, deadlineMs))) {
        log.warn('drain.deadline', { running: runs.count() })
        runs.abortAll('shutdown')
        await settlesWithin(closed, abortGraceMs)
      }
      clearInterval(noteTimer)
      stopListening()
    },
  }
}

function openWorker(
  { engine, log, metrics }: WorkersOptions,
  kind: JobKind,
  processor: (job: Job, token: string | undefined) => Promise<void>,
): BullWorker {
  const { firstMs, capMs } = kind.backoff
  const worker = openBullWorker(engine, kind.name, processor, {
    concurrency: kind.concurrency,
    lockDuration: lockMs,
    stalledInterval: stalledCheckMs,
    maxStalledCount: stalledMax,
    settings: { backoffStrategy: (attempt) => cappedBackoffMs(attempt, firstMs, capMs) },
  })
  worker.on('error', (error) => log.debug('worker.error', { kind: kind.name, error }))
  worker.on('stalled', (jobId) => {
    metrics.stalled.inc({ kind: kind.name })
    log.warn('job.stalled', { jobId, kind: kind.name })
  })
  return worker
}

/** Full jitter between half and all of the capped exponential, so that retries spread out. */
function cappedBackoffMs(attempt: number, firstMs: number, capMs: number): number {
  const ceilingMs = Math.min(capMs, firstMs * 2 ** Math.min(attempt - 1, 30))
  return Math.round(ceilingMs * (0.5 + Math.random() / 2))
}

function openCanaryWorker(engine: QueueEngine, onCanary: () => void, log: Log): BullWorker {
  const receive = (): Promise<void> => {
    onCanary()
    return Promise.resolve()
  }
  const worker = openBullWorker(engine, canaryKindName, receive, { concurrency: 1 })
  worker.on('error', (error) => log.debug('worker.error', { kind: canaryKindName, error }))
  return worker
}

async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), ms)
  const isSettled = await Promise.race([promise.then(() => true), late])
  clearTimeout(timer)
  return isSettled
}
