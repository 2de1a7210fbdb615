/** Run by run.ts, which starts the server that `POSTERN_TEST_S3` names. */
import { afterAll, expect, test } from 'bun:test'
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { openS3TileStore } from '#core/audit/store/s3-tile-store.ts'
import { SourceUnreachable } from '#core/audit/store/tile-source.ts'
import { TileConflict } from '#core/audit/store/tile-store.ts'
import { encodeBundle } from '#core/audit/tree/tile.ts'
import { faultyS3 } from './faulty-s3.ts'

// That a COMPLIANCE lock cannot be shortened or weakened is not shown: moto sets what it is told.

const endpoint = process.env['POSTERN_TEST_S3'] ?? ''
/** Somebody with every right in the account. */
const administrator = new S3Client({ endpoint, forcePathStyle: true })
const faulty = faultyS3(endpoint)
afterAll(() => faulty.stop())

const mebibyte = 1_048_576
const tile = 'tile/0/000'
const bundlePath = 'tile/entries/000'
const genuine = new Uint8Array(8_192).fill(1)
const forged = new Uint8Array(8_192).fill(2)
const bundle = encodeBundle([new Uint8Array(400).fill(97)])
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'not refused',
    (error: unknown) => error,
  )

/** A bucket of its own, and a store in it. */
async function newLog(through = endpoint) {
  const Bucket = `log-${Bun.randomUUIDv7()}`
  await administrator.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }))
  const store = await openS3TileStore(
    { bucket: Bucket, prefix: 'audit' },
    { endpoint: through, retentionDays: 30 },
  )
  const named = (path: string) => ({ Bucket, Key: `audit/${path}` })
  const put = (path: string, Body: Uint8Array, ContentEncoding?: string) =>
    administrator.send(new PutObjectCommand({ ...named(path), Body, ContentEncoding }))
  return { store, named, put }
}

test('each object carries its SHA-256, which S3 compares with what arrives', async () => {
  const { store, named } = await newLog()
  await store.writeOnce(tile, genuine)
  const head = new HeadObjectCommand({ ...named(tile), ChecksumMode: 'ENABLED' })
  const sum = new Bun.CryptoHasher('sha256').update(genuine).digest('base64')
  expect((await administrator.send(head)).ChecksumSHA256).toBe(sum)
})

test('what was hidden and written anew shows all three steps, the oldest first', async () => {
  const { store, named, put } = await newLog()
  await store.writeOnce(tile, genuine)
  await administrator.send(new DeleteObjectCommand(named(tile)))
  await put(tile, forged)
  const versions = (await store.versions?.(tile)) ?? []
  expect(versions.length).toBe(3)
  expect(versions.filter(({ isDeleted }) => isDeleted).length).toBe(1)
  const get = new GetObjectCommand({ ...named(tile), VersionId: versions[0]?.id })
  const oldest = await administrator.send(get)
  expect(await oldest.Body?.transformToByteArray()).toEqual(genuine)
})

test('the history lists past a page, in order, without what is no size', async () => {
  const { store, put } = await newLog()
  const sizes = Array.from({ length: 1_005 }, (_, at) => at + 1)
  for (const size of sizes) await put(`checkpoints/${size}`, forged)
  await put('checkpoints/007', forged)
  expect(await store.listCheckpoints?.()).toEqual(sizes)
}, 60_000)

test('a bundle that unpacks without end is not unpacked, and is another to the writer', async () => {
  const { store, put } = await newLog()
  const packed = Bun.gzipSync(new Uint8Array(64 * mebibyte))
  await put(bundlePath, packed, 'gzip')
  expect((await store.read(bundlePath))?.length).toBe(packed.length)
  expect(await errorOf(store.writeOnce(bundlePath, bundle))).toBeInstanceOf(TileConflict)
})

test('what is larger than any object of a log is not read', async () => {
  const { store, put } = await newLog()
  await put(tile, new Uint8Array(17 * mebibyte))
  expect(await errorOf(store.read(tile))).toBeInstanceOf(SourceUnreachable)
})

test('a write that S3 keeps refusing is tried a few times and cannot be told', async () => {
  const { store } = await newLog(faulty.endpoint)
  const faults = Array<'unavailable'>(50).fill('unavailable')
  const count = await faulty.during(faults, async () =>
    expect(await errorOf(store.writeOnce(tile, genuine))).toBeInstanceOf(SourceUnreachable),
  )
  expect(count).toBeLessThanOrEqual(4)
  expect(await store.read(tile)).toBeUndefined()
}, 20_000)
