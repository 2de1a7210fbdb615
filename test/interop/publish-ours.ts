import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatCheckpoint } from '#core/audit/note/checkpoint.ts'
import { cosign } from '#core/audit/note/cosignature.ts'
import { signNote } from '#core/audit/note/note.ts'
import { generateSignerKey, parseSignerKey } from '#core/audit/note/signer.ts'
import { publishTiles } from '#core/audit/sequence/publish-tiles.ts'
import { recentEntries } from '#core/audit/sequence/recent-entries.ts'
import { openFileTileStore } from '#core/audit/store/file-tile-store.ts'
import type { TileSource } from '#core/audit/store/tile-source.ts'
import { appendLeaves, type Frontier, frontierRoot } from '#core/audit/tree/frontier.ts'
import { type Hash, hashBytes, hashLeaf } from '#core/audit/tree/hash.ts'
import { type Tile, tilePath, tileWidth } from '#core/audit/tree/tile.ts'
import { proveConsistency, proveInclusion } from '#core/audit/tree/tile-proof.ts'
import { openLog } from '#core/log.ts'
import { simulatedWorld } from '../audit/sequence/simulated-world.ts'

const origin = 'postern.example.com/audit'

/** A published log in `directory` that grew through `sizes`, and `claims.json` beside it. */
export async function publishOurs(directory: string, sizes: readonly number[]): Promise<void> {
  const store = await openFileTileStore(directory)
  const target = { store, recent: recentEntries(), ...ports() }
  const roots = new Map<number, Hash>()
  const { signerKey, verifierKey } = generateSignerKey(origin, 'ed25519')
  const signers = [parseSignerKey(signerKey)]
  let frontier: Frontier = []
  let size = 0
  for (const newSize of sizes) {
    const entries = Array.from({ length: newSize - size }, (_, at) => entryAt(size + at))
    target.recent.add(size, entries)
    const leaves = entries.map((entry) => entry.leaf)
    frontier = appendLeaves(frontier, size, leaves)
    const root = frontierRoot(frontier)
    const text = formatCheckpoint({ origin, size: newSize, root })
    const note = signNote(text, signers) + cosignatureOf(text)
    await publishTiles(size, { size: newSize, root, note }, target)
    size = newSize
    roots.set(size, root)
    await store.writeCheckpoint(new TextEncoder().encode(note))
  }
  const claims = { verifierKey, signerKey, ...(await claimsOf(roots, readerOf(store))) }
  await writeFile(join(directory, 'claims.json'), JSON.stringify(claims, encodeHash))
}

function ports() {
  return { database: simulatedWorld().database, log: openLog({ level: 'silent' }) }
}

/** Entries of different lengths, the empty one and the longest among them. */
function entryAt(index: number) {
  const text = index === 3 ? '' : JSON.stringify({ index, text: String(index * index) })
  const body = index === 4 ? new Uint8Array(65_535).fill(255) : new TextEncoder().encode(text)
  return { rec: String(index), body, leaf: hashLeaf(body) }
}

/** A line of a type that the Go module does not know, and has to pass over. */
function cosignatureOf(text: string): string {
  const { signerKey } = generateSignerKey('witness.example.com', 'cosignature')
  return cosign(text, 1_800_000_000, parseSignerKey(signerKey))
}

/** The tiles of a smaller size may be gone; the fuller ones begin with them. */
export function readerOf(source: TileSource): (tile: Tile) => Promise<Uint8Array> {
  return async (tile) => {
    for (let width = tile.width; width <= tileWidth; width++) {
      const bytes = await source.read(tilePath({ ...tile, width }))
      if (bytes !== undefined) return bytes.subarray(0, tile.width * hashBytes)
    }
    throw new Error(`${tilePath(tile)} is missing`)
  }
}

async function claimsOf(
  roots: ReadonlyMap<number, Hash>,
  readTile: (tile: Tile) => Promise<Uint8Array>,
) {
  const inclusions = []
  const consistencies = []
  for (const [size, root] of roots) {
    for (const index of new Set([0, Math.floor(size / 3), Math.floor(size / 2), size - 1])) {
      const proof = await proveInclusion(index, size, readTile)
      inclusions.push({ index, size, leaf: entryAt(index).leaf, root, proof })
    }
    for (const [oldSize, oldRoot] of roots) {
      if (oldSize > size) continue
      const proof = await proveConsistency(oldSize, size, readTile)
      consistencies.push({ oldSize, oldRoot, newSize: size, newRoot: root, proof })
    }
  }
  return { inclusions, consistencies }
}

function encodeHash(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}
