import { invariant } from '#core/invariant.ts'
import type { Log } from '#core/log.ts'
import { readTile } from '../store/published-log.ts'
import type { TileStore } from '../store/tile-store.ts'
import { type Hash, sameHash } from '../tree/hash.ts'
import { bundlePath, encodeBundle, splitHashes, tilePath, tileWidth } from '../tree/tile.ts'
import type { LogDatabase, LogEntry, SignedTree } from './log-database.ts'
import type { RecentEntries } from './recent-entries.ts'
import { type TileContents, type TileEdge, tileEdge } from './tile-edge.ts'

/** Entries read and written at once; 4,096 of 65,535 bytes are 268 MB. */
const portionMax = 16 * tileWidth

export type TileTarget = {
  readonly database: Pick<LogDatabase, 'readEntries'>
  readonly store: TileStore
  readonly recent: RecentEntries
  readonly log: Log
}

/**
 * Writes the tiles and bundles that a reader of the tree needs beyond those of `publishedSize`.
 * Done again it writes the same bytes. What would not make the root of the tree is not written.
 */
export async function publishTiles(
  publishedSize: number,
  tree: SignedTree,
  target: TileTarget,
): Promise<void> {
  const { database, store, recent, log } = target
  const edge = await readEdge(publishedSize, store)
  if (edge === undefined) {
    log.error('audit.tiles_missing', { publishedSize })
    return await publishTiles(0, tree, target)
  }
  let from = Math.floor(publishedSize / tileWidth) * tileWidth
  while (from < tree.size) {
    const to = Math.min(from + portionMax, tree.size)
    const entries = recent.read(from, to) ?? (await database.readEntries(from, to))
    const objects = makeObjects(from, entries, edge)
    if (to === tree.size) {
      invariant(sameHash(edge.root(), tree.root), 'the tiles make the root that was signed')
      objects.push(...edge.partialTiles().map(tileObject))
    }
    await Promise.all(objects.map(({ path, bytes }) => store.writeOnce(path, bytes)))
    from = to
  }
}

type PublishedObject = { readonly path: string; readonly bytes: Uint8Array }

/** Bundles and tiles of entries from the start of a tile on; the edge grows by them. */
function makeObjects(
  from: number,
  entries: readonly LogEntry[],
  edge: TileEdge,
): PublishedObject[] {
  return splitTiles(entries).flatMap((portion, at) => {
    const place = { index: from / tileWidth + at, width: portion.length }
    const leaves = Buffer.concat(portion.map((entry) => entry.leaf))
    const bundle = encodeBundle(portion.map((entry) => entry.body))
    return [
      { path: bundlePath(place), bytes: bundle },
      tileObject({ tile: { level: 0, ...place }, hashes: leaves }),
      ...edge.add(leaves).map(tileObject),
    ]
  })
}

function tileObject({ tile, hashes }: TileContents): PublishedObject {
  return { path: tilePath(tile), bytes: hashes }
}

function splitTiles(entries: readonly LogEntry[]): (readonly LogEntry[])[] {
  const count = Math.ceil(entries.length / tileWidth)
  return Array.from({ length: count }, (_, at) =>
    entries.slice(at * tileWidth, (at + 1) * tileWidth),
  )
}

/** Undefined where the store lacks what it once had. */
async function readEdge(size: number, store: TileStore): Promise<TileEdge | undefined> {
  const levels: { index: number; hashes: Hash[] }[] = []
  let count = Math.floor(size / tileWidth)
  for (let level = 1; count > 0; level++) {
    const width = count % tileWidth
    const index = Math.floor(count / tileWidth)
    const tile = width === 0 ? new Uint8Array() : await readTile(store, { level, index, width })
    if (tile === undefined) return undefined
    levels.push({ index, hashes: splitHashes(tile) })
    count = index
  }
  return tileEdge(levels)
}
