import type { Caller } from '../access/principal.ts'
import type { JobKind } from './kind.ts'

/** One job as it is asked for: parsed, within its kind's limits, not yet durable. */
export type NewJob = {
  /** UUIDv7, made by the gateway; its time is the time of acceptance. */
  readonly id: string
  readonly kind: JobKind
  readonly payload: unknown
  readonly priority: number
  readonly delayMs: number
  readonly attemptsMax: number
  readonly timeoutMs: number
  readonly callbackUrl: string | undefined
  readonly tag: string | undefined
}

export type IdempotencyKey = {
  readonly method: string
  /** The route template, so that `/v1/jobs/{kind}` counts once per kind value. */
  readonly route: string
  readonly key: string
  /** SHA-256 of the canonical payload, lower-case hex. */
  readonly fingerprint: string
}

/** What a caller is told, now or when the same key is used again. */
export type JobReceipt = {
  readonly id: string
  readonly kind: string
  /** RFC 3339, UTC. */
  readonly acceptedAt: string
}

export type Accepted = { readonly receipts: readonly JobReceipt[]; readonly replayed: boolean }

/** One request: all of its jobs are accepted or none. */
export type Submission = {
  readonly jobs: readonly NewJob[]
  readonly idempotency: IdempotencyKey | undefined
  readonly caller: Caller
}

/**
 * Durable intake. Safe concurrently: many submissions share one commit, and one that Postgres
 * refuses fails alone.
 */
export type Intake = {
  /**
   * Resolves after the commit that holds jobs, outbox, idempotency key and audit records; the
   * dispatch to the queue engine follows by itself, retried by the sweeper.
   * Throws `idempotency.in_flight` or `idempotency.mismatch`, `database.unavailable`,
   * `gateway.overloaded` (nothing stored), `request.body_invalid` for what Postgres cannot hold.
   */
  accept(submission: Submission): Promise<Accepted>
  /** Waits for what is in flight; later calls are refused with `gateway.draining`. */
  close(): Promise<void>
}
