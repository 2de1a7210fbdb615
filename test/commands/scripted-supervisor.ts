// A supervisor over scripted children, as a process that can be killed.
import { join } from 'node:path'
import { silentLog } from '#core/log.ts'
import { terminated } from '../../commands/process-life.ts'
import { supervise } from '../../commands/supervise.ts'

const code = await supervise({
  parts: ['serve', 'work'],
  self: [process.execPath, join(import.meta.dir, 'scripted-child.ts')],
  environment: process.env,
  drainMs: 5_000,
  log: silentLog(),
  terminated,
})
process.exit(code)
