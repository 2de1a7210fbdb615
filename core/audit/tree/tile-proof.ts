import { invariant } from '#core/invariant.ts'
import { type Hash, hashBytes, hashNode, hashTree } from './hash.ts'
import { checkTileBytes, type Tile, tilePath, tileWidth } from './tile.ts'

/**
 * The `width × 32` bytes of a tile. A partial tile that is gone is the beginning of the tile that
 * replaced it. Whatever this throws passes through the proof.
 */
export type ReadTile = (tile: Tile) => Promise<Uint8Array>

/**
 * RFC 6962 section 2.1.1: the hashes from the sibling of leaf `index` upward, in the tree of `size`
 * entries. Nothing is verified here: tiles that are wrong give a proof that does not hold.
 * @throws {TileError} where a tile has another length than its width.
 */
export async function proveInclusion(
  index: number,
  size: number,
  readTile: ReadTile,
): Promise<Hash[]> {
  invariant(isSize(index) && isSize(size) && index < size, 'a leaf stands within its tree')
  const siblings: Range[] = []
  let tree: Range = { from: 0, to: size }
  while (tree.to - tree.from > 1) {
    const middle = splitOf(tree)
    const left = { from: tree.from, to: middle }
    const right = { from: middle, to: tree.to }
    siblings.push(index < middle ? right : left)
    tree = index < middle ? left : right
  }
  return await hashRanges(siblings.reverse(), size, readTile)
}

/**
 * RFC 6962 section 2.1.2: that the tree of `newSize` entries begins with that of `oldSize`. Empty
 * where the sizes are the same or the old tree is empty. Nothing is verified, as above.
 * @throws {TileError} where a tile has another length than its width.
 */
export async function proveConsistency(
  oldSize: number,
  newSize: number,
  readTile: ReadTile,
): Promise<Hash[]> {
  invariant(isSize(oldSize) && isSize(newSize) && oldSize <= newSize, 'a tree only grows')
  if (oldSize === 0) return []
  const parts: Range[] = []
  let tree: Range = { from: 0, to: newSize }
  while (tree.to !== oldSize) {
    const middle = splitOf(tree)
    const left = { from: tree.from, to: middle }
    const right = { from: middle, to: tree.to }
    parts.push(oldSize <= middle ? right : left)
    tree = oldSize <= middle ? left : right
  }
  // A subtree that begins at the first entry is the whole old tree, whose root the reader has.
  if (tree.from > 0) parts.push(tree)
  return await hashRanges(parts.reverse(), newSize, readTile)
}

/** The entries `from` … `to − 1`. */
type Range = { readonly from: number; readonly to: number }

/** Behind the largest power of two of entries that leaves at least one. */
function splitOf({ from, to }: Range): number {
  const power = largestPower(to - from)
  return power === to - from ? from + power / 2 : from + power
}

function largestPower(count: number): number {
  let power = 1
  while (power * 2 <= count) power *= 2
  return power
}

async function hashRanges(
  ranges: readonly Range[],
  size: number,
  readTile: ReadTile,
): Promise<Hash[]> {
  const readOnce = remember(readTile)
  return await Promise.all(ranges.map((range) => hashRange(range, size, readOnce)))
}

/** Neighbouring subtrees lie in the same tile. */
function remember(readTile: ReadTile): ReadTile {
  const known = new Map<string, Promise<Uint8Array>>()
  async function read(tile: Tile): Promise<Uint8Array> {
    const bytes = await readTile(tile)
    checkTileBytes(tile, bytes)
    return bytes
  }
  return (tile) => {
    const path = tilePath(tile)
    const bytes = known.get(path) ?? read(tile)
    known.set(path, bytes)
    return bytes
  }
}

/** A range at the right edge is several perfect subtrees, which hash together from the right. */
async function hashRange({ from, to }: Range, size: number, readTile: ReadTile): Promise<Hash> {
  const subtrees: Promise<Hash>[] = []
  let at = from
  while (at < to) {
    const count = largestPower(to - at)
    subtrees.push(hashSubtree(at, count, size, readTile))
    at += count
  }
  const hashes = await Promise.all(subtrees)
  return hashes.reduceRight((right, left) => hashNode(left, right))
}

/** `count`, a power of two, of entries from one of its multiples on: in one tile at its level. */
async function hashSubtree(
  from: number,
  count: number,
  size: number,
  readTile: ReadTile,
): Promise<Hash> {
  let [level, first, hashes, levelSize] = [0, from, count, size]
  while (hashes >= tileWidth) {
    level += 1
    first /= tileWidth
    hashes /= tileWidth
    levelSize = Math.floor(levelSize / tileWidth)
  }
  const index = Math.floor(first / tileWidth)
  const width = Math.min(tileWidth, levelSize - index * tileWidth)
  const bytes = await readTile({ level, index, width })
  const offset = (first % tileWidth) * hashBytes
  return hashTree(bytes.subarray(offset, offset + hashes * hashBytes))
}

function isSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0
}
