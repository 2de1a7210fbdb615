import type { z } from 'zod'

/**
 * A job kind is what gateway and workers share: its name is also its queue's name.
 * Everything about how it is run is decided here, each number with its reason at the declaration.
 */
export type JobKind<Payload = unknown, Result = unknown> = {
  /** Lower-case words and dashes; also the queue name (BullMQ forbids `:`). */
  readonly name: string
  /** Undefined for kinds that only Postern itself enqueues. */
  readonly scope: string | undefined
  readonly summary: string
  readonly payload: z.ZodType<Payload>
  /** A payload for the API page, as it is sent. */
  readonly example?: unknown
  readonly result: z.ZodType<Result>
  /** What the record of acceptance keeps of a payload; never a secret, at most a few KiB. */
  parameters?(payload: Payload): Readonly<Record<string, unknown>>
  readonly attemptsMax: number
  readonly backoff: { readonly firstMs: number; readonly capMs: number }
  readonly timeoutMs: number
  readonly retentionDays: number
  /** 0 is first. A caller may ask for a later place, never for an earlier one. */
  readonly priority: number
  /** How many run at once in one worker process. */
  readonly concurrency: number
  /** Whether an operator may have one made by the clock. */
  readonly schedulable?: true
}

export function defineJobKind<Payload, Result>(
  kind: JobKind<Payload, Result>,
): JobKind<Payload, Result> {
  return kind
}

export const jobStates = ['accepted', 'running', 'completed', 'failed', 'cancelled'] as const
export type JobState = (typeof jobStates)[number]

/** The queue of the job that proves, every few seconds, that jobs come through. */
export const canaryKindName = 'canary'
