import { afterAll, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTileSource, openTileStore } from '#core/audit/store/open-tile-store.ts'
import { parseS3Place } from '#core/audit/store/s3-tile-store.ts'
import { ConfigError } from '#core/config.ts'

const folder = await mkdtemp(join(tmpdir(), 'postern-open-store-'))
afterAll(() => rm(folder, { recursive: true, force: true }))
const options = { retentionDays: 1 }

test.each(['s3:', 's3://', 's3:bucket', 's3://UPPER/prefix', 's3://a', 's3://b_c/prefix'])(
  '%p names no place in S3',
  async (text) => {
    await expect(openTileStore(text, options)).rejects.toBeInstanceOf(ConfigError)
    await expect(openTileSource(text, options)).rejects.toBeInstanceOf(ConfigError)
  },
)

test.each([
  ['s3://audit', { bucket: 'audit', prefix: '' }],
  ['s3://audit/', { bucket: 'audit', prefix: '' }],
  ['s3://audit.example/a/b/', { bucket: 'audit.example', prefix: 'a/b' }],
])('%p is a place in S3', (text, place) => {
  expect(parseS3Place(text)).toEqual(place)
})

test('nothing is published over HTTP', async () => {
  await expect(openTileStore('https://example.com/audit', options)).rejects.toThrow(ConfigError)
})

test.each(['https:', 'http://', 'https://a b/'])('%p is no URL to read from', async (text) => {
  await expect(openTileSource(text, options)).rejects.toBeInstanceOf(ConfigError)
})

test('a directory is made by who publishes and not by who reads', async () => {
  const root = join(folder, 'log')
  const source = await openTileSource(root, options)
  expect(await source.read('checkpoint')).toBeUndefined()
  expect(await Bun.file(root).exists()).toBe(false)
  const store = await openTileStore(root, options)
  await store.writeCheckpoint(new Uint8Array([1]))
  expect(await source.read('checkpoint')).toEqual(new Uint8Array([1]))
})
