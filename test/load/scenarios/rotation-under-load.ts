import { closedOptions } from '../lib/workloads.ts'
import { summaryTo } from './summary.ts'
import { classFilter, once, profile, setting, user } from './user.ts'

/** Today's load while logins are rotated: no request may fail for it. */
const shape = {
  users: setting('USERS', 100),
  spawnRate: setting('SPAWN_RATE', 20),
  seconds: setting('SECONDS', 120),
  stopSeconds: setting('STOP_SECONDS', 0),
}

export const options = once(() => {
  const loaded = closedOptions(profile, shape, classFilter())
  return { ...loaded, thresholds: { ...loaded.thresholds, http_req_failed: ['rate==0'] } }
})
export const handleSummary = summaryTo
export { user }
