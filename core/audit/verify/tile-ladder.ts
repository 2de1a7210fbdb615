import { appendLeaves, frontierRoot } from '../tree/frontier.ts'
import { type Hash, hashBytes, hashTree, sameHash } from '../tree/hash.ts'
import { splitHashes, tilePath, tileWidth } from '../tree/tile.ts'
import type { Finding } from './findings.ts'
import type { LogReader } from './log-reader.ts'

/**
 * The tiles above level 0, climbed from left to right: each full tile is held against its hash in
 * the tile above, and what remains unfinished at every level gives the root.
 */
export type TileLadder = {
  /** The hash of the next full tile of level 0; undefined for one that could not be read. */
  climb(hash: Hash | undefined): Promise<void>
  /** The root over all of it and the leaf hashes behind the last full tile; undefined if unknown. */
  root(edge: Uint8Array): Hash | undefined
}

type Rung = {
  /** Of the next hash on this level, counted from the log's beginning. */
  next: number
  /** Hashes of the unfinished tile, taken over from below. */
  readonly own: Uint8Array
  /** The tile as it is stored. */
  stored: Uint8Array | undefined
  /** Whether a hash of the unfinished tile is known from nowhere. */
  isHoled: boolean
}

/**
 * Starts at entry `from`, a multiple of 256. What lies before is taken from the stored tiles as it
 * stands; the root tells whether it was right.
 */
export async function tileLadder(options: {
  readonly reader: LogReader
  readonly size: number
  readonly from: number
  readonly add: (finding: Finding) => void
}): Promise<TileLadder> {
  const { reader, size, from, add } = options
  const rungs: Rung[] = []

  async function readStored(level: number, index: number): Promise<Uint8Array | undefined> {
    const width = Math.min(tileWidth, Math.floor(size / tileWidth ** level) - index * tileWidth)
    const { value, findings } = await reader.tile({ level, index, width })
    findings.forEach(add)
    return value
  }

  async function openRung(level: number): Promise<Rung> {
    const next = Math.floor(from / tileWidth ** level)
    const known = (next % tileWidth) * hashBytes
    const own = new Uint8Array(tileWidth * hashBytes)
    const stored = known === 0 ? undefined : await readStored(level, Math.floor(next / tileWidth))
    own.set(stored?.subarray(0, known) ?? [])
    return { next, own, stored, isHoled: known > 0 && stored === undefined }
  }

  async function rungAt(level: number): Promise<Rung> {
    const rung = rungs[level] ?? (await openRung(level))
    rungs[level] = rung
    return rung
  }

  async function climb(level: number, hash: Hash | undefined): Promise<void> {
    const rung = await rungAt(level)
    const index = Math.floor(rung.next / tileWidth)
    const offset = (rung.next % tileWidth) * hashBytes
    if (offset === 0) {
      rung.stored = await readStored(level, index)
      rung.isHoled = false
    }
    const above = rung.stored?.subarray(offset, offset + hashBytes)
    if (above !== undefined && hash !== undefined && !sameHash(above, hash)) {
      add(tileDiffers(level, rung.next))
    }
    // The higher tile is believed until the root says otherwise: one changed tile is one finding.
    const kept = above ?? hash
    if (kept === undefined) rung.isHoled = true
    else rung.own.set(kept, offset)
    rung.next += 1
    if (rung.next % tileWidth !== 0) return
    await climb(level + 1, rung.isHoled ? undefined : hashTree(rung.own))
  }

  function root(edge: Uint8Array): Hash | undefined {
    const unfinished = rungs.filter((rung) => rung.next % tileWidth !== 0)
    if (unfinished.some(({ isHoled }) => isHoled)) return undefined
    const levels = [edge, ...rungs.slice(1).map(unfinishedHashes)].reverse()
    return frontierRoot(levels.flatMap((hashes) => appendLeaves([], 0, splitHashes(hashes))))
  }

  // Levels that hold hashes from before `from` alone take part in the root as well.
  for (let level = 1; Math.floor(from / tileWidth ** level) > 0; level++) await rungAt(level)
  rungs[0] = { next: 0, own: new Uint8Array(), stored: undefined, isHoled: false }
  return { climb: (hash) => climb(1, hash), root }
}

function unfinishedHashes({ next, own }: Rung): Uint8Array {
  return own.subarray(0, (next % tileWidth) * hashBytes)
}

function tileDiffers(level: number, childIndex: number): Finding {
  const child = tilePath({ level: level - 1, index: childIndex, width: tileWidth })
  const parent = tilePath({ level, index: Math.floor(childIndex / tileWidth), width: tileWidth })
  const index = childIndex * tileWidth ** level
  const last = index + tileWidth ** level - 1
  const detail = `${child} (entries ${index} to ${last}) is not what ${parent} hashes`
  return { code: 'tile_differs', index, path: child, detail }
}
