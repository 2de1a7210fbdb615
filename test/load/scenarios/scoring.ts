import { sleep } from 'k6'
import { scoreRequest } from '../lib/score-request.ts'
import { openOptions } from '../lib/workloads.ts'
import { summaryTo } from './summary.ts'
import { profile, send, setting } from './user.ts'

/** Wallets with their swaps at a fixed rate, each asked for until it has a score. */
export const options = openOptions(
  profile,
  {
    rate: setting('RATE', 20),
    seconds: setting('SECONDS', 60),
    users: setting('USERS', 100),
    // A wallet that was enqueued is asked for to its end.
    stopSeconds: setting('STOP_SECONDS', 0),
  },
  'score',
)
export const handleSummary = summaryTo

const enqueue = {
  method: 'POST',
  name: '/jobs/score-wallet [POST]',
  accepted: [202],
} as const
const wait = { method: 'GET', name: '/jobs/:id?wait', accepted: [200] } as const

export function score(): void {
  const body = JSON.stringify({ payload: scoreRequest(Math.random) })
  const answer = send(enqueue, '/jobs/score-wallet', body)
  const id = answer.status === 202 ? answer.json('id') : undefined
  if (typeof id === 'string') send(wait, `/jobs/${id}?wait=30`, null)
  else sleep(0.1)
}
