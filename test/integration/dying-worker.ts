import { z } from 'zod'
import { openWorking } from '#test/support/job-engine.ts'
import { probeProcessor } from './world.ts'

// A worker process that is killed once it holds jobs: locks stay behind, nothing is put back.
const urls = z
  .object({ postgresUrl: z.string(), redisUrl: z.string() })
  .parse(JSON.parse(process.env['URLS'] ?? ''))
let held = 0
await openWorking(urls, [
  probeProcessor(() => {
    held += 1
    if (held === 10) process.kill(process.pid, 'SIGKILL')
    return new Promise(() => undefined)
  }),
])
