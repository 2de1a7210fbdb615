import type { Sql } from 'postgres'
import { publishedTiles } from '#core/audit/read/make-receipt.ts'
import { inspectHead, type Witnessing } from '#core/audit/sequence/inspect-head.ts'
import type { LogDatabase } from '#core/audit/sequence/log-database.ts'
import { postgresLogDatabase } from '#core/audit/sequence/postgres-log-database.ts'
import { createPublisher } from '#core/audit/sequence/publisher.ts'
import { recentEntries } from '#core/audit/sequence/recent-entries.ts'
import { runSequencer } from '#core/audit/sequence/run-sequencer.ts'
import { createSequencer } from '#core/audit/sequence/sequencer.ts'
import { openTileStore } from '#core/audit/store/open-tile-store.ts'
import type { TileStore } from '#core/audit/store/tile-store.ts'
import { proveConsistency } from '#core/audit/tree/tile-proof.ts'
import { continuousVerify } from '#core/audit/verify/continuous-verify.ts'
import { collectCosignatures } from '#core/audit/witness/collect-cosignatures.ts'
import { policyWitnesses } from '#core/audit/witness/policy-witnesses.ts'
import type { Log } from '#core/log.ts'
import type { Metrics } from '#core/metrics.ts'
import { abortableSleep } from './abortable-sleep.ts'
import type { AuditSettings } from './open-audit.ts'

/** Milliseconds between two publications. On S3 each object is locked and paid for for years. */
const publishMs = { directory: 200, s3: 3_000 }
/** Milliseconds that a publication waits for its witnesses. */
const cosignMsMax = 500
/** The next batch is read while one is being committed, and a publication asks besides. */
export const sequencerConnections = 4

/**
 * Starts to sequence and publish; stops, with what is committed published, when `stack` is disposed.
 * `sql` is a pool of `sequencerConnections`.
 */
export async function openSequencer(options: {
  readonly settings: AuditSettings
  readonly sql: Sql
  readonly log: Log
  readonly metrics: Metrics
  readonly stack: AsyncDisposableStack
}): Promise<LogDatabase> {
  const { settings, log, metrics, stack } = options
  const { sequencer, publisher, database, recent, store } = await assembleSequencer(options)
  const stop = new AbortController()
  const running = runSequencer(
    {
      ...{ sequencer, publisher, database, recent, log, metrics, nowMs, sleep: abortableSleep },
      publishMs: settings.store.startsWith('s3:') ? publishMs.s3 : publishMs.directory,
    },
    stop.signal,
  )
  const logKeys = () => settings.keys().verifiers
  const verifying = continuousVerify(
    { source: store, logKeys, log, metrics, sleep: abortableSleep },
    stop.signal,
  )
  stack.defer(async () => {
    stop.abort()
    await Promise.all([running, verifying])
  })
  return database
}

const nowMs = () => performance.now()

/** The parts of a sequencer, not yet running. */
export async function assembleSequencer(options: {
  readonly settings: AuditSettings
  readonly sql: Sql
  readonly log: Log
  readonly metrics: Metrics
}) {
  const { settings, sql, log, metrics } = options
  const { origin } = settings
  const signers = () => settings.keys().signers
  const keys = () => settings.keys().verifiers
  const database = postgresLogDatabase(sql)
  const store = await openTileStore(settings.store, settings.storeOptions)
  const seen = { database, store, origin, keys, witnessing: openWitnesses(settings, store), log }
  const sequencer = createSequencer({
    ...{ database, owner: crypto.randomUUID(), origin, signers, log, metrics, nowMs },
    inspect: (head) => inspectHead(head, seen),
  })
  const recent = recentEntries()
  const publisher = createPublisher({ ...seen, recent })
  return { sequencer, publisher, database, recent, store }
}

function openWitnesses({ policy }: AuditSettings, store: TileStore): Witnessing | undefined {
  if (policy === undefined || policy.witnesses.length === 0) return undefined
  const readTile = publishedTiles(store)
  const witnesses = policyWitnesses(policy, (oldSize, newSize) =>
    proveConsistency(oldSize, newSize, readTile),
  )
  return { policy, collect: collectCosignatures({ witnesses, deadlineMs: cosignMsMax }) }
}
