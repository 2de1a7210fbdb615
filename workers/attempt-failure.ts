import { UnrecoverableError } from 'bullmq'
import { type ErrorCode, errorCatalog, isRetryable, PosternError } from '#core/errors.ts'
import type { ActiveRun } from './active-runs.ts'

/**
 * `cancelled`: the outcome stands in Postgres already. `dropped`: another worker has the job.
 * `postponed`: nothing was wrong with the job, no attempt is spent. `retried`: the engine backs
 * off. `final`: the outcome is failed.
 */
export type FailureVerdict = 'cancelled' | 'dropped' | 'postponed' | 'retried' | 'final'

export type AttemptFailure = {
  readonly verdict: FailureVerdict
  readonly code: ErrorCode
  readonly problem: Readonly<Record<string, unknown>>
}

/** Reads what went wrong and decides, once, what becomes of the job. */
export function describeFailure(
  error: unknown,
  run: Pick<ActiveRun, 'abortReason'>,
  attemptsLeft: number,
): AttemptFailure {
  const reason = run.abortReason()
  const code = codeOf(error, reason === 'timed_out')
  const { title, status } = errorCatalog[code]
  const detail = error instanceof PosternError ? error.detail : undefined
  const errors = error instanceof PosternError ? error.errors : undefined
  const problem = { type: `/problems/${code}`, title, status, detail, errors }
  return { verdict: verdictOf(error, code, reason, attemptsLeft), code, problem }
}

function codeOf(error: unknown, hasTimedOut: boolean): ErrorCode {
  if (hasTimedOut) return 'job.timed_out'
  return error instanceof PosternError ? error.code : 'internal'
}

/** Postgres, or the log in it, cannot hold the outcome: the job has nothing to do with it. */
const postponing: ReadonlySet<ErrorCode> = new Set(['database.unavailable', 'audit.unavailable'])

function verdictOf(
  error: unknown,
  code: ErrorCode,
  reason: ReturnType<ActiveRun['abortReason']>,
  attemptsLeft: number,
): FailureVerdict {
  if (reason === 'cancelled') return 'cancelled'
  if (reason === 'lock_lost') return 'dropped'
  if (reason === 'shutdown' || postponing.has(code)) return 'postponed'
  if (reason !== 'timed_out' && error instanceof PosternError && !isRetryable(error)) return 'final'
  return attemptsLeft > 0 ? 'retried' : 'final'
}

/** Tells BullMQ not to try again. It takes no cause: the original was logged before. */
export function endOfRetries(code: ErrorCode): UnrecoverableError {
  return new UnrecoverableError(code)
}
