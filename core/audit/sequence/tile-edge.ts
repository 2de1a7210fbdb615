import { emptyRoot, type Hash, hashTree } from '../tree/hash.ts'
import { type Tile, tileWidth } from '../tree/tile.ts'

export type TileContents = { readonly tile: Tile; readonly hashes: Uint8Array }

/** The right edge of a tree: what a tile of each level needs to be continued. */
export type TileEdge = {
  /**
   * Adds the leaves of the next tile of level 0, fewer than 256 at the very end. Returns the tiles
   * of higher levels that are full now.
   */
  add(leaves: Uint8Array): TileContents[]
  /** Of the levels above 0. */
  partialTiles(): TileContents[]
  /** RFC 6962, 2.1, of everything up to what was added last. */
  root(): Hash
}

/** `levels` from level 1 upwards: the unfinished tile's index and the hashes it has. */
export function tileEdge(
  levels: readonly { readonly index: number; readonly hashes: readonly Hash[] }[],
): TileEdge {
  const unfinished = levels.map(({ index, hashes }) => ({ index, hashes: [...hashes] }))
  /** Of the leaves behind the last full tile; the empty root where there are none. */
  let rest: Hash = emptyRoot

  function contents(above: number): TileContents {
    const { index, hashes } = unfinished[above] ?? { index: 0, hashes: [] }
    const tile = { level: above + 1, index, width: hashes.length }
    return { tile, hashes: Buffer.concat(hashes) }
  }

  function carry(above: number, hash: Hash): TileContents[] {
    const { index, hashes } = unfinished[above] ?? { index: 0, hashes: [] }
    unfinished[above] = { index, hashes: [...hashes, hash] }
    if (hashes.length + 1 < tileWidth) return []
    const full = contents(above)
    unfinished[above] = { index: index + 1, hashes: [] }
    return [full, ...carry(above + 1, hashTree(full.hashes))]
  }

  return {
    add(leaves) {
      const hash = hashTree(leaves)
      const isFull = leaves.length === tileWidth * hash.length
      rest = isFull ? emptyRoot : hash
      return isFull ? carry(0, hash) : []
    },
    partialTiles: () =>
      unfinished.map((_, above) => contents(above)).filter(({ tile }) => tile.width > 0),
    // Perfect subtrees of one size with something smaller behind them are split between them.
    root: () =>
      unfinished.reduce(
        (right, { hashes }) =>
          hashTree(Buffer.concat(right === emptyRoot ? hashes : [...hashes, right])),
        rest,
      ),
  }
}
