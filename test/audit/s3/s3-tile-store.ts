/** Run by run.ts, which starts the server that `POSTERN_TEST_S3` names. */
import { afterAll, expect, test } from 'bun:test'
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { openS3TileStore } from '#core/audit/store/s3-tile-store.ts'
import { SourceUnreachable } from '#core/audit/store/tile-source.ts'
import { TileConflict } from '#core/audit/store/tile-store.ts'
import { encodeBundle } from '#core/audit/tree/tile.ts'
import { storeContract } from '../store/contract.ts'
import { type Fault, faultyS3 } from './faulty-s3.ts'

const endpoint = process.env['POSTERN_TEST_S3'] ?? ''
const bucket = 'audit'
const retentionDays = 30
const admin = new S3Client({ endpoint, forcePathStyle: true })
await admin.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }))
await admin.send(new CreateBucketCommand({ Bucket: 'unlocked' }))
const faulty = faultyS3(endpoint)
afterAll(() => faulty.stop())

const open = (prefix: string, at = endpoint) =>
  openS3TileStore({ bucket, prefix }, { retentionDays, endpoint: at })
const bundle = encodeBundle([new Uint8Array(400).fill(97)])
const other = encodeBundle([new Uint8Array(400).fill(98)])
const errorOf = (promise: Promise<unknown>) => promise.catch((error: unknown) => error)

let prefixes = 0
storeContract('s3', () => open('contract'))

/** A store of its own with one bundle in it. */
async function published() {
  prefixes += 1
  const prefix = `attack-${prefixes}`
  const store = await open(prefix)
  const path = 'tile/entries/000'
  await store.writeOnce(path, bundle)
  return { store, path, Bucket: bucket, Key: `${prefix}/${path}` }
}

test('an object is locked, in the mode that nobody can weaken, for as long as it is set', async () => {
  const { Bucket, Key } = await published()
  const head = await admin.send(new HeadObjectCommand({ Bucket, Key }))
  expect(head.ObjectLockMode).toBe('COMPLIANCE')
  const days = ((head.ObjectLockRetainUntilDate?.getTime() ?? 0) - Date.now()) / 86_400_000
  expect(Math.round(days)).toBe(retentionDays)
})

test('a bundle is stored packed, under the key that readers over HTTP ask for', async () => {
  const { Bucket, Key } = await published()
  const head = await admin.send(new HeadObjectCommand({ Bucket, Key }))
  expect(head.ContentEncoding).toBe('gzip')
  expect(head.ContentType).toBe('application/octet-stream')
  expect(head.ContentLength).toBeLessThan(100)
})

test('what was written once and never touched has one version', async () => {
  const { store, path } = await published()
  const versions = await store.versions?.(path)
  expect(versions?.map(({ isDeleted }) => isDeleted)).toEqual([false])
})

test('a delete without a version hides the object, and the marker tells', async () => {
  const { store, path, Bucket, Key } = await published()
  await admin.send(new DeleteObjectCommand({ Bucket, Key }))
  expect(await store.read(path)).toBeUndefined()
  const versions = await store.versions?.(path)
  expect(versions?.map(({ isDeleted }) => isDeleted)).toEqual([false, true])
})

test('an overwrite is a second version, and a conflict for whoever writes the first again', async () => {
  const { store, path, Bucket, Key } = await published()
  const [first] = (await store.versions?.(path)) ?? []
  await admin.send(new PutObjectCommand({ Bucket, Key, Body: other }))
  expect(await store.read(path)).toEqual(other)
  const versions = await store.versions?.(path)
  expect(versions?.length).toBe(2)
  expect(versions?.[0]?.id).toBe(first?.id ?? '')
  expect(await errorOf(store.writeOnce(path, bundle))).toBeInstanceOf(TileConflict)
})

test('a locked version is not deleted, bypass or not', async () => {
  const { store, path, Bucket, Key } = await published()
  const [first] = (await store.versions?.(path)) ?? []
  const VersionId = first?.id
  for (const BypassGovernanceRetention of [undefined, true]) {
    const remove = new DeleteObjectCommand({ Bucket, Key, VersionId, BypassGovernanceRetention })
    expect(await errorOf(admin.send(remove))).toMatchObject({ name: 'AccessDenied' })
  }
  expect(await store.read(path)).toEqual(bundle)
})

