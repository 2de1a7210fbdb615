import { closedOptions } from '../lib/workloads.ts'
import { summaryTo } from './summary.ts'
import { classFilter, once, profile, setting, user } from './user.ts'

/** Ten times today's load. */
const shape = {
  users: setting('USERS', 1000),
  spawnRate: setting('SPAWN_RATE', 100),
  seconds: setting('SECONDS', 300),
  stopSeconds: setting('STOP_SECONDS', 0),
}

export const options = once(() => closedOptions(profile, shape, classFilter()))
export const handleSummary = summaryTo
export { user }
