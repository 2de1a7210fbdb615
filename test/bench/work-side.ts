import { Worker } from 'bullmq'
import { Redis } from 'ioredis'
import type { Metrics } from '#core/metrics.ts'
import { openWorking, probeKind } from '#test/support/job-engine.ts'

/**
 * Works off a backlog and prints as `{ ms }` the time from the start of the first job after those
 * for warming up until all are finished.
 *
 *   bun test/bench/work-side.ts ours|bare <concurrency> <jobs> <jobs for warming up>
 */
const [side = '', concurrencyText = '', jobsText = '', warmUpText = ''] = process.argv.slice(2)
const { POSTERN_DATABASE_URL: postgresUrl = '', POSTERN_REDIS_URL: redisUrl = '' } = process.env
const concurrency = Number(concurrencyText)
const jobs = Number(jobsText)
const warmUp = Number(warmUpText)

let begun = 0
let startedAt = 0
function begin(): void {
  begun += 1
  if (begun === warmUp) startedAt = performance.now()
}

if (side === 'ours') await workOurs()
else await workBare()

async function workOurs(): Promise<void> {
  const kind = { ...probeKind, concurrency }
  const working = await openWorking({ postgresUrl, redisUrl }, [
    {
      kind,
      process: () => {
        begin()
        return Promise.resolve({ result: null })
      },
    },
  ])
  while (!(await allFinished(working.metrics))) await Bun.sleep(10)
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
  let count = 0
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null })
  const worker = new Worker(
    'bare',
    async () => {
      begin()
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
