import { closedOptions } from '../lib/workloads.ts'
import { summaryTo } from './summary.ts'
import { classFilter, once, profile, setting, user } from './user.ts'

/** A look whether everything works: ten users for twenty seconds. */
const shape = {
  users: setting('USERS', 10),
  spawnRate: setting('SPAWN_RATE', 10),
  seconds: setting('SECONDS', 20),
  stopSeconds: setting('STOP_SECONDS', 0),
}

export const options = once(() => closedOptions(profile, shape, classFilter()))
export const handleSummary = summaryTo
export { user }
