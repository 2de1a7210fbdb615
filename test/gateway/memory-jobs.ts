import { PosternError } from '#core/errors.ts'
import type { Accepted, Intake, NewJob, Submission } from '#core/job/intake.ts'
import type { Job, JobChange, JobStore, QueueControl, Visibility } from '#core/job/job-store.ts'

const acceptedAt = '2026-03-01T09:30:00.000Z'

/** Intake, job store and queue control over one map, for tests of the HTTP side. */
export function memoryJobs() {
  const jobs = new Map<string, Job>()
  const submissions: Submission[] = []
  const answers = new Map<string, { readonly fingerprint: string; readonly accepted: Accepted }>()
  const waiters = new Set<() => void>()
  const changed: JobChange[] = []
  let outage: PosternError | undefined

  function store(job: Job): void {
    jobs.set(job.id, job)
    changed.push({ cursor: `${changed.length + 1}.${job.id}`, job })
    for (const wake of [...waiters]) wake()
  }

  function visible(id: string, visibility: Visibility): Job | undefined {
    const job = jobs.get(id)
    if (job === undefined || visibility === 'any') return job
    return job.subject === visibility.subject && job.issuer === visibility.issuer ? job : undefined
  }

  function changeWithin(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, timeoutMs)
    waiters.add(resolve)
    signal.addEventListener('abort', () => resolve())
    if (signal.aborted) resolve()
    return promise.finally(() => {
      clearTimeout(timer)
      waiters.delete(resolve)
    })
  }

  const intake: Intake = {
    async accept(submission) {
      if (outage !== undefined) throw outage
      const { idempotency } = submission
      const stored = idempotency && answers.get(idempotency.key)
      if (stored !== undefined && stored.fingerprint !== idempotency?.fingerprint) {
        throw new PosternError('idempotency.mismatch')
      }
      if (stored !== undefined) return { ...stored.accepted, replayed: true }
      submissions.push(submission)
      for (const job of submission.jobs) store(jobOf(job, submission))
      const receipts = submission.jobs.map(({ id, kind }) => ({ id, kind: kind.name, acceptedAt }))
      const accepted = { receipts, replayed: false }
      if (idempotency !== undefined) {
        answers.set(idempotency.key, { fingerprint: idempotency.fingerprint, accepted })
      }
      return accepted
    },
    close: () => Promise.resolve(),
  }

  const jobStore: JobStore = {
    find: async (id, visibility) => visible(id, visibility),
    async list(filter, visibility) {
      const matching = [...jobs.values()].filter(
        (job) =>
          visible(job.id, visibility) !== undefined &&
          (filter.kind ?? job.kind) === job.kind &&
          (filter.subject ?? job.subject) === job.subject &&
          (filter.state ?? job.state) === job.state,
      )
      return { jobs: matching.slice(0, filter.limit), next: undefined }
    },
    async waitFinished(id, visibility, { timeoutMs, signal }) {
      const job = visible(id, visibility)
      if (job === undefined || job.finishedAt !== undefined) return job
      await changeWithin(timeoutMs, signal)
      return visible(id, visibility)
    },
    async cancel(id, visibility) {
      const job = visible(id, visibility)
      if (job === undefined) return undefined
      if (job.finishedAt !== undefined) return { outcome: 'too_late', run: 'not_running', job }
      store({ ...job, state: 'cancelled', finishedAt: acceptedAt })
      return { outcome: 'cancelled', run: 'not_running', job: visible(id, visibility) ?? job }
    },
    async retry(id, visibility) {
      const job = visible(id, visibility)
      if (job === undefined) return undefined
      if (job.state !== 'failed') throw new PosternError('job.not_retryable')
      store({ ...job, state: 'accepted', finishedAt: undefined, dispatch: job.dispatch + 1 })
      return visible(id, visibility)
    },
    async *changes(scope, visibility, { cursor, signal }) {
      const start = 'job' in scope ? 0 : changed.length
      let at = cursor === undefined ? start : Number(cursor.split('.')[0])
      while (!signal.aborted) {
        const fresh = changed.slice(at)
        at = changed.length
        yield* fresh.filter(
          ({ job }) => isInScope(job, scope) && visible(job.id, visibility) !== undefined,
        )
        if (at === changed.length) await changeWithin(60_000, signal)
      }
    },
  }

  const acts: string[] = []
  function act(name: string, kind: string): void {
    if (kind !== 'score-wallet') throw new PosternError('queue.not_found')
    acts.push(`${name} ${kind}`)
  }
  const queues: QueueControl = {
    status: async () => [],
    pause: async (kind) => act('pause', kind),
    resume: async (kind) => act('resume', kind),
    async drain(kind) {
      act('drain', kind)
      return 3
    },
    async replayFailed(kind, limit) {
      act(`replay ${limit}`, kind)
      return 2
    },
  }

  return {
    intake,
    jobs: jobStore,
    queues,
    acts,
    submissions,
    store,
    finish(id: string, state: 'completed' | 'failed' = 'completed'): void {
      const job = jobs.get(id)
      if (job === undefined) throw new Error(`no job ${id}`)
      store({ ...job, state, finishedAt: acceptedAt, result: { score: '1.5' } })
    },
    /** Waits, bounded, for the first submission. */
    async firstSubmission(): Promise<Submission> {
      if (submissions.length === 0) await changeWithin(5_000, new AbortController().signal)
      const [first] = submissions
      if (first === undefined) throw new Error('nothing was submitted')
      return first
    },
    failWith(error: PosternError | undefined): void {
      outage = error
    },
  }
}

function isInScope(job: Job, scope: { readonly job: string } | { readonly kind: string }): boolean {
  return 'job' in scope ? job.id === scope.job : job.kind === scope.kind
}

function jobOf(job: NewJob, { caller }: Submission): Job {
  return {
    id: job.id,
    kind: job.kind.name,
    state: 'accepted',
    issuer: caller.principal.issuer,
    subject: caller.principal.subject,
    tag: job.tag,
    priority: job.priority,
    notBefore: undefined,
    attemptsMax: job.attemptsMax,
    timeoutMs: job.timeoutMs,
    callbackUrl: job.callbackUrl,
    requestId: caller.requestId,
    traceparent: caller.traceparent,
    acceptedAt,
    startedAt: undefined,
    finishedAt: undefined,
    dispatch: 1,
    attempt: 0,
    result: undefined,
    problem: undefined,
  }
}
