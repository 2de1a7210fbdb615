import type { Sql } from 'postgres'
import { PosternError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Intake, Submission } from './intake.ts'
import { unfinishedPerSubjectMax } from './limits.ts'

/** Between two counts; what this process accepted since the last one is added. */
const countMs = 2_000
/** Subjects below half of the limit cannot reach it between two counts of one process. */
const watchedFrom = unfinishedPerSubjectMax / 2
const retryAfterSeconds = 5

export type Backlog = {
  /** Throws `job.queue_full` when a subject has too many unfinished jobs of a kind. */
  admit(submission: Submission): void
  close(): void
}

/**
 * Keeps one subject from filling a queue. The count is a few seconds old and each gateway adds only
 * its own jobs to it, so several gateways together may pass the limit by seconds' worth.
 */
export function watchBacklog(options: {
  readonly sql: Sql
  readonly log: Log
  readonly limit?: number
}): Backlog {
  const { sql, log, limit = unfinishedPerSubjectMax } = options
  let counted = new Map<string, number>()
  let accepted = new Map<string, number>()
  let isCounting = false

  async function count(): Promise<void> {
    const acceptedBefore = accepted
    accepted = new Map()
    try {
      const rows = await sql<{ kind: string; issuer: string; subject: string; jobs: number }[]>`
        select kind, issuer, subject, count(*)::integer as jobs from postern_job
        where finished_at is null group by kind, issuer, subject
        having count(*) >= ${Math.min(watchedFrom, limit / 2)}`
      counted = new Map(rows.map((row) => [keyOf(row.kind, row), row.jobs]))
    } catch (error) {
      for (const [key, jobs] of acceptedBefore) add(accepted, key, jobs)
      log.warn('backlog.uncounted', { error })
    }
  }

  const timer = setInterval(() => {
    if (isCounting) return
    isCounting = true
    void count().finally(() => {
      isCounting = false
    })
  }, countMs)

  return {
    admit({ jobs, caller }) {
      const byKind = Map.groupBy(jobs, (job) => job.kind.name)
      const asked = [...byKind].map(([kind, some]) => ({
        kind,
        key: keyOf(kind, caller.principal),
        jobs: some.length,
      }))
      for (const { kind, key, jobs: more } of asked) {
        const unfinished = (counted.get(key) ?? 0) + (accepted.get(key) ?? 0)
        if (unfinished + more > limit) throw queueFull(kind, limit)
      }
      for (const { key, jobs: more } of asked) add(accepted, key, more)
    },
    close: () => clearInterval(timer),
  }
}

/** An intake that asks the backlog first. */
export function boundedIntake(intake: Intake, backlog: Backlog): Intake {
  return {
    async accept(submission) {
      backlog.admit(submission)
      return await intake.accept(submission)
    },
    close: () => intake.close(),
  }
}

function keyOf(
  kind: string,
  { issuer, subject }: { readonly issuer: string; readonly subject: string },
): string {
  return `${kind} ${issuer} ${subject}`
}

function add(counts: Map<string, number>, key: string, jobs: number): void {
  counts.set(key, (counts.get(key) ?? 0) + jobs)
}

function queueFull(kind: string, limit: number): PosternError {
  return new PosternError('job.queue_full', {
    detail: `At most ${limit} unfinished jobs of kind ${kind} are yours to have; wait for some to end.`,
    retryAfterSeconds,
  })
}
