import type { Log } from '#core/log.ts'
import type { Metrics } from '#core/metrics.ts'
import { TileConflict } from '../store/tile-store.ts'
import { failureReport } from './failure-report.ts'
import type { LogDatabase } from './log-database.ts'
import { publishRounds } from './publish-rounds.ts'
import type { Publisher } from './publisher.ts'
import type { RecentEntries } from './recent-entries.ts'
import { SequencerRefusal } from './refusal.ts'
import type { Sequencer } from './sequencer.ts'

/** Milliseconds between two looks at an intake that was empty. */
const pollMs = 100
/** Between two looks at whether the lead is free. */
const followMs = 1_000
/** Between two counts of what waits. */
const backlogMs = 5_000

export type RunOptions = {
  readonly sequencer: Sequencer
  readonly publisher: Publisher
  readonly database: LogDatabase
  readonly recent: RecentEntries
  /** Milliseconds between two publications: each costs a checkpoint and its partial tiles. */
  readonly publishMs: number
  readonly log: Log
  readonly metrics: Metrics
  /** Never goes back. */
  readonly nowMs: () => number
  /** Ends early, without a throw, when the signal comes. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

/**
 * Sequences and publishes until the signal comes, then publishes what is committed and gives the
 * lead away. Never throws. A failure is tried again; a refusal to sign is told and looked at again
 * every 10 s; what publishing finds wrong outside ends the signing until the next start.
 */
export async function runSequencer(options: RunOptions, signal: AbortSignal): Promise<void> {
  const { sequencer, publishMs, sleep } = options
  const report = failureReport(options)
  const publish = publishRounds(options)
  const stopped = new AbortController()
  const stop = () => stopped.abort()
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()

  async function repeat(round: () => Promise<number>): Promise<void> {
    let failures = 0
    while (!stopped.signal.aborted) {
      let pauseMs: number
      try {
        pauseMs = await round()
        failures = 0
      } catch (error) {
        failures += 1
        pauseMs = report.failed(error, failures)
      }
      if (pauseMs > 0) await sleep(pauseMs, stopped.signal)
    }
  }

  async function publishOrHalt(): Promise<number> {
    try {
      await publish()
    } catch (error) {
      if (!(error instanceof SequencerRefusal || error instanceof TileConflict)) throw error
      report.halt(error)
      stop()
    }
    return publishMs
  }

  await Promise.all([
    repeat(async () => {
      const pauseMs = await sequence(options)
      report.signed()
      return pauseMs
    }),
    repeat(publishOrHalt),
    repeat(() => measureBacklog(options)),
  ])
  if (!report.isHalted()) await publishOrHalt().catch((error: unknown) => report.failed(error, 1))
  await sequencer.release().catch((error: unknown) => report.failed(error, 1))
  if (!signal.aborted) await untilAborted(signal)
}

/** Returns milliseconds to rest. */
async function sequence({ sequencer, recent }: RunOptions): Promise<number> {
  const turn = await sequencer.turn()
  if (turn.kind === 'following') return followMs
  if (turn.kind !== 'appended') return pollMs
  recent.add(turn.oldSize, turn.entries)
  return turn.isMore ? 0 : pollMs
}

async function measureBacklog({ database, metrics }: RunOptions): Promise<number> {
  const { records, oldestRec } = await database.backlog()
  metrics.auditUnsequenced.set(records)
  metrics.auditUnsequencedSeconds.set(oldestRec === undefined ? 0 : ageSeconds(oldestRec))
  return backlogMs
}

/** Record ids are UUIDv7: they begin with milliseconds since the epoch (RFC 9562, 5.7). */
function ageSeconds(rec: string): number {
  const madeAt = Number.parseInt(rec.replaceAll('-', '').slice(0, 12), 16)
  return Math.max(0, Date.now() - madeAt) / 1_000
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve())
  })
}
