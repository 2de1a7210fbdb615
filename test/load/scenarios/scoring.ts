import { sleep } from 'k6'
import { enqueueName, scoreRequest } from '../lib/score-request.ts'
import { openOptions } from '../lib/workloads.ts'
import { summaryTo } from './summary.ts'
import { profile, sender, setting } from './user.ts'

/** Wallets with their swaps at a fixed rate, each asked for until it has a score. */
const open = openOptions(
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
const { http_req_duration: limits = [], ...thresholds } = open.thresholds

// A wait for a score is as long as its job.
export const options = {
  ...open,
  thresholds: { ...thresholds, [`http_req_duration{name:${enqueueName}}`]: limits },
}
export const handleSummary = summaryTo

const enqueue = sender({ method: 'POST', name: enqueueName, accepted: [202] })
const wait = sender({ method: 'GET', name: '/jobs/:id?wait', accepted: [200] })

export function score(): void {
  const body = JSON.stringify({ payload: scoreRequest(Math.random) })
  const answer = enqueue('/jobs/score-wallet', body)
  const id = answer.status === 202 ? answer.json('id') : undefined
  if (typeof id === 'string') wait(`/jobs/${id}?wait=30`, null)
  else sleep(0.1)
}
