import { type Checkpoint, parseCheckpoint } from '../note/checkpoint.ts'
import { parseNote } from '../note/note.ts'
import { formatReceipt } from '../note/receipt.ts'
import { readTile } from '../store/published-log.ts'
import { SourceUnreachable, type TileSource } from '../store/tile-source.ts'
import { tilePath } from '../tree/tile.ts'
import { proveInclusion, type ReadTile } from '../tree/tile-proof.ts'

/** The newest published checkpoint, as a note and as what it says; undefined before the first. */
export async function readCheckpoint(
  source: TileSource,
): Promise<{ readonly note: string; readonly checkpoint: Checkpoint } | undefined> {
  const bytes = await source.read('checkpoint')
  if (bytes === undefined) return undefined
  const note = new TextDecoder().decode(bytes)
  return { note, checkpoint: parseCheckpoint(parseNote(note).text) }
}

/** Tiles of a published log, for proofs. What is not there cannot be proved from. */
export function publishedTiles(source: TileSource): ReadTile {
  return async (tile) => {
    const bytes = await readTile(source, tile)
    if (bytes === undefined) throw new SourceUnreachable(`${tilePath(tile)} is not published`)
    return bytes
  }
}

/**
 * The `.tlog-proof` of an entry under the newest published checkpoint; undefined while that does
 * not reach it. Throws `SourceUnreachable`.
 */
export async function makeReceipt(source: TileSource, index: number): Promise<string | undefined> {
  const newest = await readCheckpoint(source)
  if (newest === undefined || index >= newest.checkpoint.size) return undefined
  const proof = await proveInclusion(index, newest.checkpoint.size, publishedTiles(source))
  return formatReceipt({ index, proof, checkpoint: newest.note })
}
