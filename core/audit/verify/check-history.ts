import { type Checkpoint, openCheckpoint, parseCheckpoint } from '../note/checkpoint.ts'
import { parseNote } from '../note/note.ts'
import { NoteError } from '../note/note-error.ts'
import type { VerifierKey } from '../note/verifier-key.ts'
import { type Hash, hashBytes, sameHash } from '../tree/hash.ts'
import { verifyConsistency } from '../tree/proof.ts'
import { TileError, tilePath, tileWidth } from '../tree/tile.ts'
import { proveConsistency, type ReadTile } from '../tree/tile-proof.ts'
import type { Finding } from './findings.ts'
import type { LogReader } from './log-reader.ts'
import { tileLadder } from './tile-ladder.ts'

/** Tiles kept while checkpoints that follow each other are looked at. */
const tilesKeptMax = 16
/** Older checkpoints that are tried for the last good one. */
const triesMax = 32

type Add = (finding: Finding) => void

/** The root of the tree of `size` as the tiles have it; undefined where they cannot be read. */
async function rootOfTiles(reader: LogReader, size: number): Promise<Hash | undefined> {
  let isWhole = true
  const add = () => {
    isWhole = false
  }
  const from = Math.floor(size / tileWidth) * tileWidth
  const ladder = await tileLadder({ reader, size, from, add })
  const width = size - from
  const index = from / tileWidth
  const edge =
    width === 0 ? new Uint8Array() : (await reader.tile({ level: 0, index, width })).value
  return edge === undefined || !isWhole ? undefined : ladder.root(edge)
}

/**
 * Holds the checkpoints of `sizes`, ascending up to `treeSize`, against the tiles. Returns how
 * many could not be told from forgeries because none of the given keys signed them.
 */
export async function checkHistory(options: {
  readonly reader: LogReader
  readonly sizes: readonly number[]
  readonly treeSize: number
  readonly origin: string
  readonly logKeys: readonly VerifierKey[]
  readonly add: Add
  readonly signal: AbortSignal | undefined
}): Promise<{ readonly unknownSigners: number }> {
  const { sizes, add, signal } = options
  const reader = tilesOfTree(options.reader, options.treeSize)
  let unknownSigners = 0
  for (const size of sizes) {
    signal?.throwIfAborted()
    const path = historyPath(size)
    const { value: note, findings } = await reader.note(path)
    findings.forEach(add)
    if (note === undefined) continue
    const { problem, isUnknownSigner } = await judgeHistory({ ...options, reader, size, note })
    if (problem !== undefined) add({ code: 'history_differs', path, detail: `${path} ${problem}` })
    if (isUnknownSigner) unknownSigners++
  }
  return { unknownSigners }
}

async function judgeHistory(options: {
  readonly reader: LogReader
  readonly size: number
  readonly note: string
  readonly origin: string
  readonly logKeys: readonly VerifierKey[]
}): Promise<{ readonly problem?: string; readonly isUnknownSigner: boolean }> {
  const { reader, size, note, origin, logKeys } = options
  const { checkpoint, fault } = openHistory(note, logKeys)
  const isUnknownSigner = fault?.reason === 'signature_missing'
  if (fault !== undefined && !isUnknownSigner) {
    return { problem: `is refused: ${fault.message}`, isUnknownSigner }
  }
  if (checkpoint?.size !== size || checkpoint.origin !== origin) {
    return { problem: 'is no checkpoint of this log and size', isUnknownSigner }
  }
  const root = await rootOfTiles(reader, size)
  const isBorneOut = root === undefined || sameHash(root, checkpoint.root)
  return isBorneOut
    ? { isUnknownSigner }
    : { problem: `has another root than the log of ${size} entries`, isUnknownSigner }
}

export function historyPath(size: number): string {
  return `checkpoints/${size}`
}

type OpenedHistory = { readonly checkpoint?: Checkpoint; readonly fault?: NoteError }

function openHistory(note: string, logKeys: readonly VerifierKey[]): OpenedHistory {
  try {
    return { checkpoint: openCheckpoint(note, logKeys).checkpoint }
  } catch (fault) {
    if (!(fault instanceof NoteError)) throw fault
    if (fault.reason !== 'signature_missing') return { fault }
    return { checkpoint: parseCheckpoint(parseNote(note).text), fault }
  }
}

/**
 * The newest published checkpoint of at most `sizeMax` entries that a key signed and the tiles of
 * the tree of `treeSize` bear out; undefined where none of the last ones is.
 */
export async function findLastGood(options: {
  readonly reader: LogReader
  readonly sizes: readonly number[]
  readonly treeSize: number
  readonly sizeMax: number
  readonly logKeys: readonly VerifierKey[]
}): Promise<Checkpoint | undefined> {
  const { sizes, treeSize, sizeMax, logKeys } = options
  const reader = tilesOfTree(options.reader, treeSize)
  const candidates = sizes.filter((size) => size <= sizeMax).slice(-triesMax)
  for (const size of candidates.toReversed()) {
    const { value: note } = await reader.note(historyPath(size))
    const { checkpoint, fault } = note === undefined ? {} : openHistory(note, logKeys)
    if (checkpoint === undefined || fault !== undefined || checkpoint.size !== size) continue
    const root = await rootOfTiles(reader, size)
    if (root !== undefined && sameHash(root, checkpoint.root)) return checkpoint
  }
  return undefined
}

/**
 * Smaller trees from the tiles of the tree of `size`, which hold theirs: the partial tiles of their
 * time need not be there any more. Checkpoints that follow each other are proved by the same tiles.
 */
function tilesOfTree(reader: LogReader, size: number): LogReader {
  const kept = new Map<string, ReturnType<LogReader['tile']>>()
  return {
    ...reader,
    async tile({ level, index, width }) {
      const now = Math.floor(size / tileWidth ** level) - index * tileWidth
      const tile = { level, index, width: Math.min(tileWidth, now) }
      const path = tilePath(tile)
      const reading = kept.get(path) ?? reader.tile(tile)
      kept.delete(path)
      kept.set(path, reading)
      const [oldest] = kept.keys()
      if (kept.size > tilesKeptMax && oldest !== undefined) kept.delete(oldest)
      const { value, findings } = await reading
      return { value: value?.subarray(0, width * hashBytes), findings }
    },
  }
}

/** A tile could not be read, and a finding says why. */
class TileUnread extends Error {
  override readonly name = 'TileUnread'
}

/**
 * Whether the tree of `newer` begins with that of `older`, proved from the tiles; undefined where
 * those could not be read, which is then a finding.
 */
export async function isConsistent(
  reader: LogReader,
  { older, newer }: { readonly older: Checkpoint; readonly newer: Checkpoint },
  add: Add,
): Promise<boolean | undefined> {
  const readTile: ReadTile = async (tile) => {
    const { value, findings } = await reader.tile(tile)
    findings.forEach(add)
    if (value === undefined) throw new TileUnread(tilePath(tile))
    return value
  }
  try {
    const proof = await proveConsistency(older.size, newer.size, readTile)
    const roots = { oldRoot: older.root, newRoot: newer.root }
    return verifyConsistency({ oldSize: older.size, newSize: newer.size, ...roots, proof })
  } catch (error) {
    if (error instanceof TileUnread || error instanceof TileError) return undefined
    throw error
  }
}
