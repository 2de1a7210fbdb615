import { closedOptions } from '../lib/workloads.ts'
import { summaryTo } from './summary.ts'
import { classFilter, once, profile, setting, user } from './user.ts'

/** An hour of three times the load, for whoever watches what grows. */
const shape = {
  users: setting('USERS', 300),
  spawnRate: setting('SPAWN_RATE', 30),
  seconds: setting('SECONDS', 3600),
  stopSeconds: setting('STOP_SECONDS', 0),
}

export const options = once(() => closedOptions(profile, shape, classFilter()))
export const handleSummary = summaryTo
export { user }
