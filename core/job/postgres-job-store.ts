import type { Sql } from 'postgres'
import type { Actor } from '../access/principal.ts'
import type { AuditJournal } from '../audit/journal.ts'
import { PosternError } from '../errors.ts'
import { rethrowAsOutage } from '../postgres/outage.ts'
import { cancelJob } from './cancel-job.ts'
import { jobChanges } from './job-changes.ts'
import type { JobQueue } from './job-queue.ts'
import { findJob, type JobRow, jobColumns, jobOf, visibleTo } from './job-row.ts'
import type { JobSignals } from './job-signals.ts'
import type { Job, JobFilter, JobPage, JobStore, Visibility } from './job-store.ts'
import type { JobKind } from './kind.ts'
import { retryJobs } from './retry-jobs.ts'

/** A waiter looks again this often, should the notification have been lost. */
const lookAgainMs = 1_000

export type PostgresJobStoreOptions = {
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly queue: Pick<JobQueue, 'remove'>
  readonly kinds: ReadonlyMap<string, JobKind>
  readonly signals: JobSignals
  /** Called when a retried job is in the outbox. */
  readonly onOutbox: () => void
  readonly now: () => Date
}

export function postgresJobStore(options: PostgresJobStoreOptions): JobStore {
  const { sql, signals, now } = options

  const find = (id: string, visibility: Visibility): Promise<Job | undefined> =>
    findJob(sql, id, visibility).catch(rethrowAsOutage)

  async function waitFinished(
    id: string,
    visibility: Visibility,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<Job | undefined> {
    const deadline = now().getTime() + timeoutMs
    for (;;) {
      // Listening begins before the look, or an outcome between the two would be missed.
      const ended = new AbortController()
      const named = signals.wait('finished', id, {
        timeoutMs: lookAgainMs,
        signal: AbortSignal.any([signal, ended.signal]),
      })
      const job = await find(id, visibility)
      const leftMs = deadline - now().getTime()
      if (job === undefined || job.finishedAt !== undefined || leftMs <= 0 || signal.aborted) {
        ended.abort()
        return job
      }
      const timer = setTimeout(() => ended.abort(), leftMs)
      await named
      clearTimeout(timer)
    }
  }

  async function retry(id: string, visibility: Visibility, actor: Actor) {
    const job = await find(id, visibility)
    if (job === undefined) return undefined
    const count = await retryJobs(options, { ids: [id], actor }).catch(rethrowAsOutage)
    if (count === 0) {
      throw new PosternError('job.not_retryable', {
        detail: `Only a failed or cancelled job can be retried; this one is ${job.state}.`,
      })
    }
    return await find(id, visibility)
  }

  return {
    find,
    list: (filter, visibility) => listJobs(sql, filter, visibility).catch(rethrowAsOutage),
    waitFinished,
    cancel: (id, visibility, actor) =>
      cancelJob(options, { id, visibility, actor }).catch(rethrowAsOutage),
    retry,
    changes: (scope, visibility, stream) => jobChanges(options, { scope, visibility, ...stream }),
  }
}

/** Newest first; the cursor is the last id of the page, ids being in the order of acceptance. */
async function listJobs(sql: Sql, filter: JobFilter, visibility: Visibility): Promise<JobPage> {
  const { kind, state, subject, tag, since, until, cursor, limit } = filter
  const rows = await sql<JobRow[]>`
    select ${jobColumns(sql)} from postern_job
    where ${visibleTo(sql, visibility)}
      ${kind === undefined ? sql`` : sql`and kind = ${kind}`}
      ${state === undefined ? sql`` : sql`and state = ${state}`}
      ${subject === undefined ? sql`` : sql`and subject = ${subject}`}
      ${tag === undefined ? sql`` : sql`and tag = ${tag}`}
      ${since === undefined ? sql`` : sql`and accepted_at >= ${since}::text::timestamptz`}
      ${until === undefined ? sql`` : sql`and accepted_at < ${until}::text::timestamptz`}
      ${cursor === undefined ? sql`` : sql`and id < ${cursor}`}
    order by id desc limit ${limit + 1}`
  const page = rows.slice(0, limit)
  return {
    jobs: page.map(jobOf),
    next: rows.length > limit ? page.at(-1)?.id : undefined,
  }
}
