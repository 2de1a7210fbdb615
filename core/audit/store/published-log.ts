import { hashBytes } from '../tree/hash.ts'
import {
  type Bundle,
  bundlePath,
  decodeBundle,
  type Tile,
  tilePath,
  tileWidth,
} from '../tree/tile.ts'
import type { TileSource } from './tile-source.ts'

/**
 * A tile's hashes, end to end: `width` of them. Undefined where neither it nor the full tile that
 * stands in for a partial one (C2SP tlog-tiles) is there. Throws what the source throws.
 */
export async function readTile(source: TileSource, tile: Tile): Promise<Uint8Array | undefined> {
  const needed = tile.width * hashBytes
  const bytes =
    (await source.read(tilePath(tile))) ??
    (tile.width < tileWidth
      ? await source.read(tilePath({ ...tile, width: tileWidth }))
      : undefined)
  return bytes === undefined || bytes.length < needed ? undefined : bytes.subarray(0, needed)
}

/**
 * A bundle's entries: `width` of them. Undefined where neither it nor the full bundle is there.
 * Throws `TileError` for bytes that are no bundle, and what the source throws.
 */
export async function readBundle(
  source: TileSource,
  bundle: Bundle,
): Promise<readonly Uint8Array[] | undefined> {
  const own = await source.read(bundlePath(bundle))
  if (own !== undefined) return decodeBundle(own, bundle.width)
  if (bundle.width === tileWidth) return undefined
  const full = await source.read(bundlePath({ ...bundle, width: tileWidth }))
  return full && decodeBundle(full, tileWidth).slice(0, bundle.width)
}
