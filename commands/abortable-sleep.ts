import { setTimeout } from 'node:timers/promises'

/** Ends early, without a throw, when the signal comes. */
export async function abortableSleep(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined)
}
