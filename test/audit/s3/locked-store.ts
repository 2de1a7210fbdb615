import { afterAll, beforeEach, expect, test } from 'bun:test'
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { openS3TileStore } from '#core/audit/store/s3-tile-store.ts'
import { type ObjectVersion, SourceUnreachable } from '#core/audit/store/tile-source.ts'
import { TileConflict } from '#core/audit/store/tile-store.ts'
import { encodeBundle } from '#core/audit/tree/tile.ts'
import { storeContract } from '../store/contract.ts'
import { faultyFront } from './faulty-front.ts'

const endpoint = process.env['POSTERN_TEST_S3_ENDPOINT']
if (endpoint === undefined) throw new Error('run test/audit/s3/run.ts, which starts the server')

const retentionDays = 30
const dayMs = 86_400_000
const tile = 'tile/0/000'
const bundlePath = 'tile/entries/000'
const genuine = new Uint8Array(8_192).fill(1)
const forged = new Uint8Array(8_192).fill(2)
const bundle = encodeBundle([new Uint8Array(400).fill(97), new Uint8Array(0)])

/** Somebody with every right in the account. */
const administrator = new S3Client({ endpoint, forcePathStyle: true, region: 'us-east-1' })
const front = faultyFront(endpoint)
afterAll(() => front.stop())
beforeEach(() => front.faults.splice(0))

const open = (Bucket: string, through: string = endpoint) =>
  openS3TileStore({ bucket: Bucket, prefix: 'audit' }, { endpoint: through, retentionDays })

async function newBucket(isLocked = true): Promise<string> {
  const Bucket = `log-${Bun.randomUUIDv7()}`
  await administrator.send(
    new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: isLocked }),
  )
  return Bucket
}

const named = (Bucket: string, path: string) => ({ Bucket, Key: `audit/${path}` })
const put = (Bucket: string, path: string, Body: Uint8Array) =>
  administrator.send(new PutObjectCommand({ ...named(Bucket, path), Body }))
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => 'not refused',
    (error: unknown) => error,
  )

async function bytesOf(Bucket: string, path: string, version: ObjectVersion | undefined) {
  const get = new GetObjectCommand({ ...named(Bucket, path), VersionId: version?.id })
  return await (await administrator.send(get)).Body?.transformToByteArray()
}

const contractBucket = await newBucket()
storeContract('s3', () => open(contractBucket))

test('an object is locked for the retention, summed, and a bundle is packed', async () => {
  const bucket = await newBucket()
  const store = await open(bucket)
  await store.writeOnce(tile, genuine)
  await store.writeOnce(bundlePath, bundle)
  await store.writeCheckpoint(genuine)
  for (const path of [tile, bundlePath, 'checkpoint']) {
    const head = new HeadObjectCommand({ ...named(bucket, path), ChecksumMode: 'ENABLED' })
    const object = await administrator.send(head)
    expect(object.ObjectLockMode).toBe('COMPLIANCE')
    const lockedMs = (object.ObjectLockRetainUntilDate?.getTime() ?? 0) - Date.now()
    expect(Math.abs(lockedMs - retentionDays * dayMs)).toBeLessThan(60_000)
    expect(object.ChecksumSHA256).toBeDefined()
    expect(object.ContentEncoding).toBe(path === bundlePath ? 'gzip' : undefined)
  }
})

// That a COMPLIANCE lock cannot be shortened or weakened is not shown: moto sets what it is told.
test('nobody deletes what is locked', async () => {
  const bucket = await newBucket()
  const store = await open(bucket)
  await store.writeOnce(tile, genuine)
  const [version] = (await store.versions?.(tile)) ?? []
  expect(version).toBeDefined()
  const object = { ...named(bucket, tile), VersionId: version?.id }
  for (const BypassGovernanceRetention of [false, true]) {
    const remove = new DeleteObjectCommand({ ...object, BypassGovernanceRetention })
    expect(await refusal(administrator.send(remove))).toMatchObject({ name: 'AccessDenied' })
  }
  expect(await store.read(tile)).toEqual(genuine)
})

test('a delete only hides: the object is missing, its versions tell', async () => {
  const bucket = await newBucket()
  const store = await open(bucket)
  await store.writeOnce(tile, genuine)
  await administrator.send(new DeleteObjectCommand(named(bucket, tile)))
  expect(await store.read(tile)).toBeUndefined()
  const versions = (await store.versions?.(tile)) ?? []
  expect(versions.map(({ isDeleted }) => isDeleted)).toEqual([false, true])
  expect(await bytesOf(bucket, tile, versions[0])).toEqual(genuine)
})

test('an overwrite is a second version, the first is the truth, and the writer alarms', async () => {
  const bucket = await newBucket()
  const store = await open(bucket)
  await store.writeOnce(tile, genuine)
  await put(bucket, tile, forged)
  const versions = (await store.versions?.(tile)) ?? []
  expect(versions.map(({ isDeleted }) => isDeleted)).toEqual([false, false])
  expect(await bytesOf(bucket, tile, versions[0])).toEqual(genuine)
  expect(await refusal(store.writeOnce(tile, genuine))).toBeInstanceOf(TileConflict)
})

