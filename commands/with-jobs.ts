import { PosternError } from '#core/errors.ts'
import { postgresJobSignals } from '#core/job/job-signals.ts'
import type { JobStore, QueueControl } from '#core/job/job-store.ts'
import { postgresJobStore } from '#core/job/postgres-job-store.ts'
import { postgresQueueControl } from '#core/job/postgres-queue-control.ts'
import { silentLog } from '#core/log.ts'
import type { CommandIo } from './command-io.ts'
import { jobKinds } from './job-kinds.ts'
import { operator, withOperatorLog } from './operator-log.ts'

type Jobs = { readonly jobs: JobStore; readonly queues: QueueControl; readonly by: string }

/**
 * From a terminal no engine is reached: what is cancelled stays there and is fenced when its turn
 * comes, what is paused the reconciler pauses, and what is accepted again the sweeper sends.
 */
const farQueue = {
  remove: () => Promise.resolve(false),
  setPaused: () => Promise.resolve(),
  counts: () => Promise.resolve({}),
}

/** Throws `job.not_found`. */
export function found<Answer>(answer: Answer | undefined): Answer {
  if (answer !== undefined) return answer
  throw new PosternError('job.not_found', { detail: 'Nor was there one within its retention.' })
}

/** The jobs in Postgres, for an act at a terminal. */
export async function withJobs(io: CommandIo, run: (given: Jobs) => Promise<void>): Promise<void> {
  const by = operator()
  await withOperatorLog(io, 'jobs', by, async ({ sql, journal, now, connect }) => {
    const signals = await postgresJobSignals({
      ...{ open: connect, log: silentLog(), channels: ['finished', 'aborted'] },
    })
    const onOutbox = () => undefined
    const stores = { sql, journal, queue: farQueue, kinds: jobKinds, signals, onOutbox, now }
    try {
      await run({ jobs: postgresJobStore(stores), queues: postgresQueueControl(stores), by })
    } finally {
      await signals.close()
    }
  })
}
