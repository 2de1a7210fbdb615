import { DelayedError, type Job } from 'bullmq'
import { type ErrorCode, isRetryable, PosternError } from '#core/errors.ts'
import { dispatchedData, fenceOf } from '#core/job/dispatched.ts'
import type { JobKind } from '#core/job/kind.ts'
import type { Outcome, OutcomeWriter } from '#core/job/outcome-writer.ts'
import type { Processor } from '#core/job/processor.ts'
import type { Log } from '#core/log.ts'
import type { Metrics } from '#core/metrics.ts'
import type { TraceSpan, Tracing } from '#core/trace/tracing.ts'
import type { ActiveRun, ActiveRuns } from './active-runs.ts'
import {
  type AttemptFailure,
  describeFailure,
  endOfRetries,
  type FailureVerdict,
} from './attempt-failure.ts'

/** A postponed job comes back after this long, spread so that a restart is not met by a crowd. */
const postponeMs = 1_000
const postponeSpreadMs = 2_000

export type RunJobOptions = {
  readonly outcomes: OutcomeWriter
  /** True when Postgres says that nothing is left to do. */
  readonly isSettled: (jobId: string) => Promise<boolean>
  readonly confirmAborted: (jobId: string) => Promise<void>
  readonly runs: ActiveRuns
  readonly log: Log
  readonly metrics: Metrics
  readonly tracing?: Tracing | undefined
  readonly now: () => Date
}

type Delivered = ReturnType<typeof dispatchedData.parse>

/** How one kind's jobs are run: parse again, process, commit, and only then acknowledge. */
export function runJob(options: RunJobOptions, processor: Processor) {
  const { runs, metrics, tracing } = options
  const { kind } = processor

  // Two parameters, or BullMQ makes a signal of its own for each job; nothing here cancels by it.
  return async (job: Job, token: string | undefined): Promise<void> => {
    const sent = dispatchedData.parse(job.data)
    const jobId = job.id ?? ''
    const span = tracing?.begin('attempt', sent.traceparent)
    // What the run leads to is below it in the trace.
    const delivered = span === undefined ? sent : { ...sent, traceparent: span.traceparent }
    const isFirst = delivered.dispatch === 1 && job.attemptsStarted === 1
    const fence = fenceOf(delivered.dispatch, job.attemptsStarted)
    const { timeoutMs } = delivered
    const run = runs.begin({ jobId, fence, timeoutMs })
    if (isFirst) metrics.startSeconds.observe({ kind: kind.name }, waitedSeconds(job, run))
    const ended = await endOf(options, { processor, job, delivered, run, isFirst }).finally(run.end)
    report(options, { kind, run, delivered, outcome: ended.outcome })
    if (span !== undefined) endSpan(span, { kind, run, delivered, ended })
    await answerEngine(options, { job, token, run, ended })
  }
}

type Ended =
  | { readonly outcome: 'completed' | 'fenced' }
  | { readonly outcome: FailureVerdict; readonly code: ErrorCode }

async function endOf(options: RunJobOptions, input: AttemptInput): Promise<Ended> {
  const { run, isFirst } = input
  try {
    // A job that comes again may have ended: its acknowledgement was lost, or the engine's memory.
    if (!isFirst && (await run.untilAborted(options.isSettled(run.jobId)))) {
      return { outcome: 'fenced' }
    }
    const isStored = await attempt(options, input)
    return { outcome: isStored ? 'completed' : 'fenced' }
  } catch (error) {
    return await conclude(options, input, error)
  }
}

type AttemptInput = {
  readonly processor: Processor
  readonly job: Job
  readonly delivered: Delivered
  readonly run: ActiveRun
  /** First start of the first dispatch. */
  readonly isFirst: boolean
}

async function attempt(options: RunJobOptions, input: AttemptInput): Promise<boolean> {
  const { processor, job, delivered, run } = input
  const { kind } = processor
  const parsed = kind.payload.safeParse(delivered.payload)
  if (!parsed.success) {
    throw new PosternError('job.payload_refused', { reason: parsed.error.message })
  }
  const work = await run.untilAborted(
    processor.process(
      {
        jobId: run.jobId,
        payload: parsed.data,
        attempt: job.attemptsMade + 1,
        attemptsMax: job.opts.attempts ?? 1,
        requestId: delivered.requestId,
        traceparent: delivered.traceparent,
      },
      run.signal,
    ),
  )
  const outcome = outcomeOf(options, { kind, run, delivered }, 'completed')
  const completed = { ...outcome, result: work.result, details: work.details }
  const { effect, records = [] } = work
  const isStored = await (effect === undefined
    ? options.outcomes.write(completed)
    : options.outcomes.writeWith(completed, { effect, records }))
  if (isStored) options.metrics.finished.inc({ kind: kind.name, state: 'completed' })
  return isStored
}

