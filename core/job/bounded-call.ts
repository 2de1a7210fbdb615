import { PosternError } from '../errors.ts'
import { inTime } from '../in-time.ts'

/** Long enough for a thousand jobs over a slow link, short enough to leave the batch to the sweeper. */
const callMsMax = 2_000

/** BullMQ's calls have no deadline; a call after a lost connection may otherwise never settle. */
export async function bounded<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await inTime(call, callMsMax, () => new Error('the queue engine did not answer'))
  } catch (cause) {
    throw new PosternError('queue.unavailable', { retryAfterSeconds: 1, cause })
  }
}
