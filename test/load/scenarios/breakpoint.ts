import { openOptions, ungated } from '../lib/workloads.ts'
import { orders } from './orders.ts'
import { summaryTo } from './summary.ts'
import { profile, setting } from './user.ts'

/** One step of a curve of goodput: orders only, at a fixed rate, however they are answered. */
export const options = ungated(
  openOptions(
    profile,
    {
      rate: setting('RATE', 200),
      seconds: setting('SECONDS', 20),
      users: setting('USERS', 500),
      stopSeconds: setting('STOP_SECONDS', 0),
    },
    'orders',
  ),
)
export const handleSummary = summaryTo
export { orders }
