import { invariant } from '#core/invariant.ts'
import { formatNote, parseNote } from '../note/note.ts'
import type { VerifierKey } from '../note/verifier-key.ts'
import { readBundle } from '../store/published-log.ts'
import type { TileSource } from '../store/tile-source.ts'
import { appendLeaves, type Frontier, frontierRoot } from '../tree/frontier.ts'
import { hashLeaf, sameHash } from '../tree/hash.ts'
import { bundlePath, tileWidth } from '../tree/tile.ts'
import { describeRecord } from './describe-record.ts'
import { openOwnCheckpoint } from './inspect-head.ts'
import type { LogDatabase, LogHead, SignedTree } from './log-database.ts'
import { refuseToSign } from './refusal.ts'

/** Bundles of one transaction; 4,096 entries of 65,535 bytes are 268 MB. */
const bundlesMax = 16

export type ResyncOptions = {
  readonly database: LogDatabase
  readonly source: TileSource
  readonly origin: string
  readonly keys: readonly VerifierKey[]
  /** A UUID of this process's own. */
  readonly owner: string
  /** Signed checkpoints from elsewhere, a witness's for example: the largest of all is the goal. */
  readonly known: readonly string[]
  readonly onProgress: (done: { readonly entries: number; readonly of: number }) => void
}

/**
 * Fetches what a restored database lacks from the published tiles. Nothing is written before all
 * of it was read and makes the root of the checkpoint together with what the database holds.
 * Throws `SequencerRefusal` where the two are not one log, what source and database throw, and
 * where another leads or an object is missing an `Error` that says so. Interrupted, it is run again.
 */
export async function resyncLog(
  options: ResyncOptions,
): Promise<{ readonly from: number; readonly to: number }> {
  const { database, owner } = options
  const goal = await findGoal(options)
  const head = await database.lead(owner)
  if (head === undefined) {
    throw new Error('a sequencer leads the log: stop it, or wait 5 s after its end')
  }
  if (goal.size > head.size) {
    await readThrough(head, goal, options)
    await restoreAll(head, goal, options)
  }
  await database.release(head.epoch)
  return { from: head.size, to: Math.max(head.size, goal.size) }
}

async function findGoal({ source, known, origin, keys }: ResyncOptions): Promise<SignedTree> {
  const bytes = await source.read('checkpoint')
  const published = bytes === undefined ? [] : [new TextDecoder().decode(bytes)]
  const goals = [...published, ...known].map((note) => {
    const { size, root } = openOwnCheckpoint(note, 'The checkpoint to restore', { origin, keys })
    return { size, root, note: ownNote(note, keys) }
  })
  const largest = goals.toSorted((a, b) => b.size - a.size)[0]
  if (largest === undefined) throw new Error('nothing is published in that store')
  return largest
}

/** As it was committed: without cosignatures. */
function ownNote(text: string, keys: readonly VerifierKey[]): string {
  const note = parseNote(text)
  const signatures = note.signatures.filter(({ name, id }) =>
    keys.some((key) => key.name === name && key.id === id),
  )
  return formatNote({ ...note, signatures })
}

async function readThrough(head: LogHead, goal: SignedTree, options: ResyncOptions): Promise<void> {
  let grown: Frontier = head.frontier
  for (let size = head.size; size < goal.size; ) {
    const bodies = await readPortion(size, goal.size, options.source)
    grown = appendLeaves(grown, size, bodies.map(hashLeaf))
    size += bodies.length
    if (!(await options.database.renew(head.epoch))) throw overtaken()
  }
  if (sameHash(frontierRoot(grown), goal.root)) return
  refuseToSign(
    'forked',
    `What the database holds is not the beginning of the log of ${goal.size} entries`,
  )
}

async function restoreAll(head: LogHead, goal: SignedTree, options: ResyncOptions): Promise<void> {
  const { database, source, onProgress } = options
  let { size, root: oldRoot, frontier } = head
  while (size < goal.size) {
    const bodies = await readPortion(size, goal.size, source)
    const entries = bodies.map((body) => {
      const { rec = crypto.randomUUID(), ...description } = describeRecord(body)
      return { rec, body, leaf: hashLeaf(body), description }
    })
    const leaves = entries.map((entry) => entry.leaf)
    frontier = appendLeaves(frontier, size, leaves)
    const root = frontierRoot(frontier)
    const isLast = size + entries.length === goal.size
    invariant(!isLast || sameHash(root, goal.root), 'a store gives the same bytes twice')
    const lost = { epoch: head.epoch, oldSize: size, oldRoot, entries, frontier, root }
    if (!(await database.restore({ ...lost, tree: isLast ? goal : undefined }))) throw overtaken()
    size += entries.length
    oldRoot = root
    onProgress({ entries: size - head.size, of: goal.size - head.size })
  }
}

function overtaken(): Error {
  return new Error('a sequencer took the lead meanwhile: stop it and run this again')
}

/** Some entries from `from` on, up to the end of a bundle or `size`. */
async function readPortion(
  from: number,
  size: number,
  source: TileSource,
): Promise<readonly Uint8Array[]> {
  const first = Math.floor(from / tileWidth)
  const end = Math.min(first + bundlesMax, Math.ceil(size / tileWidth))
  const indexes = Array.from({ length: end - first }, (_, at) => first + at)
  const bundles = await Promise.all(indexes.map((index) => readWhole(index, size, source)))
  return bundles.flat().slice(from - first * tileWidth)
}

async function readWhole(
  index: number,
  size: number,
  source: TileSource,
): Promise<readonly Uint8Array[]> {
  const bundle = { index, width: Math.min(tileWidth, size - index * tileWidth) }
  const entries = await readBundle(source, bundle)
  if (entries === undefined) throw new Error(`${bundlePath(bundle)} is not in that store`)
  return entries
}
