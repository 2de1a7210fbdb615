import { openWorking } from '#test/support/job-engine.ts'
import { benchKind } from './bench-kind.ts'
import { quantile } from './figures.ts'

/**
 * Runs the bench's kind, whose `note` is the time at which the request was sent, and prints how
 * long after it each job began, as `{ p50, p99 }` in milliseconds.
 *
 *   bun test/bench/start-side.ts <jobs> <jobs that are for warming up>
 */
const [jobs = '', warmUp = ''] = process.argv.slice(2)
const { POSTERN_DATABASE_URL: postgresUrl = '', POSTERN_REDIS_URL: redisUrl = '' } = process.env

const waitedMs: number[] = []
const done = Promise.withResolvers<void>()

const working = await openWorking({ postgresUrl, redisUrl }, [
  {
    kind: benchKind,
    process: (attempt) => {
      const beganAt = performance.timeOrigin + performance.now()
      waitedMs.push(beganAt - Number(benchKind.payload.parse(attempt.payload).note))
      if (waitedMs.length === Number(jobs)) done.resolve()
      return Promise.resolve({ result: null })
    },
  },
])
await done.promise
const counted = waitedMs.slice(Number(warmUp))
const answer = { p50: quantile(counted, 0.5), p99: quantile(counted, 0.99) }
process.stdout.write(`${JSON.stringify(answer)}\n`)
await working.close()
process.exit(0)
