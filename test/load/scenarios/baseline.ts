import { closedOptions } from '../lib/workloads.ts'
import { summaryTo } from './summary.ts'
import { classFilter, once, profile, setting, user } from './user.ts'

/** Today's load. */
const shape = {
  users: setting('USERS', 100),
  spawnRate: setting('SPAWN_RATE', 10),
  seconds: setting('SECONDS', 120),
  stopSeconds: setting('STOP_SECONDS', 0),
}

export const options = once(() => closedOptions(profile, shape, classFilter()))
export const handleSummary = summaryTo
export { user }
