// What somebody with access to the published files can do to them.
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { formatCheckpoint } from '#core/audit/note/checkpoint.ts'
import { signNote } from '#core/audit/note/note.ts'
import { parseSignerKey } from '#core/audit/note/signer.ts'
import { type TileContents, tileEdge } from '#core/audit/sequence/tile-edge.ts'
import { fileTileSource } from '#core/audit/store/file-tile-store.ts'
import { hashLeaf } from '#core/audit/tree/hash.ts'
import {
  bundlePath,
  decodeBundle,
  encodeBundle,
  tilePath,
  tileWidth,
} from '#core/audit/tree/tile.ts'
import { type LogKey, origin } from './audit-stage.ts'

/** The entries of the bundle that holds `index`, of a published log of `size` entries. */
export async function readBundleOf(
  folder: string,
  index: number,
  size: number,
): Promise<readonly Uint8Array[]> {
  const place = placeOf(index, size)
  const { read } = fileTileSource(folder)
  const bytes = await read(bundlePath(place))
  if (bytes !== undefined) return decodeBundle(bytes, place.width)
  // A partial one goes when the full one is there.
  const full = await read(bundlePath({ ...place, width: tileWidth }))
  if (full === undefined) throw new Error(`${bundlePath(place)} is not in ${folder}`)
  return decodeBundle(full, tileWidth).slice(0, place.width)
}

/** The file of the bundle that holds `index`, and of its hashes. */
export function filesOf(folder: string, index: number, size: number) {
  const place = placeOf(index, size)
  return {
    bundle: join(folder, `${bundlePath(place)}.gz`),
    hashes: join(folder, tilePath({ level: 0, ...place })),
  }
}

function placeOf(index: number, size: number) {
  const bundle = Math.floor(index / tileWidth)
  return { index: bundle, width: Math.min(tileWidth, size - bundle * tileWidth) }
}

export async function* readEntries(folder: string, size: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < size; index += tileWidth) {
    yield* await readBundleOf(folder, index, size)
  }
}

/** Other entries under the hashes as they are. */
export async function replaceBundle(file: string, entries: readonly Uint8Array[]): Promise<void> {
  await writeFile(file, Bun.gzipSync(new Uint8Array(encodeBundle(entries))))
}

/** A whole log of these entries, all hashes reckoned anew; returns the tree it makes. */
export async function writeLog(
  folder: string,
  entries: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<{ readonly size: number; readonly root: Uint8Array }> {
  await rm(folder, { recursive: true, force: true })
  const edge = tileEdge([])
  let size = 0
  let portion: Uint8Array[] = []
  const flush = async () => {
    const place = { index: Math.ceil(size / tileWidth) - 1, width: portion.length }
    const hashes = Buffer.concat(portion.map(hashLeaf))
    await put(join(folder, `${bundlePath(place)}.gz`), packed(portion))
    for (const tile of [{ tile: { level: 0, ...place }, hashes }, ...edge.add(hashes)]) {
      await putTile(folder, tile)
    }
    portion = []
  }
  for await (const entry of entries) {
    portion.push(entry)
    size++
    if (portion.length === tileWidth) await flush()
  }
  if (portion.length > 0) await flush()
  for (const tile of edge.partialTiles()) await putTile(folder, tile)
  return { size, root: edge.root() }
}

function packed(entries: readonly Uint8Array[]): Uint8Array {
  return Bun.gzipSync(new Uint8Array(encodeBundle(entries)), { level: 1 })
}

async function putTile(folder: string, { tile, hashes }: TileContents): Promise<void> {
  await put(join(folder, tilePath(tile)), hashes)
}

async function put(file: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, bytes)
}

/** Publishes a note as the log's newest; returns its file. */
export async function publishNote(folder: string, size: number, note: string): Promise<string> {
  await put(join(folder, `checkpoints/${size}`), note)
  const file = join(folder, 'checkpoint')
  await put(file, note)
  return file
}

export function signTree(
  { size, root }: { readonly size: number; readonly root: Uint8Array },
  key: LogKey,
): string {
  return signNote(formatCheckpoint({ origin, size, root }), [parseSignerKey(key.signerKey)])
}
