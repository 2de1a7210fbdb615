import type { Log } from '#core/log.ts'
import { parseNote } from '../note/note.ts'
import { judgeQuorum } from '../note/policy.ts'
import type { VerifierKey } from '../note/verifier-key.ts'
import type { TileStore } from '../store/tile-store.ts'
import { judgeWitnesses, readPublished, type Witnessing } from './inspect-head.ts'
import type { LogDatabase, SignedTree } from './log-database.ts'
import { publishTiles } from './publish-tiles.ts'
import type { RecentEntries } from './recent-entries.ts'

export type PublisherOptions = {
  readonly database: LogDatabase
  readonly store: TileStore
  readonly origin: string
  /** By which the log knows its own checkpoints, now. */
  readonly keys: () => readonly VerifierKey[]
  /** Undefined where no witness is asked. */
  readonly witnessing: Witnessing | undefined
  /** What was just committed, so that it need not be read back. */
  readonly recent: RecentEntries
  readonly log: Log
}

/** `superseded`: somebody has published more already; `unwitnessed`: the quorum is not reached. */
export type Published = 'witnessed' | 'unwitnessed' | 'superseded'

export type Publisher = {
  /**
   * Makes a committed tree, never another one, readable: its tiles, the immutable
   * `checkpoints/<size>`, and last the `checkpoint` with what cosignatures there are. Done again
   * after a failure it writes the same bytes. One at a time. Throws what store and database throw, `TileConflict` above all, and `SequencerRefusal`
   * when a witness knows better.
   */
  publish(tree: SignedTree): Promise<Published>
}

export function createPublisher(options: PublisherOptions): Publisher {
  const { database, store } = options
  /** Entries whose tiles are known to be in the store. */
  let tiled: number | undefined

  async function publish(tree: SignedTree): Promise<Published> {
    tiled ??= await publishedSize()
    if (tiled < tree.size) await publishTiles(tiled, tree, options)
    tiled = Math.max(tiled, tree.size)
    await store.writeOnce(`checkpoints/${tree.size}`, encoder.encode(tree.note))
    const { note, isWitnessed } = await cosign(tree, options)
    // Another leader may have gone on while we were held up.
    const seen = await publishedSize()
    if (seen > tree.size) return 'superseded'
    // What has its cosignatures already is not replaced by what has fewer.
    if (seen < tree.size || isWitnessed) await store.writeCheckpoint(encoder.encode(note))
    await database.notePublished(tree.size)
    if (isWitnessed) await database.noteWitnessed(tree.size, note)
    return isWitnessed ? 'witnessed' : 'unwitnessed'
  }

  async function publishedSize(): Promise<number> {
    return (await readPublished(options))?.size ?? 0
  }

  return { publish }
}

const encoder = new TextEncoder()

async function cosign(
  tree: SignedTree,
  { witnessing, database, log }: PublisherOptions,
): Promise<{ readonly note: string; readonly isWitnessed: boolean }> {
  if (witnessing === undefined) return { note: tree.note, isWitnessed: true }
  const cosignatures = await witnessing.collect(tree.note)
  await judgeWitnesses(cosignatures, database, log)
  const note = tree.note + cosignatures.lines.join('')
  const { satisfied } = judgeQuorum(witnessing.policy, parseNote(note))
  return { note, isWitnessed: satisfied }
}
