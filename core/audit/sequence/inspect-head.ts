import type { Log } from '#core/log.ts'
import { type Checkpoint, openCheckpoint } from '../note/checkpoint.ts'
import type { WitnessPolicy } from '../note/policy.ts'
import type { VerifierKey } from '../note/verifier-key.ts'
import type { TileSource } from '../store/tile-source.ts'
import { frontierRoot } from '../tree/frontier.ts'
import { sameHash } from '../tree/hash.ts'
import type { CollectCosignatures, Cosignatures } from '../witness/collect-cosignatures.ts'
import type { LogDatabase, LogHead } from './log-database.ts'
import { refuseToSign } from './refusal.ts'

export type Witnessing = {
  readonly collect: CollectCosignatures
  readonly policy: WitnessPolicy
}

export type InspectOptions = {
  readonly database: LogDatabase
  readonly store: TileSource
  readonly origin: string
  /** By which the log knows its own checkpoints, now. */
  readonly keys: () => readonly VerifierKey[]
  /** Undefined where no witness is asked. */
  readonly witnessing: Witnessing | undefined
  readonly log: Log
}

/**
 * Compares what the database says with what the outside has seen, before anything is signed.
 * Throws `SequencerRefusal` where they differ, and what the store throws where it cannot tell. A
 * witness that does not answer is not waited for.
 */
export async function inspectHead(head: LogHead, options: InspectOptions): Promise<void> {
  await inspectOwn(head, options)
  const published = await readPublished(options)
  if (published !== undefined) await inspectPublished(head, published, options.database)
  const { database, witnessing, log } = options
  const newest = await database.newestTree()
  if (newest === undefined || witnessing === undefined) return
  const cosignatures = await witnessing.collect(newest.note)
  await judgeWitnesses(cosignatures, database, log)
}

/** The head, its frontier and the newest signed tree are one statement in three places. */
async function inspectOwn(head: LogHead, options: InspectOptions): Promise<void> {
  if (!sameHash(frontierRoot(head.frontier), head.root)) {
    refuseToSign('forked', `The frontier of size ${head.size} does not make the root beside it`)
  }
  const newest = await options.database.newestTree()
  if (head.size !== (newest?.size ?? 0)) {
    refuseToSign(
      'rolled-back',
      `The database holds ${head.size} entries and a signed tree of ${newest?.size ?? 0}`,
    )
  }
  if (newest === undefined) return
  const { root } = openOwnCheckpoint(newest.note, 'The newest signed tree', {
    origin: options.origin,
    keys: options.keys(),
  })
  if (!sameHash(root, head.root)) {
    refuseToSign('forked', `Two roots of size ${head.size} stand in the database`)
  }
}

/** The checkpoint that readers see; undefined where nothing is published. */
export async function readPublished({
  store,
  origin,
  keys,
}: Pick<InspectOptions, 'store' | 'origin' | 'keys'>): Promise<Checkpoint | undefined> {
  const bytes = await store.read('checkpoint')
  if (bytes === undefined) return undefined
  const by = { origin, keys: keys() }
  return openOwnCheckpoint(new TextDecoder().decode(bytes), 'The published checkpoint', by)
}

/** Opens a checkpoint of this log; throws `SequencerRefusal` where it is another's. */
export function openOwnCheckpoint(
  note: string,
  what: string,
  { origin, keys }: { readonly origin: string; readonly keys: readonly VerifierKey[] },
): Checkpoint {
  const checkpoint = open(note, what, keys)
  if (checkpoint.origin !== origin) {
    refuseToSign('foreign', `${what} is one of ${checkpoint.origin}, not of ${origin}`)
  }
  return checkpoint
}

function open(note: string, what: string, keys: readonly VerifierKey[]): Checkpoint {
  try {
    return openCheckpoint(note, keys).checkpoint
  } catch (error) {
    refuseToSign('foreign', `${what} is not signed by a key of POSTERN_AUDIT_KEYS`, error)
  }
}

async function inspectPublished(
  head: LogHead,
  published: Checkpoint,
  database: LogDatabase,
): Promise<void> {
  const { size, root } = published
  if (size > head.size) {
    refuseToSign('rolled-back', `Published are ${size} entries, the database holds ${head.size}`)
  }
  if (size === 0) return
  const committed = await database.treeAt(size)
  if (committed === undefined || !sameHash(committed.root, root)) {
    refuseToSign('forked', `The published tree of size ${size} is not one that was committed here`)
  }
}

/** Throws where a witness knows more than is committed, or another history. */
export async function judgeWitnesses(
  { outcomes }: Cosignatures,
  database: LogDatabase,
  log: Log,
): Promise<void> {
  for (const one of outcomes) {
    if (one.outcome === 'inconsistent') {
      const { witness, evidence } = one
      log.error('audit.inconsistent', { witness, evidence })
      refuseToSign('forked', `The witness ${witness} has seen another history`)
    }
    if (one.outcome === 'rolled-back') await refuseLess(one, database)
  }
}

/** A later checkpoint, maybe of another leader, may have reached the witness first. */
async function refuseLess(
  seen: { readonly witness: string; readonly size: number },
  database: LogDatabase,
): Promise<void> {
  const size = (await database.newestTree())?.size ?? 0
  if (seen.size <= size) return
  refuseToSign(
    'rolled-back',
    `The witness ${seen.witness} has seen ${seen.size} entries, the database holds ${size}`,
  )
}
