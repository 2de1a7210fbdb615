import { Worker } from 'bullmq'
import { Redis } from 'ioredis'
import type { Metrics } from '#core/metrics.ts'
import { openWorking, probeKind } from '#test/support/job-engine.ts'

/**
 * Works off a backlog and prints the time from its first job to its last as `{ ms }`.
 *
 *   bun test/bench/work-side.ts ours|bare <concurrency> <jobs>
 */
const [side = '', concurrencyText = '', jobsText = ''] = process.argv.slice(2)
const { POSTERN_DATABASE_URL: postgresUrl = '', POSTERN_REDIS_URL: redisUrl = '' } = process.env
const concurrency = Number(concurrencyText)
const jobs = Number(jobsText)

if (side === 'ours') await workOurs()
else await workBare()

async function workOurs(): Promise<void> {
  let startedAt = 0
  const kind = { ...probeKind, concurrency }
  const working = await openWorking({ postgresUrl, redisUrl }, [
    {
      kind,
      process: () => {
        if (startedAt === 0) startedAt = performance.now()
        return Promise.resolve({ result: null })
      },
    },
  ])
  // BullMQ has been told too, as on the other side, when no run is left and all are stored.
  while (!(await allFinished(working.metrics))) await Bun.sleep(2)
  tell(performance.now() - startedAt)
  await working.close()
  process.exit(0)
}

async function allFinished({ finished }: Metrics): Promise<boolean> {
  const { values } = await finished.get()
  return values.some((counted) => counted.value >= jobs)
}

async function workBare(): Promise<void> {
  const done = Promise.withResolvers<void>()
  let startedAt = 0
  let count = 0
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null })
  const worker = new Worker(
    'bare',
    async () => {
      if (startedAt === 0) startedAt = performance.now()
    },
    { connection, concurrency },
  )
  worker.on('completed', () => {
    count += 1
    if (count === jobs) done.resolve()
  })
  await done.promise
  tell(performance.now() - startedAt)
  await worker.close()
  process.exit(0)
}

function tell(ms: number): void {
  process.stdout.write(`${JSON.stringify({ ms })}\n`)
}
