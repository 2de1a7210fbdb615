import type { Metrics } from '#core/metrics.ts'
import type { LogDatabase } from './log-database.ts'
import type { Publisher } from './publisher.ts'
import type { Sequencer } from './sequencer.ts'

/** Milliseconds between two requests for cosignatures that are missing. */
const cosignAgainMs = 5_000

export type PublishRoundsOptions = {
  readonly sequencer: Sequencer
  readonly publisher: Publisher
  readonly database: LogDatabase
  readonly metrics: Metrics
  readonly nowMs: () => number
}

/** Each call publishes the newest committed tree, where this process leads and there is a new one. */
export function publishRounds(options: PublishRoundsOptions): () => Promise<void> {
  const { sequencer, publisher, database, metrics, nowMs } = options
  /** Entries that readers see, as far as this process knows. */
  let size = 0
  let behindSince: number | undefined
  let unwitnessedSince: number | undefined
  let askedAt = Number.NEGATIVE_INFINITY

  function measure(logSize: number): void {
    behindSince = logSize > size ? (behindSince ?? nowMs()) : undefined
    metrics.auditUnpublishedSeconds.set(secondsSince(behindSince))
    metrics.auditUnwitnessedSeconds.set(secondsSince(unwitnessedSince))
  }

  function secondsSince(sinceMs: number | undefined): number {
    return sinceMs === undefined ? 0 : (nowMs() - sinceMs) / 1_000
  }

  function isDue(logSize: number): boolean {
    if (logSize > size) return true
    return unwitnessedSince !== undefined && nowMs() - askedAt >= cosignAgainMs
  }

  return async () => {
    const head = sequencer.head()
    if (head === undefined) {
      // What another leader publishes meanwhile is looked up when it is our turn again.
      size = 0
      behindSince = undefined
      unwitnessedSince = undefined
    }
    const logSize = head?.size ?? 0
    measure(logSize)
    const tree = isDue(logSize) ? await database.newestTree() : undefined
    if (tree === undefined) return
    askedAt = nowMs()
    const outcome = await publisher.publish(tree)
    size = tree.size
    unwitnessedSince = outcome === 'unwitnessed' ? (unwitnessedSince ?? nowMs()) : undefined
    measure(sequencer.head()?.size ?? 0)
  }
}
