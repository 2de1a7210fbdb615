import type { S3Client } from '@aws-sdk/client-s3'
import { checkedKind } from './object-path.ts'
import { bundleBytesMax, packBundle, unpackBundle } from './packed-bundle.ts'
import { type ObjectVersion, SourceUnreachable } from './tile-source.ts'
import { TileConflict, type TileStore } from './tile-store.ts'

/** Milliseconds for one call, retries of the SDK included. */
const callMsMax = 10_000
/** Tries of one call by the SDK: throttling, 5xx and broken connections, with jitter. */
const triesMax = 4
/** Keys of one page of a listing. */
const pageMax = 1_000
const dayMs = 86_400_000

export type S3Place = {
  readonly bucket: string
  /** Without slashes at its ends; empty for the bucket itself. */
  readonly prefix: string
}

export type S3Options = {
  /** Days that nobody, root included, can delete or replace an object (COMPLIANCE). */
  readonly retentionDays: number
  /** For another implementation of the API, with path-style addresses. */
  readonly endpoint?: string | undefined
  readonly region?: string | undefined
  readonly now?: () => Date
}

/** Undefined for a text that is not `s3://bucket` or `s3://bucket/prefix`. */
export function parseS3Place(text: string): S3Place | undefined {
  const [, bucket, prefix = ''] =
    /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(text) ?? []
  return bucket === undefined ? undefined : { bucket, prefix: prefix.replace(/^\/+|\/+$/g, '') }
}

/**
 * A log in S3 under Object Lock. Objects are written with `If-None-Match: *` and the lock in the
 * same request; `checkpoint` alone is replaced, and keeps its versions. Credentials are those of
 * the workload (the SDK's default chain): task role or web identity.
 */
export async function openS3TileStore(place: S3Place, options: S3Options): Promise<TileStore> {
  // The SDK is large, and nobody who publishes to a directory waits for it.
  const s3 = await import('@aws-sdk/client-s3')
  const { region, endpoint, now = () => new Date() } = options
  const client = new s3.S3Client({
    maxAttempts: triesMax,
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
  })
  const log: S3Log = {
    s3,
    client,
    bucket: place.bucket,
    keyOf: (path) => (place.prefix === '' ? path : `${place.prefix}/${path}`),
    lockedUntil: () => new Date(now().getTime() + options.retentionDays * dayMs),
  }

  async function writeOnce(path: string, bytes: Uint8Array): Promise<void> {
    if (await putObject(log, path, { bytes, isOnce: true })) return
    const present = await readObject(log, path)
    if (present === undefined || Buffer.compare(present, bytes) !== 0) throw new TileConflict(path)
  }

  return {
    read: (path) => readObject(log, path),
    versions: (path) => listVersions(log, path),
    listCheckpoints: () => listCheckpoints(log),
    writeOnce,
    async writeCheckpoint(bytes) {
      await putObject(log, 'checkpoint', { bytes, isOnce: false })
    },
  }
}

type S3Log = {
  readonly s3: typeof import('@aws-sdk/client-s3')
  readonly client: S3Client
  readonly bucket: string
  readonly keyOf: (path: string) => string
  readonly lockedUntil: () => Date
}

async function readObject(log: S3Log, path: string): Promise<Uint8Array | undefined> {
  const { s3, client, bucket: Bucket, keyOf } = log
  const kind = checkedKind(path)
  const object = await call(path, ['NoSuchKey', 'NotFound'], (abortSignal) =>
    client.send(new s3.GetObjectCommand({ Bucket, Key: keyOf(path) }), { abortSignal }),
  )
  if (object?.Body === undefined) return undefined
  if ((object.ContentLength ?? 0) > bundleBytesMax) {
    throw new SourceUnreachable(`${path} is larger than any object of a log`)
  }
  const bytes = await object.Body.transformToByteArray()
  const isPacked = kind === 'bundle' && object.ContentEncoding === 'gzip'
  return isPacked ? await unpackBundle(path, bytes) : bytes
}

/** False when an object of that name is there and `isOnce` forbids another. */
async function putObject(
  log: S3Log,
  path: string,
  { bytes, isOnce }: { readonly bytes: Uint8Array; readonly isOnce: boolean },
): Promise<boolean> {
  const { s3, client, bucket: Bucket, keyOf, lockedUntil } = log
  const kind = checkedKind(path)
  const isText = kind === 'checkpoint' || kind === 'history'
  const put = new s3.PutObjectCommand({
    Bucket,
    Key: keyOf(path),
    Body: kind === 'bundle' ? packBundle(bytes) : bytes,
    ContentType: isText ? 'text/plain; charset=utf-8' : 'application/octet-stream',
    ...(kind === 'bundle' ? { ContentEncoding: 'gzip' } : {}),
    ...(isOnce ? { IfNoneMatch: '*' } : {}),
    ChecksumAlgorithm: 'SHA256',
    ObjectLockMode: 'COMPLIANCE',
    ObjectLockRetainUntilDate: lockedUntil(),
  })
  const stored = await call(path, isOnce ? ['PreconditionFailed'] : [], (abortSignal) =>
    client.send(put, { abortSignal }),
  )
  return stored !== undefined
}

async function listVersions(log: S3Log, path: string): Promise<readonly ObjectVersion[]> {
  const { s3, client, bucket: Bucket, keyOf } = log
  const Prefix = keyOf(path)
  const list = new s3.ListObjectVersionsCommand({ Bucket, Prefix, MaxKeys: pageMax })
  const page = await call(path, [], (abortSignal) => client.send(list, { abortSignal }))
  const objects = (page?.Versions ?? []).map((version) => ({ ...version, isDeleted: false }))
  const markers = (page?.DeleteMarkers ?? []).map((marker) => ({ ...marker, isDeleted: true }))
  return [...objects, ...markers]
    .filter(({ Key }) => Key === Prefix)
    .map(({ VersionId: id = '', LastModified: at = new Date(0), isDeleted }) => ({
      id,
      at,
      isDeleted,
    }))
    .toSorted((a, b) => a.at.getTime() - b.at.getTime())
}

async function listCheckpoints(log: S3Log): Promise<readonly number[]> {
  const { s3, client, bucket: Bucket, keyOf } = log
  const Prefix = keyOf('checkpoints/')
  const sizes: number[] = []
  let next: string | undefined
  do {
    const token = next === undefined ? {} : { ContinuationToken: next }
    const list = new s3.ListObjectsV2Command({ Bucket, Prefix, ...token })
    const page = await call(Prefix, [], (abortSignal) => client.send(list, { abortSignal }))
    const names = (page?.Contents ?? []).map(({ Key = '' }) => Key.slice(Prefix.length))
    sizes.push(...names.filter((name) => /^(?:0|[1-9]\d{0,15})$/.test(name)).map(Number))
    next = page?.NextContinuationToken
  } while (next !== undefined)
  return sizes.sort((a, b) => a - b)
}

/** Undefined where the service answers with one of the names; whatever else it answers throws. */
async function call<Answer>(
  what: string,
  expected: readonly string[],
  send: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer | undefined> {
  try {
    return await send(AbortSignal.timeout(callMsMax))
  } catch (cause) {
    const name = cause instanceof Error ? cause.name : ''
    if (expected.includes(name)) return undefined
    const words = cause instanceof Error ? cause.message : String(cause)
    throw new SourceUnreachable(`${what}: ${name} ${words}`, { cause })
  }
}
