import { spikeOptions } from '../lib/workloads.ts'
import { summaryTo } from './summary.ts'
import { once, profile, setting, user } from './user.ts'

/** A tenth of the users, all of them within seconds, a tenth again. */
const shape = {
  users: setting('USERS', 1_000),
  spawnRate: setting('SPAWN_RATE', 100),
  seconds: setting('SECONDS', 120),
  stopSeconds: setting('STOP_SECONDS', 0),
}

export const options = once(() => spikeOptions(profile, shape))
export const handleSummary = summaryTo
export { user }
