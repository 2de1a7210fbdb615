import type { NoteSigner } from '../note/signer.ts'
import type { Batch, BatchReader } from './batch-reader.ts'
import { growLog } from './grow-log.ts'
import type { LogDatabase, LogGrowth, LogHead } from './log-database.ts'
import { withoutKnown } from './prepare-batch.ts'

/** A batch on its way into the log. */
export type Flight = {
  readonly batch: Batch
  /** Where it starts from; not committed yet when another flight is before it. */
  readonly head: LogHead
  readonly growth: LogGrowth
  readonly outcome: Promise<Awaited<ReturnType<LogDatabase['append']>>>
}

export type Landed = { readonly growth: LogGrowth; readonly next: Flight | undefined }

export type AppendOptions = {
  readonly database: LogDatabase
  readonly reader: BatchReader
  readonly origin: string
  readonly signers: readonly NoteSigner[]
}

/** Sends a batch on its way. */
export function launch(head: LogHead, batch: Batch, options: AppendOptions): Flight {
  const growth = growLog(head, batch, options)
  const outcome = options.database.append(growth)
  // Whoever lands it hears of its failure; nobody may, when the flight before it fails.
  outcome.catch(() => undefined)
  return { batch, head, growth, outcome }
}

/**
 * Waits for a flight and sends the next after it meanwhile, as if this one had arrived: its
 * transaction compares the head, and comes to nothing where it had not. Undefined when another
 * leads; throws what reading and appending throw.
 */
export async function land(flight: Flight, options: AppendOptions): Promise<Landed | undefined> {
  const following = launchBehind(flight, options)
  // Its failure is told after that of the flight itself.
  following.catch(() => undefined)
  const outcome = await flight.outcome
  if (outcome === 'appended') return { growth: flight.growth, next: await following }
  if (outcome === 'superseded') return undefined
  const next = await following
  await next?.outcome
  return await appendUnknown(flight, options)
}

async function launchBehind(
  { batch, head, growth }: Flight,
  options: AppendOptions,
): Promise<Flight | undefined> {
  const next = await options.reader.behind(batch)
  if (next === undefined) return undefined
  const { oldSize, entries, frontier, root } = growth
  const size = oldSize + entries.length
  return launch({ ...head, size, frontier, root }, next, options)
}

/** Once more, without what the log holds already. */
async function appendUnknown(
  { batch, head }: Flight,
  options: AppendOptions,
): Promise<Landed | undefined> {
  const { database } = options
  const known = await database.leavesOf(batch.entries.map((entry) => entry.rec))
  const found = withoutKnown(batch.entries, known)
  const repeated = [...batch.repeated, ...found.repeated]
  const conflicting = [...batch.conflicting, ...found.conflicting]
  const growth = growLog(head, { entries: found.entries, repeated, conflicting }, options)
  return (await database.append(growth)) === 'appended' ? { growth, next: undefined } : undefined
}
