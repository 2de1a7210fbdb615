import { type Hash, hashTree } from '../tree/hash.ts'
import { type Tile, tileWidth } from '../tree/tile.ts'

export type TileContents = { readonly tile: Tile; readonly hashes: Uint8Array }

/** The unfinished tiles above level 0. */
export type TileEdge = {
  /** Adds the hash of the next full tile of level 0; returns the tiles that are full now. */
  add(hash: Hash): TileContents[]
  partialTiles(): TileContents[]
}

/** `levels` from level 1 upwards: the unfinished tile's index and the hashes it has. */
export function tileEdge(
  levels: readonly { readonly index: number; readonly hashes: readonly Hash[] }[],
): TileEdge {
  const unfinished = levels.map(({ index, hashes }) => ({ index, hashes: [...hashes] }))

  function contents(above: number): TileContents {
    const { index, hashes } = unfinished[above] ?? { index: 0, hashes: [] }
    const tile = { level: above + 1, index, width: hashes.length }
    return { tile, hashes: Buffer.concat(hashes) }
  }

  function add(above: number, hash: Hash): TileContents[] {
    const { index, hashes } = unfinished[above] ?? { index: 0, hashes: [] }
    unfinished[above] = { index, hashes: [...hashes, hash] }
    if (hashes.length + 1 < tileWidth) return []
    const full = contents(above)
    unfinished[above] = { index: index + 1, hashes: [] }
    return [full, ...add(above + 1, hashTree(full.hashes))]
  }

  return {
    add: (hash) => add(0, hash),
    partialTiles: () =>
      unfinished.map((_, above) => contents(above)).filter(({ tile }) => tile.width > 0),
  }
}