test('what was hidden and written anew shows all three steps', async () => {
  const bucket = await newBucket()
  const store = await open(bucket)
  await store.writeOnce(tile, genuine)
  await administrator.send(new DeleteObjectCommand(named(bucket, tile)))
  await put(bucket, tile, forged)
  const versions = (await store.versions?.(tile)) ?? []
  expect(versions.filter(({ isDeleted }) => isDeleted).length).toBe(1)
  expect(versions.length).toBe(3)
  expect(await bytesOf(bucket, tile, versions[0])).toEqual(genuine)
})

test('versions of an object are not those of the partial tiles below its name', async () => {
  const bucket = await newBucket()
  const store = await open(bucket)
  await store.writeOnce(`${tile}.p/1`, genuine.subarray(0, 32))
  await store.writeOnce(`${tile}.p/12`, genuine.subarray(0, 384))
  await store.writeOnce(tile, genuine)
  expect((await store.versions?.(tile))?.length).toBe(1)
  expect((await store.versions?.(`${tile}.p/1`))?.length).toBe(1)
  expect(await store.versions?.('tile/0/001')).toEqual([])
})

test('the oldest of more versions than a page holds is still the first', async () => {
  const bucket = await newBucket()
  const store = await open(bucket)
  const first = await put(bucket, 'checkpoint', genuine)
  for (let at = 0; at < 1_005; at++) await put(bucket, 'checkpoint', forged)
  await store.writeCheckpoint(bundle)
  const versions = (await store.versions?.('checkpoint')) ?? []
  expect(versions.length).toBe(1_007)
  expect(new Set(versions.map(({ id }) => id)).size).toBe(1_007)
  expect(versions[0]?.id).toBe(first.VersionId ?? 'none')
  expect(await store.read('checkpoint')).toEqual(bundle)
}, 60_000)

test('the history lists past a page, in order', async () => {
  const bucket = await newBucket()
  const store = await open(bucket)
  for (let size = 1; size <= 1_005; size++) await put(bucket, `checkpoints/${size}`, forged)
  await put(bucket, 'checkpoints/not-a-size', forged)
  const sizes = Array.from({ length: 1_005 }, (_, at) => at + 1)
  expect(await store.listCheckpoints?.()).toEqual(sizes)
}, 60_000)

test('a bundle that unpacks without end is not unpacked', async () => {
  const bucket = await newBucket()
  const store = await open(bucket)
  const Body = Bun.gzipSync(new Uint8Array(64 * 1_048_576))
  const bomb = { ...named(bucket, bundlePath), Body, ContentEncoding: 'gzip' }
  await administrator.send(new PutObjectCommand(bomb))
  expect((await store.read(bundlePath))?.length).toBe(Body.length)
  expect(await refusal(store.writeOnce(bundlePath, bundle))).toBeInstanceOf(TileConflict)
})

test('a larger object than any of a log is not read', async () => {
  const bucket = await newBucket()
  const store = await open(bucket)
  await put(bucket, tile, new Uint8Array(17 * 1_048_576))
  expect(await refusal(store.read(tile))).toBeInstanceOf(SourceUnreachable)
})

test.each([[[{ status: 503 }]], [[{ status: 500 }, { status: 503 }]], [[{ status: 409 }]]])(
  'after %j the write goes on, and is there once',
  async (faults) => {
    const bucket = await newBucket()
    const store = await open(bucket, front.endpoint)
    front.faults.push(...faults)
    await store.writeOnce(tile, genuine)
    expect(await store.read(tile)).toEqual(genuine)
    expect((await store.versions?.(tile))?.length).toBe(1)
  },
)

test('a write that failed but is there is done, not a conflict and not a second version', async () => {
  const bucket = await newBucket()
  const store = await open(bucket, front.endpoint)
  front.faults.push('lose-answer')
  await store.writeOnce(bundlePath, bundle)
  expect(await store.read(bundlePath)).toEqual(bundle)
  expect((await store.versions?.(bundlePath))?.length).toBe(1)
})

test('a service that stays away is asked a few times and cannot be told', async () => {
  const bucket = await newBucket()
  const store = await open(bucket, front.endpoint)
  for (const act of [() => store.read(tile), () => store.writeOnce(tile, genuine)]) {
    front.faults.push(...Array.from({ length: 50 }, () => ({ status: 503 })))
    const before = front.seen.requests
    expect(await refusal(act())).toBeInstanceOf(SourceUnreachable)
    expect(front.seen.requests - before).toBeLessThan(10)
    front.faults.splice(0)
  }
  expect(await store.read(tile)).toBeUndefined()
}, 30_000)

test.each([403, 400])('an answer of %d is not a missing object', async (status) => {
  const store = await open(await newBucket(), front.endpoint)
  front.faults.push(...Array.from({ length: 10 }, () => ({ status })))
  expect(await refusal(store.read(tile))).toBeInstanceOf(SourceUnreachable)
})

test('a bucket that is not there is not an empty log', async () => {
  const store = await open('no-such-bucket-anywhere')
  expect(await refusal(store.read('checkpoint'))).toBeInstanceOf(SourceUnreachable)
  expect(await refusal(store.writeCheckpoint(genuine))).toBeInstanceOf(SourceUnreachable)
})

test('a bucket that cannot lock takes nothing', async () => {
  const store = await open(await newBucket(false))
  expect(await refusal(store.writeOnce(tile, genuine))).toBeInstanceOf(SourceUnreachable)
})