function outcomeOf(
  { now }: RunJobOptions,
  input: { readonly kind: JobKind; readonly run: ActiveRun; readonly delivered: Delivered },
  state: Outcome['state'],
): Outcome {
  const { kind, run, delivered } = input
  return {
    jobId: run.jobId,
    kind: kind.name,
    fence: run.fence,
    attempt: run.attempt,
    state,
    result: null,
    problem: null,
    reason: undefined,
    startedAt: run.startedAt,
    finishedAt: now(),
    requestId: delivered.requestId,
    traceparent: delivered.traceparent,
    details: undefined,
  }
}

/** Decides what becomes of a failed attempt and stores a final failure. */
async function conclude(
  options: RunJobOptions,
  input: AttemptInput,
  error: unknown,
): Promise<Ended> {
  const { job, run, processor } = input
  const kind = processor.kind.name
  const attemptsLeft = (job.opts.attempts ?? 1) - job.attemptsMade - 1
  const failure = describeFailure(error, run, attemptsLeft)
  const { verdict, code } = failure
  const fields = { jobId: run.jobId, kind, code, verdict, error }
  if (code === 'internal') options.log.error('job.bug', fields)
  else options.log.warn('job.attempt_failed', fields)
  options.metrics.attemptsFailed.inc({ kind, code })
  const isOpen = verdict === 'final' && !(await storeFailure(options, input, failure))
  return { outcome: isOpen ? 'postponed' : verdict, code }
}

/** False when Postgres is away: the job comes back and is decided again. */
async function storeFailure(
  options: RunJobOptions,
  input: AttemptInput,
  failure: AttemptFailure,
): Promise<boolean> {
  try {
    await writeFailure(options, input, failure)
    return true
  } catch (error) {
    if (error instanceof PosternError && isRetryable(error)) return false
    // Postgres cannot hold the detail of the problem. The job ends all the same, without it.
    const bare = describeFailure(error, input.run, 0)
    options.log.error('job.problem_unstorable', { jobId: input.run.jobId, error })
    return await writeFailure(options, input, bare).then(() => true)
  }
}

async function writeFailure(
  options: RunJobOptions,
  { processor, run, delivered }: AttemptInput,
  { code, problem }: AttemptFailure,
): Promise<void> {
  const { kind } = processor
  const outcome = outcomeOf(options, { kind, run, delivered }, 'failed')
  const isStored = await options.outcomes.write({ ...outcome, problem, reason: code })
  if (isStored) options.metrics.finished.inc({ kind: kind.name, state: 'failed' })
}

/** Returning completes the job in the engine; what is thrown says what else to do with it. */
async function answerEngine(
  options: RunJobOptions,
  input: {
    readonly job: Job
    readonly token: string | undefined
    readonly run: ActiveRun
    readonly ended: Ended
  },
): Promise<void> {
  const { job, token, run, ended } = input
  switch (ended.outcome) {
    case 'completed':
    case 'fenced':
      return
    case 'postponed':
      // Back into the queue without spending an attempt.
      await job.moveToDelayed(Date.now() + postponeMs + Math.random() * postponeSpreadMs, token)
      throw new DelayedError()
    case 'cancelled':
      await options.confirmAborted(run.jobId).catch(() => undefined)
      throw endOfRetries(ended.code)
    case 'final':
      throw endOfRetries(ended.code)
    case 'dropped':
    case 'retried':
      throw new Error(ended.code)
  }
}

function endSpan(
  span: TraceSpan,
  {
    kind,
    run,
    delivered,
    ended,
  }: {
    readonly kind: JobKind
    readonly run: ActiveRun
    readonly delivered: Delivered
    readonly ended: Ended
  },
): void {
  const { outcome } = ended
  span.rename(`run ${kind.name}`)
  const fields = {
    'postern.kind': kind.name,
    'postern.job_id': run.jobId,
    'postern.request_id': delivered.requestId,
    'postern.attempt': run.attempt,
    'postern.outcome': outcome,
  }
  if ('code' in ended) span.fail(ended.code, fields)
  else span.end(fields)
}

function waitedSeconds(job: Job, run: ActiveRun): number {
  return Math.max(0, run.startedAt.getTime() - job.timestamp - (job.opts.delay ?? 0)) / 1_000
}

function report(
  { log, metrics, now }: RunJobOptions,
  end: {
    readonly kind: JobKind
    readonly run: ActiveRun
    readonly delivered: Delivered
    readonly outcome: string
  },
): void {
  const { kind, run, delivered, outcome } = end
  const durationMs = now().getTime() - run.startedAt.getTime()
  metrics.runSeconds.observe({ kind: kind.name, outcome }, durationMs / 1_000)
  log.info('job.attempt', {
    jobId: run.jobId,
    kind: kind.name,
    attempt: run.attempt,
    outcome,
    durationMs,
    requestId: delivered.requestId,
    traceparent: delivered.traceparent,
  })
}
