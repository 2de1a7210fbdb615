import type { Sql } from 'postgres'
import { z } from 'zod'
import type { AuditJournal } from '../audit/journal.ts'
import { PosternError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { groupCommit, runOrSplit } from '../postgres/group-commit.ts'
import { type CommitObserver, observedCommit } from '../postgres/observed-commit.ts'
import { databaseOutage } from '../postgres/outage.ts'
import { insertAccepted, receiptsOf } from './accept-statement.ts'
import { dispatcher } from './dispatcher.ts'
import { findStoredAnswer, idempotencyMemory } from './idempotency.ts'
import type { Accepted, Intake, Submission } from './intake.ts'
import type { Delivery, JobQueue } from './job-queue.ts'
import { batchJobsMax } from './limits.ts'

/** Jobs that share one commit. More made convoys at 200 connections, fewer cost commits. */
export const jobsPerCommit = 32
/** Statements pipelined on the one connection, so that Postgres never waits for us. */
const batchesInFlightMax = 4
/** Requests that may wait for a commit: at 10,000/s about half a second's worth. */
const waitingMax = 5_000

export type PostgresIntakeOptions = CommitObserver & {
  /** A pool of exactly one connection: batches are pipelined on it. */
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly queue: JobQueue
  readonly log: Log
  readonly metrics: Metrics
  readonly now: () => Date
}

/** The durable intake: group commit into Postgres, dispatch after it. */
export function postgresIntake(options: PostgresIntakeOptions): Intake {
  const { sql, journal, metrics, now } = options
  const memory = idempotencyMemory()
  const dispatch = dispatcher(options)
  let isClosing = false

  async function commit(submissions: readonly Submission[]): Promise<readonly Accepted[]> {
    const outboxId = Bun.randomUUIDv7()
    const acceptedAt = now()
    const dispatchedOutboxIds = dispatch.takeDispatched()
    try {
      const batch = { outboxId, submissions, dispatchedOutboxIds, now: acceptedAt }
      await insertAccepted(sql, journal, batch)
    } catch (error) {
      dispatch.giveBack(dispatchedOutboxIds)
      throw error
    }
    dispatch.send(outboxId, submissions.flatMap(deliveriesOf))
    return submissions.map((submission) => ({
      receipts: receiptsOf(submission, acceptedAt),
      replayed: false,
    }))
  }

  const traceOf = (submission: Submission) => submission.caller.traceparent
  const observed = observedCommit(options, { name: 'accept', traceOf }, commit)
  const commits = groupCommit<Submission, Accepted>({
    run: (submissions) =>
      runOrSplit(submissions, observed, (error) => databaseOutage(error) !== undefined),
    batchMax: jobsPerCommit,
    weightOf: (submission) => submission.jobs.length,
    inFlightMax: batchesInFlightMax,
    waitingMax,
    refuse: () => new PosternError('gateway.overloaded', { retryAfterSeconds: 1 }),
  })

  async function acceptNew(submission: Submission): Promise<Accepted> {
    const startedMs = performance.now()
    try {
      const accepted = await commits.submit(submission)
      metrics.acceptSeconds.observe((performance.now() - startedMs) / 1_000)
      return accepted
    } catch (error) {
      const answer = await answerBehind(sql, submission, error)
      memory.remember(submission, answer)
      return { receipts: answer.receipts, replayed: true }
    }
  }

  async function accept(submission: Submission): Promise<Accepted> {
    if (isClosing) throw new PosternError('gateway.draining', { retryAfterSeconds: 1 })
    refuseEmptyOrHuge(submission)
    const { idempotency } = submission
    if (idempotency === undefined) return acceptNew(submission)
    const answer = memory.begin(submission)
    if (answer !== undefined) return { receipts: answer.receipts, replayed: true }
    try {
      const { receipts, replayed } = await acceptNew(submission)
      memory.remember(submission, { fingerprint: idempotency.fingerprint, receipts })
      return { receipts, replayed }
    } finally {
      memory.end(submission)
    }
  }

  async function close(): Promise<void> {
    isClosing = true
    await commits.idle()
    await dispatch.close()
  }

  return { accept, close }
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

/** What the key of a submission was answered before, where that is why it failed; else it throws. */
async function answerBehind(sql: Sql, submission: Submission, error: unknown) {
  const isTaken = sqlState(error) === uniqueViolation
  const answer = isTaken ? await findStoredAnswer(sql, submission).catch(rethrowPlain) : undefined
  if (answer === undefined) throw asPosternError(error)
  return answer
}

const uniqueViolation = '23505'
const withCode = z.object({ code: z.string() })

function sqlState(error: unknown): string | undefined {
  const parsed = withCode.safeParse(error)
  return parsed.success ? parsed.data.code : undefined
}

/** Classes 22, 23 and 54 are about the values: what was sent cannot be stored, now or later. */
function asPosternError(error: unknown): unknown {
  if (error instanceof PosternError) return error
  const outage = databaseOutage(error)
  if (outage !== undefined) return outage
  const state = sqlState(error)
  if (state !== undefined && /^(?:2[23]|54)/.test(state)) {
    return new PosternError('request.body_invalid', {
      detail: 'The database cannot store a value of this request.',
      reason: `sqlstate ${state}`,
      cause: error,
    })
  }
  return error
}

function rethrowPlain(error: unknown): never {
  throw asPosternError(error)
}

function refuseEmptyOrHuge(submission: Submission): void {
  const count = submission.jobs.length
  if (count >= 1 && count <= batchJobsMax) return
  throw new PosternError('request.body_invalid', {
    detail: `A batch holds 1 to ${batchJobsMax} jobs; this one holds ${count}.`,
  })
}
