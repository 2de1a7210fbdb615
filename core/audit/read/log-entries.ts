import { SourceUnreachable, type TileSource } from '../store/tile-source.ts'
import { bundlePath, decodeBundle, TileError, tileWidth } from '../tree/tile.ts'

/** Entries `from` … `to` − 1 of a published tree, bundle by bundle. Throws `SourceUnreachable`. */
export async function* logEntries(
  source: TileSource,
  from: number,
  to: number,
): AsyncGenerator<{ readonly index: number; readonly bytes: Uint8Array }> {
  for (let index = Math.floor(from / tileWidth); index * tileWidth < to; index++) {
    const width = Math.min(tileWidth, to - index * tileWidth)
    const entries = await readBundle(source, index, width)
    for (const [at, bytes] of entries.entries()) {
      const position = index * tileWidth + at
      if (position >= from) yield { index: position, bytes }
    }
  }
}

async function readBundle(
  source: TileSource,
  index: number,
  width: number,
): Promise<readonly Uint8Array[]> {
  const partial = await source.read(bundlePath({ index, width }))
  const full = partial ?? (await source.read(bundlePath({ index, width: tileWidth })))
  if (full === undefined) throw new SourceUnreachable(`${bundlePath({ index, width })} is missing`)
  try {
    return decodeBundle(full, partial === undefined ? tileWidth : width).slice(0, width)
  } catch (cause) {
    if (!(cause instanceof TileError)) throw cause
    throw new SourceUnreachable(cause.message, { cause })
  }
}
