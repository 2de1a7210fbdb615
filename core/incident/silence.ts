import type { Episode } from './decide-incident.ts'
import type { IncidentStore } from './postgres-incidents.ts'

/** Milliseconds between two signs of life of a process. */
const signMs = 2_000
/** Seconds without one: longer than a supervisor takes to start a child again. */
const silentSeconds = 8
/** Milliseconds in which others, who may only have been without a database, tell of themselves. */
const confirmMs = 5_000

export type SilenceWatch = {
  /** Says that this process lives, and at first looks who did before. Throws what the store throws. */
  say(nowMs: number): Promise<void>
  stop(): Promise<void>
}

/**
 * A process that is dead tells nothing: whoever starts next finds when the last sign of life was.
 * One stopped in order has said so, and was not away by a fault.
 */
export function silenceWatch(options: {
  readonly store: Pick<IncidentStore, 'live' | 'lastSign' | 'hasLivedThrough'>
  readonly startedMs: number
  readonly keep: (ended: Episode) => void
}): SilenceWatch {
  const { store, startedMs, keep } = options
  /** When the last sign of life before us was; undefined: not looked yet, or settled. */
  let silentFromMs: number | undefined
  let hasLooked = false
  let saidMs = Number.NEGATIVE_INFINITY

  async function lookBack(nowMs: number): Promise<void> {
    const { age, isStopped } = await store.lastSign()
    hasLooked = true
    const fromMs = nowMs - age * 1_000
    if (!isStopped && startedMs - fromMs > silentSeconds * 1_000) silentFromMs = fromMs
  }

  async function confirm(fromMs: number, nowMs: number): Promise<void> {
    const isAlive = await store.hasLivedThrough((nowMs - fromMs) / 1_000)
    silentFromMs = undefined
    if (isAlive) return
    const reason = 'no process was alive'
    const span = { startedMs: fromMs, failingMs: startedMs, goodMs: startedMs }
    keep({ ...span, reason, isOpen: true })
  }

  return {
    async say(nowMs) {
      if (!hasLooked) await lookBack(nowMs)
      if (silentFromMs !== undefined && nowMs - startedMs >= confirmMs) {
        await confirm(silentFromMs, nowMs)
      }
      if (nowMs - saidMs < signMs) return
      await store.live(false)
      saidMs = nowMs
    },
    stop: () => store.live(true),
  }
}
