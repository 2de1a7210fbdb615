import type { Actor } from '../access/principal.ts'
import type { JobState } from './kind.ts'

/** A job as callers see it: from Postgres, never from the queue engine. Times are RFC 3339 UTC. */
export type Job = {
  readonly id: string
  readonly kind: string
  readonly state: JobState
  readonly issuer: string
  readonly subject: string
  readonly tag: string | undefined
  readonly priority: number
  readonly notBefore: string | undefined
  readonly attemptsMax: number
  readonly timeoutMs: number
  readonly callbackUrl: string | undefined
  readonly requestId: string
  readonly traceparent: string | undefined
  readonly acceptedAt: string
  readonly startedAt: string | undefined
  readonly finishedAt: string | undefined
  /** Times it was given to the queue engine; 1 unless retried or lost by the engine. */
  readonly dispatch: number
  /** Attempt of the newest run seen within the dispatch; 0 before the first. */
  readonly attempt: number
  readonly result: unknown
  /** RFC 9457 members `type`, `title`, `status`, `detail` of a failed or cancelled job. */
  readonly problem: unknown
}

/** Whose jobs may be seen: one owner's, or everybody's for `jobs:read:any` and operators. */
export type Visibility = 'any' | { readonly issuer: string; readonly subject: string }

export type JobFilter = {
  readonly kind?: string | undefined
  readonly state?: JobState | undefined
  /** Of any issuer. */
  readonly subject?: string | undefined
  readonly tag?: string | undefined
  /** RFC 3339 bounds of acceptance, inclusive and exclusive. */
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly limit: number
  /** Opaque; from the previous page. Newest first. */
  readonly cursor?: string | undefined
}

export type JobPage = { readonly jobs: readonly Job[]; readonly next: string | undefined }

export type CancelOutcome = {
  /** `too_late`: it had finished; `job` holds how. */
  readonly outcome: 'cancelled' | 'too_late'
  /**
   * What happened to a run in progress. `not_running`: none had begun. `aborted`: its worker
   * confirmed. `not_confirmed`: no answer in time; it can no longer have an effect.
   */
  readonly run: 'not_running' | 'aborted' | 'not_confirmed'
  readonly job: Job
}

/** One change of one job. `cursor` orders all changes of a kind by commit and resumes a stream. */
export type JobChange = { readonly cursor: string; readonly job: Job }

/** All methods throw `database.unavailable` when Postgres is away. */
export type JobStore = {
  find(id: string, visibility: Visibility): Promise<Job | undefined>
  list(filter: JobFilter, visibility: Visibility): Promise<JobPage>
  /** Resolves with the finished job, or as it stands when `timeoutMs` or the signal ends the wait. */
  waitFinished(
    id: string,
    visibility: Visibility,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<Job | undefined>
  cancel(id: string, visibility: Visibility, actor: Actor): Promise<CancelOutcome | undefined>
  /** A failed or cancelled job is accepted again under its id. Throws `job.not_retryable`. */
  retry(id: string, visibility: Visibility, actor: Actor): Promise<Job | undefined>
  /**
   * Changes after `cursor` (or from now on), in commit order, until the signal aborts. A job that
   * changes twice between two reads is delivered once, as it then stands.
   */
  changes(
    scope: { readonly job: string } | { readonly kind: string },
    visibility: Visibility,
    options: { readonly cursor: string | undefined; readonly signal: AbortSignal },
  ): AsyncIterable<JobChange>
}

export type QueueStatus = {
  readonly kind: string
  readonly paused: boolean
  /** From Postgres, the truth. */
  readonly accepted: number
  readonly running: number
  readonly failed: number
  readonly oldestAcceptedAt: string | undefined
  /** From the queue engine; undefined while it is away. */
  readonly engine: Readonly<Record<string, number>> | undefined
}

/** Operators' acts on a queue: each commits in Postgres with its audit record, the engine follows. */
export type QueueControl = {
  status(): Promise<readonly QueueStatus[]>
  pause(kind: string, actor: Actor): Promise<void>
  resume(kind: string, actor: Actor): Promise<void>
  /** Cancels every job of the kind that has not begun; returns how many. */
  drain(kind: string, actor: Actor): Promise<number>
  /** Retries every failed job of the kind, oldest first, at most `limit`; returns how many. */
  replayFailed(kind: string, limit: number, actor: Actor): Promise<number>
}
