import type { Log } from '#core/log.ts'
import type { TileStore } from '../store/tile-store.ts'
import { type Hash, hashTree } from '../tree/hash.ts'
import {
  bundlePath,
  encodeBundle,
  splitHashes,
  type Tile,
  tilePath,
  tileWidth,
} from '../tree/tile.ts'
import type { LogDatabase, LogEntry } from './log-database.ts'
import type { RecentEntries } from './recent-entries.ts'
import { type TileContents, type TileEdge, tileEdge } from './tile-edge.ts'

/** Entries read and written at once; 4,096 of 65,535 bytes are 268 MB. */
const portionMax = 16 * tileWidth

export type TileTarget = {
  readonly database: LogDatabase
  readonly store: TileStore
  readonly recent: RecentEntries
  readonly log: Log
}

/**
 * Writes the tiles and bundles that a reader of the tree of `size` needs beyond those of
 * `publishedSize`. Done again it writes the same bytes.
 */
export async function publishTiles(
  publishedSize: number,
  size: number,
  target: TileTarget,
): Promise<void> {
  const { store, log } = target
  const edge = await readEdge(publishedSize, store)
  if (edge === undefined) {
    log.error('audit.tiles_missing', { publishedSize })
    return await publishTiles(0, size, target)
  }
  let from = Math.floor(publishedSize / tileWidth) * tileWidth
  while (from < size) {
    const to = Math.min(from + portionMax, size)
    for (const hash of await writeEntries(from, to, target)) {
      await writeTiles(edge.add(hash), store)
    }
    from = to
  }
  await writeTiles(edge.partialTiles(), store)
}

/** Writes bundles and level 0; returns the hashes of the tiles that are full. */
async function writeEntries(
  from: number,
  to: number,
  { database, store, recent }: TileTarget,
): Promise<Hash[]> {
  const entries = recent.read(from, to) ?? (await database.readEntries(from, to))
  const hashes = await Promise.all(
    splitTiles(entries).map(async (portion, at) => {
      const place = { index: from / tileWidth + at, width: portion.length }
      const leaves = Buffer.concat(portion.map((entry) => entry.leaf))
      await store.writeOnce(bundlePath(place), encodeBundle(portion.map((entry) => entry.body)))
      await store.writeOnce(tilePath({ level: 0, ...place }), leaves)
      return place.width === tileWidth ? [hashTree(leaves)] : []
    }),
  )
  return hashes.flat()
}

function splitTiles(entries: readonly LogEntry[]): (readonly LogEntry[])[] {
  const count = Math.ceil(entries.length / tileWidth)
  return Array.from({ length: count }, (_, at) =>
    entries.slice(at * tileWidth, (at + 1) * tileWidth),
  )
}

async function writeTiles(contents: readonly TileContents[], store: TileStore): Promise<void> {
  await Promise.all(contents.map(({ tile, hashes }) => store.writeOnce(tilePath(tile), hashes)))
}

/** Undefined where the store lacks what it once had. */
async function readEdge(size: number, store: TileStore): Promise<TileEdge | undefined> {
  const levels: { index: number; hashes: Hash[] }[] = []
  let count = Math.floor(size / tileWidth)
  for (let level = 1; count > 0; level++) {
    const width = count % tileWidth
    const index = Math.floor(count / tileWidth)
    const hashes = width === 0 ? [] : await readHashes({ level, index, width }, store)
    if (hashes === undefined) return undefined
    levels.push({ index, hashes })
    count = index
  }
  return tileEdge(levels)
}

async function readHashes(tile: Tile, store: TileStore): Promise<Hash[] | undefined> {
  const bytes =
    (await store.read(tilePath(tile))) ??
    (await store.read(tilePath({ ...tile, width: tileWidth })))
  if (bytes === undefined) return undefined
  const hashes = splitHashes(bytes).slice(0, tile.width)
  return hashes.length === tile.width ? hashes : undefined
}
