import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatCheckpoint } from '#core/audit/note/checkpoint.ts'
import { cosign } from '#core/audit/note/cosignature.ts'
import { signNote } from '#core/audit/note/note.ts'
import { generateSignerKey, parseSignerKey } from '#core/audit/note/signer.ts'
import { parseVerifierKey } from '#core/audit/note/verifier-key.ts'
import { encodeAuditRecord, systemRecord } from '#core/audit/record.ts'
import { fileTileSource, openFileTileStore } from '#core/audit/store/file-tile-store.ts'
import type { TileStore } from '#core/audit/store/tile-store.ts'
import { hashLeaf, hashTree } from '#core/audit/tree/hash.ts'
import { bundlePath, encodeBundle, tilePath, tilesOf, tileWidth } from '#core/audit/tree/tile.ts'

export const origin = 'log.example.com/audit'
export const startMs = Date.parse('2026-11-24T12:00:00.000Z')

export function keyPair(name: string, type: 'ed25519' | 'cosignature' = 'ed25519') {
  const { signerKey, verifierKey } = generateSignerKey(name, type)
  return { signer: parseSignerKey(signerKey), key: parseVerifierKey(verifierKey), verifierKey }
}

export const logKey = keyPair(origin)

type Fields = {
  readonly replica?: string
  readonly epoch?: number
  readonly rseq: number
  readonly type?: Parameters<typeof systemRecord>[0]['type']
  readonly details?: Record<string, unknown>
  readonly atMs?: number
  readonly id?: string
}

export function record(fields: Fields): Uint8Array {
  const { replica = 'gateway@a', epoch = 1, rseq, type = 'job.accepted', details } = fields
  const text = encodeAuditRecord(
    systemRecord({
      id: fields.id ?? Bun.randomUUIDv7(),
      type,
      at: new Date(fields.atMs ?? startMs + rseq),
      target: `job/${rseq}`,
      outcome: 'ok',
      ...(details === undefined ? {} : { details }),
    }),
    { replica, epoch, rseq },
  )
  return new Uint8Array(Buffer.from(text))
}

/** One process that wrote `count` records and nothing was lost. */
export function records(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, rseq) =>
    record({ rseq, ...(rseq === 0 ? { type: 'process.started' as const } : {}) }),
  )
}

/** Tile contents by path, made in the plainest way, for any size. */
function filesOf(entries: readonly Uint8Array[]): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>()
  const levels = new Map<number, Uint8Array[]>([[0, entries.map(hashLeaf)]])
  for (const tile of tilesOf(entries.length)) {
    const hashes = levels.get(tile.level) ?? []
    const own = hashes.slice(tile.index * tileWidth, tile.index * tileWidth + tile.width)
    const bytes = new Uint8Array(Buffer.concat(own))
    files.set(tilePath(tile), bytes)
    if (tile.width === tileWidth) {
      levels.set(tile.level + 1, [...(levels.get(tile.level + 1) ?? []), hashTree(bytes)])
    }
    if (tile.level > 0) continue
    const from = tile.index * tileWidth
    files.set(bundlePath(tile), encodeBundle(entries.slice(from, from + tile.width)))
  }
  return files
}

function rootOf(entries: readonly Uint8Array[]): Uint8Array {
  return hashTree(new Uint8Array(Buffer.concat(entries.map(hashLeaf))))
}

export function signedCheckpoint(
  entries: readonly Uint8Array[],
  signers = [logKey.signer],
): string {
  const text = formatCheckpoint({ origin, size: entries.length, root: rootOf(entries) })
  return signNote(text, signers)
}

export function cosigned(note: string, timeSeconds: number, witness: ReturnType<typeof keyPair>) {
  const text = note.slice(0, note.lastIndexOf('\n\n') + 1)
  return note + cosign(text, timeSeconds, witness.signer)
}

/** Publishes the log of these entries as a sequencer would at this size. */
export async function publish(store: TileStore, entries: readonly Uint8Array[]): Promise<void> {
  for (const [path, bytes] of filesOf(entries)) await store.writeOnce(path, bytes)
  const note = new Uint8Array(Buffer.from(signedCheckpoint(entries)))
  await store.writeOnce(`checkpoints/${entries.length}`, note)
  await store.writeCheckpoint(note)
}

export type TestLog = {
  readonly directory: string
  readonly entries: readonly Uint8Array[]
  readonly source: ReturnType<typeof fileTileSource>
  /** Replaces a file by what `change` makes of it; bundles are given and taken unpacked. */
  change(path: string, change: (bytes: Uint8Array) => Uint8Array): Promise<void>
  remove(path: string): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export async function testLog(
  entries: readonly Uint8Array[],
  sizes: readonly number[] = [],
): Promise<TestLog> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-verify-test-'))
  const store = await openFileTileStore(directory)
  for (const size of [...sizes, entries.length]) await publish(store, entries.slice(0, size))
  const source = fileTileSource(directory)
  const isBundle = (path: string) => path.startsWith('tile/entries/')
  const fileOf = (path: string) => join(directory, isBundle(path) ? `${path}.gz` : path)
  return {
    directory,
    entries,
    source,
    async change(path, change) {
      const bytes = await source.read(path)
      if (bytes === undefined) throw new Error(`${path} is not there`)
      const changed = change(bytes)
      await Bun.write(
        fileOf(path),
        isBundle(path) ? Bun.gzipSync(new Uint8Array(changed)) : changed,
      )
    },
    remove: (path) => rm(fileOf(path)),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}
