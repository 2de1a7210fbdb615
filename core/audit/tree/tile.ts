import { invariant } from '#core/invariant.ts'
import { type Hash, hashBytes } from './hash.ts'

/** Tiles and their paths as in C2SP tlog-tiles, with trees of fewer than 2^53 entries. */

/** Hashes in a full tile and entries in a full bundle. */
export const tileWidth = 256

/** A bundle writes an entry's length as an unsigned 16-bit number. */
export const entryBytesMax = 65_535

/** Level 0 holds leaf hashes, a level above it the roots of the full tiles below. */
export type Tile = {
  readonly level: number
  readonly index: number
  /** 1 … 256; less than 256 is a partial tile at the right edge. */
  readonly width: number
}

/** The entries under one tile of level 0. */
export type Bundle = { readonly index: number; readonly width: number }

/** Bytes that are not a tile or bundle of the size their path says. */
export class TileError extends Error {
  override readonly name = 'TileError'
}

/** For example `tile/0/x001/x234/067.p/5`. */
export function tilePath({ level, index, width }: Tile): string {
  return `tile/${level}/${tileNumber(index)}${partialSuffix(width)}`
}

/** For example `tile/entries/x001/x234/067`. */
export function bundlePath({ index, width }: Bundle): string {
  return `tile/entries/${tileNumber(index)}${partialSuffix(width)}`
}

function tileNumber(index: number): string {
  const digits = String(index)
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? []
  return groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/')
}

function partialSuffix(width: number): string {
  invariant(isWidth(width), 'a tile holds 1 to 256 hashes')
  return width === tileWidth ? '' : `.p/${width}`
}

// Anchored and without an alternative spelling of any number, so that one tile has one path.
const pathForm = /^tile\/(entries|\d|[1-5]\d|6[0-3])\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/

/** Undefined for everything that {@link tilePath} and {@link bundlePath} would not have written. */
export function parseTilePath(path: string): Tile | { readonly entries: Bundle } | undefined {
  const [, level, groups, partial] = pathForm.exec(path) ?? []
  if (level === undefined || groups === undefined) return undefined
  if (groups.startsWith('x000/')) return undefined
  const index = Number(groups.replaceAll(/[x/]/g, ''))
  const width = partial === undefined ? tileWidth : Number(partial)
  if (!Number.isSafeInteger(index) || (partial !== undefined && width >= tileWidth))
    return undefined
  return level === 'entries'
    ? { entries: { index, width } }
    : { level: Number(level), index, width }
}

function isWidth(width: number): boolean {
  return Number.isInteger(width) && width >= 1 && width <= tileWidth
}

/** Every tile of a tree of `size` entries, partial ones included, level by level. */
export function tilesOf(size: number): Iterable<Tile> {
  return tilesBetween(0, size)
}

/**
 * The tiles to write when a tree grows: those that became full and the partial ones of `newSize`.
 * A partial tile that did not grow has the path it had before and is left out. A bundle is to be
 * written for each tile of level 0.
 */
export function* tilesBetween(oldSize: number, newSize: number): Iterable<Tile> {
  invariant(isSize(oldSize) && isSize(newSize) && oldSize <= newSize, 'a tree only grows')
  let [oldCount, newCount] = [oldSize, newSize]
  for (let level = 0; oldCount < newCount; level++) {
    for (let index = Math.floor(oldCount / tileWidth); index * tileWidth < newCount; index++) {
      yield { level, index, width: Math.min(tileWidth, newCount - index * tileWidth) }
    }
    oldCount = Math.floor(oldCount / tileWidth)
    newCount = Math.floor(newCount / tileWidth)
  }
}

function isSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0
}

/** @throws {TileError} where the bytes are not `width` hashes. */
export function checkTileBytes(tile: Tile, bytes: Uint8Array): void {
  if (bytes.length === tile.width * hashBytes) return
  throw new TileError(`${tilePath(tile)} holds ${bytes.length} bytes`)
}

/** The hashes that a tile's bytes hold, as views of them. */
export function splitHashes(bytes: Uint8Array): Hash[] {
  return Array.from({ length: bytes.length / hashBytes }, (_, at) =>
    bytes.subarray(at * hashBytes, (at + 1) * hashBytes),
  )
}

/** Each entry with its length in front, big-endian in two bytes. */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  invariant(entries.length <= tileWidth, 'a bundle holds at most 256 entries')
  const bytes = new Uint8Array(entries.reduce((sum, entry) => sum + 2 + entry.length, 0))
  let at = 0
  for (const entry of entries) {
    invariant(entry.length <= entryBytesMax, 'an entry has at most 65,535 bytes')
    bytes[at] = entry.length >>> 8
    bytes[at + 1] = entry.length & 0xff
    bytes.set(entry, at + 2)
    at += 2 + entry.length
  }
  return bytes
}

/**
 * The entries as views of `bytes`.
 * @throws {TileError} where the bytes are not exactly `count` entries.
 */
export function decodeBundle(bytes: Uint8Array, count: number): Uint8Array[] {
  const entries: Uint8Array[] = []
  let at = 0
  while (entries.length < count) {
    const [high, low] = [bytes[at], bytes[at + 1]]
    if (high === undefined || low === undefined) throw shortBundle(entries.length, count)
    const end = at + 2 + high * 256 + low
    if (end > bytes.length) throw shortBundle(entries.length, count)
    entries.push(bytes.subarray(at + 2, end))
    at = end
  }
  if (at === bytes.length) return entries
  throw new TileError(`${bytes.length - at} bytes follow the ${count} entries of a bundle`)
}

function shortBundle(found: number, count: number): TileError {
  return new TileError(`a bundle of ${count} entries ends within entry ${found}`)
}
