import { PosternError } from '../errors.ts'

/** Long enough for a thousand jobs over a slow link, short enough to leave the batch to the sweeper. */
const callMsMax = 2_000

/** BullMQ's calls have no deadline; a call after a lost connection may otherwise never settle. */
export async function bounded<Result>(call: Promise<Result>): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('the queue engine did not answer')), callMsMax)
  try {
    return await Promise.race([call, promise])
  } catch (cause) {
    throw new PosternError('queue.unavailable', { retryAfterSeconds: 1, cause })
  } finally {
    clearTimeout(timer)
  }
}
