import { afterAll, expect, test } from 'bun:test'
import {
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constants, deflateRawSync } from 'node:zlib'
import { fileTileSource, openFileTileStore } from '#core/audit/store/file-tile-store.ts'
import { SourceUnreachable } from '#core/audit/store/tile-source.ts'
import { TileConflict } from '#core/audit/store/tile-store.ts'
import { encodeBundle } from '#core/audit/tree/tile.ts'
import { storeContract } from './contract.ts'

const folder = await mkdtemp(join(tmpdir(), 'postern-store-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

storeContract('file', () => openFileTileStore(join(folder, 'contract')))

const text = new TextEncoder()
const mebibyte = 1_048_576
const bundle = encodeBundle([new Uint8Array(400).fill(97), new Uint8Array(0)])

test('partial tiles go with the first checkpoint after their full one, and not before', async () => {
  const root = join(folder, 'partial')
  const store = await openFileTileStore(root)
  await store.writeOnce('tile/entries/000.p/2', bundle)
  await store.writeOnce('tile/0/000.p/2', new Uint8Array(64))
  await store.writeCheckpoint(text.encode('size 2'))
  await store.writeOnce('tile/entries/000', bundle)
  await store.writeOnce('tile/0/000', new Uint8Array(8_192))
  expect(await store.read('tile/entries/000.p/2')).toEqual(bundle)
  await store.writeCheckpoint(text.encode('size 256'))
  expect(await store.read('tile/entries/000.p/2')).toBeUndefined()
  expect(await readdir(join(root, 'tile/0'))).toEqual(['000'])
  expect(await readdir(join(root, 'tile/entries'))).toEqual(['000.gz'])
})

test('partial tiles that are left by a writer that ended go when the full one is written again', async () => {
  const root = join(folder, 'left')
  const ended = await openFileTileStore(root)
  await ended.writeOnce('tile/1/000.p/9', new Uint8Array(288))
  await ended.writeOnce('tile/1/000', new Uint8Array(8_192))
  const next = await openFileTileStore(root)
  await next.writeOnce('tile/1/000', new Uint8Array(8_192))
  await next.writeCheckpoint(text.encode('size 65536'))
  expect(await readdir(join(root, 'tile/1'))).toEqual(['000'])
})

test('a directory that was replaced takes no checkpoint', async () => {
  const root = join(folder, 'replaced')
  const store = await openFileTileStore(root)
  await store.writeCheckpoint(new Uint8Array(3))
  await rename(root, `${root}-away`)
  await openFileTileStore(root)
  const refused = await store.writeCheckpoint(new Uint8Array(4)).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(SourceUnreachable)
  expect(await store.read('checkpoint')).toBeUndefined()
})

test.each([
  ['declares 64 MiB', Bun.gzipSync(new Uint8Array(64 * mebibyte))],
  ['declares 1 KiB and unpacks to 60 MiB', lying(Bun.gzipSync(new Uint8Array(60 * mebibyte)))],
  ['declares 1 KiB and unpacks to a gibibyte', lying(bombOf(1_024))],
  ['is empty', new Uint8Array(0)],
  ['is not gzip', text.encode('not gzip')],
  ['has a flipped bit', flipped(Bun.gzipSync(new Uint8Array(bundle)))],
  ['is cut short', Bun.gzipSync(new Uint8Array(bundle)).slice(0, -9)],
])(
  'a bundle that %s comes as it is, and is a conflict for whoever writes it',
  async (_, packed) => {
    const root = await mkdtemp(join(folder, 'unpackable-'))
    const store = await openFileTileStore(root)
    await store.writeOnce('tile/entries/000', bundle)
    await writeFile(join(root, 'tile/entries/000.gz'), packed)
    expect(await store.read('tile/entries/000')).toEqual(new Uint8Array(packed))
    const refused = await store
      .writeOnce('tile/entries/000', bundle)
      .catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(TileConflict)
  },
)

function lying(packed: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(packed)
  new DataView(bytes.buffer).setUint32(bytes.length - 4, 1_024, true)
  return bytes
}

/** One member of zeros, by a compressor that keeps little in memory. */
function bombOf(mebibytes: number): Uint8Array {
  const deflated = deflateRawSync(new Uint8Array(mebibyte), { finishFlush: constants.Z_FULL_FLUSH })
  const head = Bun.gzipSync(new Uint8Array(0)).slice(0, 10)
  return Buffer.concat([
    head,
    ...Array.from({ length: mebibytes }, () => deflated),
    Buffer.alloc(10),
  ])
}

function flipped(packed: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(packed)
  bytes[bytes.length - 10] = (bytes[bytes.length - 10] ?? 0) ^ 1
  return bytes
}

test('a link out of the directory, a folder and a pipe cannot be read, and are not missing', async () => {
  const root = join(folder, 'odd')
  const store = await openFileTileStore(root)
  await store.writeOnce('tile/0/000', new Uint8Array(8_192))
  await symlink('/etc/hostname', join(root, 'checkpoint'))
  await symlink('/nowhere', join(root, 'tile/0/001'))
  await mkdir(join(root, 'tile/0/002'))
  Bun.spawnSync(['mkfifo', join(root, 'tile/0/003')])
  for (const path of ['checkpoint', 'tile/0/001', 'tile/0/002', 'tile/0/003']) {
    await expect(store.read(path)).rejects.toBeInstanceOf(SourceUnreachable)
  }
  await expect(store.writeOnce('tile/0/001', bundle)).rejects.toBeInstanceOf(SourceUnreachable)
})

test('a file larger than any object of a log is not read', async () => {
  const root = join(folder, 'huge')
  const store = await openFileTileStore(root)
  await store.writeCheckpoint(new Uint8Array(1))
  await truncate(join(root, 'checkpoint'), 16_777_729)
  await expect(store.read('checkpoint')).rejects.toThrow('too large')
})

test('a directory that was deleted takes no checkpoint, even when it is made again', async () => {
  const root = join(folder, 'deleted')
  const store = await openFileTileStore(root)
  await rm(root, { recursive: true })
  await store.writeOnce('tile/0/000', new Uint8Array(8_192))
  await expect(store.writeCheckpoint(bundle)).rejects.toThrow('no longer the directory')
})

test('a full disk is told as such, and leaves nothing behind', async () => {
  const root = await mkdtemp(join(folder, 'full-'))
  const { exitCode } = Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', root])
  // Only root may mount.
  if (exitCode !== 0) return
  try {
    const store = await openFileTileStore(root)
    const written = store.writeOnce(
      'tile/entries/000',
      crypto.getRandomValues(new Uint8Array(60_000)),
    )
    await written
    const large = crypto.getRandomValues(new Uint8Array(60_000))
    await expect(store.writeOnce('tile/entries/001', large)).rejects.toThrow(/ENOSPC|no space/i)
    expect(await readdir(join(root, 'tile/entries'))).toEqual(['000.gz'])
    expect(await store.read('tile/entries/001')).toBeUndefined()
  } finally {
    Bun.spawnSync(['umount', '--lazy', root])
  }
})

test('a log that another program wrote, with bundles as they are, is read', async () => {
  const root = join(folder, 'plain')
  await openFileTileStore(join(root, 'tile/entries'))
  await writeFile(join(root, 'tile/entries/000'), bundle)
  expect(await fileTileSource(root).read('tile/entries/000')).toEqual(bundle)
})

test('files are not for everybody, and nothing temporary is left', async () => {
  const root = join(folder, 'modes')
  const store = await openFileTileStore(root)
  await store.writeOnce('checkpoints/1', new Uint8Array(1))
  await store.writeOnce('checkpoints/1', new Uint8Array(1))
  expect((await stat(join(root, 'checkpoints/1'))).mode & 0o007).toBe(0)
  expect(await readdir(join(root, 'checkpoints'))).toEqual(['1'])
})
