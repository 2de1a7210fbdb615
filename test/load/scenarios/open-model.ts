import { openOptions } from '../lib/workloads.ts'
import { summaryTo } from './summary.ts'
import { anyone, profile, setting } from './user.ts'

/** A fixed rate of the whole mix: slow answers do not lower it, as they do with users who wait. */
export const options = openOptions(profile, {
  rate: setting('RATE', 500),
  seconds: setting('SECONDS', 120),
  users: setting('USERS', 500),
  stopSeconds: setting('STOP_SECONDS', 0),
})
export const handleSummary = summaryTo
export { anyone }
