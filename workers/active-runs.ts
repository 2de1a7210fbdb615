import { PosternError } from '#core/errors.ts'
import { attemptOf } from '#core/job/dispatched.ts'
import type { RunningNote } from '#core/job/run-store.ts'

/** Why a run was aborted; it decides what becomes of the job. */
export type AbortReason = 'timed_out' | 'cancelled' | 'shutdown' | 'lock_lost'

export type ActiveRun = {
  readonly jobId: string
  readonly fence: bigint
  readonly attempt: number
  readonly startedAt: Date
  readonly signal: AbortSignal
  /** Undefined while nothing has aborted the run. */
  readonly abortReason: () => AbortReason | undefined
  readonly abort: (reason: AbortReason) => void
  /** Settles with the work, or rejects as soon as the run is aborted, cooperative or not. */
  readonly untilAborted: <Result>(work: Promise<Result>) => Promise<Result>
  readonly end: () => void
}

/** Shorter runs are not worth a commit that says they are running. */
const noteAfterMs = 250

/** The runs of this process: aborted by timeout, cancellation, shutdown or a lost lock. */
export function activeRuns(now: () => Date) {
  const runs = new Map<string, ActiveRun>()
  const noted = new WeakSet<ActiveRun>()

  return {
    begin(options: {
      readonly jobId: string
      readonly fence: bigint
      readonly timeoutMs: number
    }): ActiveRun {
      const { jobId, fence, timeoutMs } = options
      const controller = new AbortController()
      const { signal } = controller
      let reason: AbortReason | undefined
      let onAbort: ((error: unknown) => void) | undefined
      const abort = (why: AbortReason) => {
        reason ??= why
        controller.abort(new PosternError(why === 'timed_out' ? 'job.timed_out' : 'job.cancelled'))
        onAbort?.(signal.reason)
      }
      const timer = setTimeout(() => abort('timed_out'), timeoutMs)
      const run: ActiveRun = {
        jobId,
        fence,
        attempt: attemptOf(fence),
        startedAt: now(),
        signal,
        abortReason: () => reason,
        abort,
        // By callback: a listener on the signal costs a short job more than all the rest of this.
        untilAborted: (work) =>
          new Promise((resolve, reject) => {
            if (signal.aborted) reject(signal.reason)
            onAbort = reject
            work.then(resolve, reject)
          }),
        end() {
          clearTimeout(timer)
          if (runs.get(jobId) === run) runs.delete(jobId)
        },
      }
      runs.set(jobId, run)
      return run
    },
    abort: (jobId: string, reason: AbortReason) => runs.get(jobId)?.abort(reason),
    abortAll(reason: AbortReason): void {
      for (const run of runs.values()) run.abort(reason)
    },
    /** Runs that have become worth telling others about, each once. */
    takeNotes(): RunningNote[] {
      const before = now().getTime() - noteAfterMs
      const due = [...runs.values()].filter(
        (run) => run.startedAt.getTime() <= before && !noted.has(run),
      )
      for (const run of due) noted.add(run)
      return due
    },
    count: () => runs.size,
  }
}

export type ActiveRuns = ReturnType<typeof activeRuns>
