import { readBundle } from '../store/published-log.ts'
import { SourceUnreachable, type TileSource } from '../store/tile-source.ts'
import { type Bundle, bundlePath, TileError, tileWidth } from '../tree/tile.ts'

/** Entries `from` … `to` − 1 of a published tree, bundle by bundle. Throws `SourceUnreachable`. */
export async function* logEntries(
  source: TileSource,
  from: number,
  to: number,
): AsyncGenerator<{ readonly index: number; readonly bytes: Uint8Array }> {
  for (let index = Math.floor(from / tileWidth); index * tileWidth < to; index++) {
    const width = Math.min(tileWidth, to - index * tileWidth)
    const entries = await entriesOf(source, { index, width })
    for (const [at, bytes] of entries.entries()) {
      const position = index * tileWidth + at
      if (position >= from) yield { index: position, bytes }
    }
  }
}

async function entriesOf(source: TileSource, bundle: Bundle): Promise<readonly Uint8Array[]> {
  try {
    const entries = await readBundle(source, bundle)
    if (entries !== undefined) return entries
  } catch (cause) {
    if (!(cause instanceof TileError)) throw cause
    throw new SourceUnreachable(cause.message, { cause })
  }
  throw new SourceUnreachable(`${bundlePath(bundle)} is missing`)
}
