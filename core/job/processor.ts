import type { AuditRecord } from '../audit/record.ts'
import type { Effect } from '../postgres/effect.ts'
import type { JobKind } from './kind.ts'

/** One attempt at a job whose payload has been parsed again with its kind's schema. */
export type Attempt<Payload> = {
  readonly jobId: string
  readonly payload: Payload
  readonly attempt: number
  readonly attemptsMax: number
  readonly requestId: string
  readonly traceparent: string | undefined
}

/** What an attempt came to. It takes effect only if outcome and audit record commit with it. */
export type Work<Result> = {
  readonly result: Result
  /** Runs inside the transaction that stores the outcome; rolled back if the attempt was fenced. */
  readonly effect?: Effect
  /** Written in the same transaction, after the effect. */
  readonly records?: readonly AuditRecord[]
  /** For the audit record of completion: parameters and decisions, never secrets. */
  readonly details?: Readonly<Record<string, unknown>>
}

/**
 * Turns a payload into work. Throws a refusal (`PosternError`, status < 500) when the same input
 * will be refused again, an outage (503) when it may pass; passes `signal` to everything it awaits
 * and stops soon after it aborts. Holds no state between attempts.
 */
export type Processor<Payload = unknown, Result = unknown> = {
  readonly kind: JobKind<Payload, Result>
  process(attempt: Attempt<Payload>, signal: AbortSignal): Promise<Work<Result>>
}
