import { z } from 'zod'
import { openWorking } from '#test/support/job-engine.ts'
import { probeProcessor } from './world.ts'

// A worker process that takes jobs, says so, and never ends one: for tests that kill or stop it.
const urls = z
  .object({ postgresUrl: z.string(), redisUrl: z.string() })
  .parse(JSON.parse(process.argv[2] ?? ''))
await openWorking(urls, [
  probeProcessor(() => {
    process.stdout.write('held\n')
    return new Promise(() => undefined)
  }),
])
