import type { Checkpoint } from '../note/checkpoint.ts'
import { sameHash } from '../tree/hash.ts'
import { tileWidth } from '../tree/tile.ts'
import type { PartResult, PartTask } from './check-part.ts'
import type { Findings } from './findings.ts'
import { type GapLedger, gapLedger } from './gaps.ts'
import type { LogReader } from './log-reader.ts'
import type { PartRunner } from './part-runner.ts'
import { tileLadder } from './tile-ladder.ts'
import type { UniqueIds } from './unique-ids.ts'

/** Bundles of one part: small enough to share out, large enough to be worth a message. */
const bundlesPerPart = 32

export type WalkProgress = {
  /** Entries done, those before the start included. */
  readonly done: number
  readonly size: number
}

export type Walk = {
  readonly ledger: GapLedger
  /** The latest time that a record bears; -Infinity where none was read. */
  readonly newestMs: number
}

/**
 * Walks the entries from `from`, a multiple of 256, to the checkpoint's size: every entry against
 * level 0, every tile against the one above, and all of it against the root. Throws the signal's
 * reason.
 */
export async function walkLog(options: {
  readonly reader: LogReader
  readonly runner: PartRunner
  readonly checkpoint: Checkpoint
  readonly from: number
  readonly isStrict: boolean
  /** Takes the ids of a strict walk. */
  readonly uniqueIds: UniqueIds | undefined
  readonly findings: Findings
  readonly onProgress: ((progress: WalkProgress) => void) | undefined
  readonly signal: AbortSignal | undefined
}): Promise<Walk> {
  const { reader, runner, checkpoint, from, findings, uniqueIds, onProgress } = options
  const { size, root } = checkpoint
  const ladder = await tileLadder({ reader, size, from, add: findings.add })
  const ledger = gapLedger()
  let newestMs = Number.NEGATIVE_INFINITY
  let edge: Uint8Array | undefined = new Uint8Array()

  for await (const [task, result] of runParts(runner, partsOf(options), options.signal)) {
    for (const hash of result.roots) await ladder.climb(hash)
    if (task.endBundle * tileWidth > size) edge = result.edge
    findings.absorb(result.found)
    uniqueIds?.add(task.firstBundle * tileWidth, result.ids)
    ledger.absorb(result.epochs)
    newestMs = Math.max(newestMs, result.newestMs)
    onProgress?.({ done: Math.min(size, task.endBundle * tileWidth), size })
  }
  const computed = edge && ladder.root(edge)
  // Without one something was missing, and that is a finding already.
  if (computed !== undefined && !sameHash(computed, root)) {
    const detail = `the root of the ${size} entries is not the one that was signed`
    findings.add({ code: 'root_differs', path: 'checkpoint', detail })
  }
  return { ledger, newestMs }
}

function* partsOf(walk: {
  readonly checkpoint: Checkpoint
  readonly from: number
  readonly isStrict: boolean
}): Iterable<PartTask> {
  const { from, isStrict } = walk
  const { size } = walk.checkpoint
  const bundles = Math.ceil(size / tileWidth)
  for (let first = from / tileWidth; first < bundles; first += bundlesPerPart) {
    const endBundle = Math.min(bundles, first + bundlesPerPart)
    yield { firstBundle: first, endBundle, size, isStrict }
  }
}

async function* runParts(
  runner: PartRunner,
  tasks: Iterable<PartTask>,
  signal: AbortSignal | undefined,
): AsyncIterable<readonly [PartTask, PartResult]> {
  const underWay: [PartTask, Promise<PartResult>][] = []
  for (const task of tasks) {
    signal?.throwIfAborted()
    const result = runner.run(task)
    // Whoever waits for it is told; until then its failure must not end the process.
    result.catch(() => undefined)
    underWay.push([task, result])
    if (underWay.length < runner.underWayMax) continue
    yield* nextOf(underWay)
  }
  while (underWay.length > 0) {
    signal?.throwIfAborted()
    yield* nextOf(underWay)
  }
}

async function* nextOf(
  underWay: [PartTask, Promise<PartResult>][],
): AsyncIterable<readonly [PartTask, PartResult]> {
  const next = underWay.shift()
  if (next !== undefined) yield [next[0], await next[1]]
}
