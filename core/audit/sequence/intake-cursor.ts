/**
 * Milliseconds after which a number that was given out is as good as committed or gone: longer than
 * a statement may take.
 */
const settleMs = 15_000
/** Between two reads from the very beginning, for a transaction that took longer all the same. */
const sweepMs = 5_000

export type IntakeCursor = {
  /** The id above which to read now. */
  start(): number
  /** The largest id of a batch that is in the log. */
  passed(id: number): void
}

/**
 * Where to begin reading the intake. While another session holds an old snapshot (a backup, a long
 * report), rows taken away leave their index entries behind, and a read from the beginning walks
 * over all of them. `nowMs` never goes back.
 */
export function intakeCursor(nowMs: () => number): IntakeCursor {
  let settled = 0
  let newer = 0
  let newerSince = nowMs()
  let newest = 0
  let sweptAt = Number.NEGATIVE_INFINITY

  function settle(): void {
    if (nowMs() - newerSince < settleMs) return
    settled = newer
    newer = newest
    newerSince = nowMs()
  }

  return {
    start() {
      settle()
      if (nowMs() - sweptAt < sweepMs) return settled
      sweptAt = nowMs()
      return 0
    },
    passed(id) {
      newest = Math.max(newest, id)
    },
  }
}
