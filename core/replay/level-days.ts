import { nanosPerUnit } from '../market/bar.ts'
import type { Session } from '../market/session.ts'
import type { BreakerWatch } from './breaker-watch.ts'

/** Where the market-wide breaker would trip on one day. */
export type LevelDay = {
  readonly openMs: number
  readonly closeMs: number
  /** Percent below the close before, and the index there. */
  readonly levels: readonly { readonly percent: number; readonly index: number }[]
}

/** Lines of more days than this are a staircase that nobody reads. */
const levelDaysMax = 10

/** The levels of a short replay's days; of a long one none, in constant memory. */
export function levelDays() {
  const days: LevelDay[] = []
  let count = 0
  return {
    openSession({ openMs, closeMs }: Session, breaker: BreakerWatch | undefined): void {
      const levels = breaker?.levels() ?? []
      count += 1
      if (levels.length === 0 || count > levelDaysMax) return
      const told = levels.map(({ percent, nanos }) => ({ percent, index: nanos / nanosPerUnit }))
      days.push({ openMs, closeMs, levels: told })
    },
    finish: (): readonly LevelDay[] => (count > levelDaysMax ? [] : days),
  }
}
