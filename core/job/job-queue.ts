import type { JobKind } from './kind.ts'

/** What the queue engine carries; Postgres holds the same and more. */
export type Delivery = {
  readonly id: string
  readonly kind: JobKind
  readonly payload: unknown
  readonly dispatch: number
  readonly priority: number
  readonly delayMs: number
  readonly attemptsMax: number
  readonly timeoutMs: number
  readonly requestId: string
  readonly traceparent: string | undefined
}

/**
 * The queue engine: it dispatches, it decides nothing. All calls are bounded in time and throw
 * `queue.unavailable` when the engine is away; an add that timed out may still have happened.
 */
export type JobQueue = {
  readonly backend: 'redis' | 'postgres'
  /** Adding a job that is still there changes nothing; one that is gone is delivered again. */
  add(deliveries: readonly Delivery[]): Promise<void>
  /** Removes what has not begun. False when it is running; true also for what is not held. */
  remove(kind: JobKind, id: string): Promise<boolean>
  /** Which of these the engine does not hold. */
  missing(kind: JobKind, ids: readonly string[]): Promise<readonly string[]>
  /** Does nothing when it is so already. */
  setPaused(kind: JobKind, paused: boolean): Promise<void>
  counts(kind: JobKind): Promise<Readonly<Record<string, number>>>
  /** Sends the canary job; the worker that receives it answers by `postern_process.canary_at`. */
  ping(): Promise<void>
  close(): Promise<void>
}
