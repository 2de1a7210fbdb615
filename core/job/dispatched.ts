import { z } from 'zod'

/** What travels through the queue engine; parsed again by the worker. */
export const dispatchedData = z.object({
  payload: z.unknown(),
  dispatch: z.number().int().positive(),
  timeoutMs: z.number().int().positive(),
  requestId: z.string(),
  traceparent: z.string().optional(),
})

/** Attempts of one dispatch, the uncounted ones of stalls and shutdowns included. */
const startsPerDispatchMax = 1_000n

/**
 * Orders all runs of a job: a later dispatch beats an earlier one, within it a later start. The
 * engine counts starts anew when it has lost the job; the dispatch number does not.
 */
export function fenceOf(dispatch: number, starts: number): bigint {
  return BigInt(dispatch) * startsPerDispatchMax + BigInt(Math.min(starts, 999))
}

export function attemptOf(fence: bigint): number {
  return Number(fence % startsPerDispatchMax)
}
