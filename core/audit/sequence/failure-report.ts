import type { Log } from '#core/log.ts'
import type { Metrics } from '#core/metrics.ts'
import { databaseOutage } from '#core/postgres/outage.ts'
import { TileConflict } from '../store/tile-store.ts'
import { SequencerRefusal } from './refusal.ts'

/** Milliseconds after a failure, doubled by each further one in a row. */
const backoffMsMin = 100
const backoffMsMax = 5_000
/** A refusal passes only when somebody acts. */
const refusedMs = 10_000

export type FailureReport = {
  /** Tells of the failure, the nth in a row; returns milliseconds to rest. */
  failed(error: unknown, inRow: number): number
  /** Signing goes on, or was found to be right. */
  signed(): void
  /** Found while publishing that the outside is not as committed: only a new start looks again. */
  halt(error: SequencerRefusal | TileConflict): void
  isHalted(): boolean
}

/** One line per refusal, however often it is met, and a metric for as long as it lasts. */
export function failureReport({
  log,
  metrics,
}: {
  readonly log: Log
  readonly metrics: Metrics
}): FailureReport {
  let refused: string | undefined
  let isHalted = false

  function refuse(reason: string, error: unknown): void {
    if (refused !== reason) log.error('audit.refused', { reason, error })
    if (refused !== undefined) metrics.auditRefused.set({ reason: refused }, 0)
    metrics.auditRefused.set({ reason }, 1)
    refused = reason
  }

  return {
    failed(error, inRow) {
      if (error instanceof SequencerRefusal) {
        refuse(error.reason, error)
        return refusedMs
      }
      if (databaseOutage(error) === undefined) log.error('audit.failed', { error })
      else log.warn('audit.outage', { error })
      return Math.min(backoffMsMax, backoffMsMin * 2 ** (inRow - 1))
    },
    signed() {
      if (refused === undefined || isHalted) return
      metrics.auditRefused.set({ reason: refused }, 0)
      refused = undefined
    },
    halt(error) {
      refuse(error instanceof TileConflict ? 'conflict' : error.reason, error)
      isHalted = true
    },
    isHalted: () => isHalted,
  }
}
