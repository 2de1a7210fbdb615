import type {
  DeleteMarkerEntry,
  ListObjectVersionsCommandOutput,
  ObjectVersion as ObjectVersionListed,
  S3Client,
} from '@aws-sdk/client-s3'
import { z } from 'zod'
import { answerBytes, Interrupted } from './answer-bytes.ts'
import { checkedKind } from './object-path.ts'
import { packBundle, unpackBundle } from './packed-bundle.ts'
import { type ObjectVersion, SourceUnreachable } from './tile-source.ts'
import { TileConflict, type TileStore } from './tile-store.ts'

/** Milliseconds for one call, its tries included. */
const callMsMax = 15_000
/** Milliseconds until a try is answered, so that one that hangs leaves time for the next. */
const answerMsMax = 4_000
const connectMsMax = 2_000
/** Tries of one call by the SDK: throttling, 5xx and broken connections, with jitter. */
const triesMax = 4
/** Milliseconds, at most, before we try again what the SDK does not. */
const retryMs = 500
/** Enough for any object but a `checkpoint` of some days; a listing without end is not read. */
const versionsMax = 100_000
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
 * the workload by the SDK's default chain: task role or web identity. That chain would take keys
 * from the environment too, which `parseConfig` refuses in production.
 */
export async function openS3TileStore(place: S3Place, options: S3Options): Promise<TileStore> {
  // The SDK is large, and nobody who publishes to a directory waits for it.
  const s3 = await import('@aws-sdk/client-s3')
  const { region, endpoint, now = () => new Date() } = options
  const client = new s3.S3Client({
    maxAttempts: triesMax,
    requestHandler: {
      connectionTimeout: connectMsMax,
      requestTimeout: answerMsMax,
      throwOnRequestTimeout: true,
    },
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
  checkedKind(path)
  const get = new s3.GetObjectCommand({ Bucket, Key: keyOf(path) })
  return await call(path, ['NoSuchKey'], async (abortSignal) => {
    const { Body, ContentLength, ContentEncoding } = await client.send(get, { abortSignal })
    const bytes = await answerBytes(Body?.transformToWebStream() ?? null, ContentLength)
    return ContentEncoding === 'gzip' ? unpackBundle(bytes) : bytes
  })
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
  checkedKind(path)
  const Prefix = keyOf(path)
  const objects: ObjectVersion[] = []
  const markers: ObjectVersion[] = []
  let page: ListObjectVersionsCommandOutput | undefined
  do {
    // A key is listed before those that it is a prefix of.
    const from = page && { KeyMarker: Prefix, VersionIdMarker: page.NextVersionIdMarker }
    const list = new s3.ListObjectVersionsCommand({ Bucket, Prefix, ...from })
    page = await call(path, [], (abortSignal) => client.send(list, { abortSignal }))
    objects.push(...versionsOf(page?.Versions, Prefix, false))
    markers.push(...versionsOf(page?.DeleteMarkers, Prefix, true))
    const count = objects.length + markers.length
    if (count > versionsMax) throw new SourceUnreachable(`${path}: too many versions`)
  } while (page?.IsTruncated === true && page.NextKeyMarker === Prefix)
  // Times are told to the second, and a sort keeps the order of what is equal. The SDK lists markers
  // apart: one of the same second comes after the object, or it would be taken for the oldest.
  return [...objects.reverse(), ...markers.reverse()].sort(
    (a, b) => a.at.getTime() - b.at.getTime(),
  )
}

function versionsOf(
  listed: readonly (ObjectVersionListed | DeleteMarkerEntry)[] | undefined,
  key: string,
  isDeleted: boolean,
): ObjectVersion[] {
  return (listed ?? []).flatMap(({ Key, VersionId: id, LastModified: at }) =>
    Key === key && id !== undefined && at !== undefined ? [{ id, at, isDeleted }] : [],
  )
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
  const signal = AbortSignal.timeout(callMsMax)
  try {
    return await retryPassing(() => send(signal))
  } catch (cause) {
    const { name, message } = cause instanceof Error ? cause : new Error(String(cause))
    if (expected.includes(name)) return undefined
    throw new SourceUnreachable(`${what}: ${name} ${message}`, { cause })
  }
}

async function retryPassing<Answer>(send: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send()
    } catch (error) {
      if (attempt === triesMax || !isPassing(error)) throw error
      await Bun.sleep(retryMs * Math.random())
    }
  }
}

/** What the SDK leaves to us: two writes of one key at once, and bytes that end early. */
function isPassing(error: unknown): boolean {
  return error instanceof Interrupted || conflict.safeParse(error).success
}

const conflict = z.object({ $metadata: z.object({ httpStatusCode: z.literal(409) }) })