test('versions are those of the path, not of what begins like it', async () => {
  const store = await open('names')
  await store.writeOnce('checkpoints/1', bundle)
  await store.writeCheckpoint(bundle)
  await store.writeCheckpoint(other)
  await store.writeOnce('tile/0/000', new Uint8Array(8_192))
  await store.writeOnce('tile/0/000.p/1', new Uint8Array(32))
  expect((await store.versions?.('checkpoint'))?.length).toBe(2)
  expect((await store.versions?.('tile/0/000'))?.length).toBe(1)
  expect(await store.listCheckpoints?.()).toEqual([1])
})

test('more versions than a page of a listing holds are all told, oldest first', async () => {
  const store = await open('pages')
  await store.writeCheckpoint(bundle)
  const [first] = (await store.versions?.('checkpoint')) ?? []
  const put = { Bucket: bucket, Key: 'pages/checkpoint', Body: other }
  for (let at = 0; at < 1_010; at++) await admin.send(new PutObjectCommand(put))
  const versions = (await store.versions?.('checkpoint')) ?? []
  expect(new Set(versions.map(({ id }) => id)).size).toBe(1_011)
  expect(versions[0]?.id).toBe(first?.id ?? '')
}, 60_000)

test.each<[string, Fault[]]>([
  ['S3 is away for a moment', ['unavailable', 'unavailable']],
  ['S3 stores and its answer is lost', ['lost answer']],
  ['another writes the same key at once', ['conflict', 'conflict']],
  ['S3 does not answer', ['silence']],
])(
  'a write is done when %s',
  async (_, faults) => {
    prefixes += 1
    const store = await open(`fault-${prefixes}`, faulty.endpoint)
    await faulty.during(faults, () => store.writeOnce('tile/entries/000', bundle))
    expect(await store.read('tile/entries/000')).toEqual(bundle)
    expect((await store.versions?.('tile/entries/000'))?.length).toBe(1)
  },
  20_000,
)

test.each<[string, Fault[]]>([
  ['S3 is away for a moment', ['unavailable']],
  ['S3 does not answer', ['silence']],
])(
  'a read is done when %s',
  async (_, faults) => {
    const { path, Key } = await published()
    const store = await open(Key.replace(`/${path}`, ''), faulty.endpoint)
    await faulty.during(faults, async () => expect(await store.read(path)).toEqual(bundle))
  },
  20_000,
)

test.each<[string, Fault[]]>([
  ['S3 stays away', Array<Fault>(8).fill('unavailable')],
  ['the object is cut short', Array<Fault>(8).fill('half')],
])(
  'what cannot be read is not missing: %s',
  async (_, faults) => {
    const { path, Key } = await published()
    const store = await open(Key.replace(`/${path}`, ''), faulty.endpoint)
    const count = await faulty.during(faults, async () =>
      expect(await errorOf(store.read(path))).toBeInstanceOf(SourceUnreachable),
    )
    expect(count).toBeLessThanOrEqual(4)
  },
  20_000,
)

test.each([
  ['is not there', 'nowhere', 'NoSuchBucket'],
  ['does not lock', 'unlocked', 'InvalidRequest'],
])('a bucket that %s takes nothing', async (_, name, code) => {
  const store = await openS3TileStore({ bucket: name, prefix: '' }, { retentionDays, endpoint })
  const written = store.writeOnce('tile/entries/000', bundle)
  await expect(written).rejects.toBeInstanceOf(SourceUnreachable)
  await expect(written).rejects.toThrow(code)
})

test('a bucket that is not there is not an empty log', async () => {
  const place = { bucket: 'nowhere', prefix: '' }
  const store = await openS3TileStore(place, { retentionDays, endpoint })
  await expect(store.read('checkpoint')).rejects.toThrow('NoSuchBucket')
})
