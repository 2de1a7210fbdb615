import { expect } from 'bun:test'
import { parseCheckpoint } from '#core/audit/note/checkpoint.ts'
import { parseNote, verifyNote } from '#core/audit/note/note.ts'
import type { VerifierKey } from '#core/audit/note/verifier-key.ts'
import type { LogEntry, SignedTree } from '#core/audit/sequence/log-database.ts'
import { appendLeaf, type Frontier, frontierRoot } from '#core/audit/tree/frontier.ts'
import { type Hash, hashLeaf } from '#core/audit/tree/hash.ts'
import { bundlePath, decodeBundle, type Tile, tilePath, tilesOf } from '#core/audit/tree/tile.ts'

export type LogContents = {
  readonly entries: readonly LogEntry[]
  readonly trees: readonly SignedTree[]
  /** By path; bundles as they are before compression. */
  readonly objects: ReadonlyMap<string, Uint8Array>
}

/**
 * Throws where one of the promises is broken: an acknowledged record is in the log exactly once, no
 * two signed trees differ, and whatever is published is whole and was committed.
 */
export function checkLog(
  { entries, trees, objects }: LogContents,
  acknowledged: ReadonlyMap<string, Uint8Array>,
  keys: readonly VerifierKey[],
): void {
  const inLog = entries.map((entry) => entry.rec)
  expect(inLog.toSorted()).toEqual([...acknowledged.keys()].toSorted())
  for (const { rec, body, leaf } of entries) {
    expect(Buffer.compare(body, acknowledged.get(rec) ?? Buffer.of())).toBe(0)
    expect(Buffer.compare(leaf, hashLeaf(body))).toBe(0)
  }
  checkTrees({ entries, trees, objects }, keys)
}

/** The same without the question whose records they are. */
export function checkTrees(
  { entries, trees, objects }: LogContents,
  keys: readonly VerifierKey[],
): void {
  const roots = rootsOf(entries)
  for (const { size, root, note } of trees) {
    expect(hex(root)).toBe(hex(roots[size]))
    verifyNote(parseNote(note), keys)
  }
  expect(new Set(trees.map((tree) => tree.size)).size).toBe(trees.length)
  const published = [...objects.keys()].filter((path) => /^checkpoint(s\/\d+)?$/.test(path))
  for (const path of published) {
    const { size, root } = checkpointAt(objects, path)
    expect(hex(root)).toBe(hex(roots[size]))
    expect(trees.some((tree) => tree.size === size)).toBe(true)
    checkTiles(objects, entries, size)
  }
}

export function checkpointAt(objects: LogContents['objects'], path: string) {
  const note = new TextDecoder().decode(objects.get(path))
  return parseCheckpoint(parseNote(note).text)
}

function rootsOf(entries: readonly LogEntry[]): Hash[] {
  let frontier: Frontier = []
  const roots = [frontierRoot(frontier)]
  for (const [size, { leaf }] of entries.entries()) {
    frontier = appendLeaf(frontier, size, leaf)
    roots.push(frontierRoot(frontier))
  }
  return roots
}

function checkTiles(
  objects: LogContents['objects'],
  entries: readonly LogEntry[],
  size: number,
): void {
  for (const tile of tilesOf(size)) {
    const { level, index, width } = tile
    const { bytes } = present(objects, tile, tilePath)
    const span = 256 ** level
    for (let at = 0; at < width; at++) {
      const from = (index * 256 + at) * span
      const leaves = entries.slice(from, from + span).map((entry) => entry.leaf)
      expect(hex(bytes.subarray(at * 32, at * 32 + 32))).toBe(hex(rootOf(leaves)))
    }
    if (level > 0) continue
    const bundle = present(objects, tile, bundlePath)
    const bodies = decodeBundle(bundle.bytes, bundle.width).slice(0, width).map(hex)
    const wanted = entries.slice(index * 256, index * 256 + width)
    expect(bodies).toEqual(wanted.map((entry) => hex(entry.body)))
  }
}

/** A partial tile may be gone once the full one is there. */
function present(objects: LogContents['objects'], tile: Tile, pathOf: (tile: Tile) => string) {
  for (const width of [tile.width, 256]) {
    const bytes = objects.get(pathOf({ ...tile, width }))
    if (bytes !== undefined) return { bytes, width }
  }
  throw new Error(`${pathOf(tile)} is not published`)
}

function rootOf(leaves: readonly Hash[]): Hash {
  let frontier: Frontier = []
  for (const [size, leaf] of leaves.entries()) frontier = appendLeaf(frontier, size, leaf)
  return frontierRoot(frontier)
}

function hex(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? 'missing' : Buffer.from(bytes).toString('hex')
}
