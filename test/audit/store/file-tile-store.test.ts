import { afterAll, expect, test } from 'bun:test'
import { mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileTileSource, openFileTileStore } from '#core/audit/store/file-tile-store.ts'
import { SourceUnreachable } from '#core/audit/store/tile-source.ts'
import { encodeBundle } from '#core/audit/tree/tile.ts'
import { storeContract } from './contract.ts'

const folder = await mkdtemp(join(tmpdir(), 'postern-store-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

storeContract('file', () => openFileTileStore(join(folder, 'contract')))

const bundle = encodeBundle([new Uint8Array(400).fill(97), new Uint8Array(0)])

test('partial tiles go once the full one is there', async () => {
  const root = join(folder, 'partial')
  const store = await openFileTileStore(root)
  await store.writeOnce('tile/entries/000.p/2', bundle)
  await store.writeOnce('tile/0/000.p/2', new Uint8Array(64))
  await store.writeOnce('tile/entries/000', bundle)
  await store.writeOnce('tile/0/000', new Uint8Array(8_192))
  expect(await store.read('tile/entries/000.p/2')).toBeUndefined()
  expect(await readdir(join(root, 'tile/0'))).toEqual(['000'])
  expect(await readdir(join(root, 'tile/entries'))).toEqual(['000.gz'])
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

test('a bundle that unpacks to more than any bundle is not unpacked', async () => {
  const root = join(folder, 'bomb')
  const store = await openFileTileStore(root)
  await store.writeOnce('tile/entries/000', bundle)
  const bomb = Bun.gzipSync(new Uint8Array(64 * 1_048_576))
  await writeFile(join(root, 'tile/entries/000.gz'), bomb)
  await expect(store.read('tile/entries/000')).rejects.toBeInstanceOf(SourceUnreachable)
})

test('what is not gzip, and a link out of the folder, cannot be read and are not missing', async () => {
  const root = join(folder, 'odd')
  const store = await openFileTileStore(root)
  await store.writeOnce('tile/entries/000', bundle)
  await writeFile(join(root, 'tile/entries/000.gz'), 'not gzip')
  await symlink('/etc/hostname', join(root, 'checkpoint'))
  await expect(store.read('tile/entries/000')).rejects.toBeInstanceOf(SourceUnreachable)
  await expect(store.read('checkpoint')).rejects.toBeInstanceOf(SourceUnreachable)
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
