import { z } from 'zod'
import type { S3Place } from '../audit/store/s3-tile-store.ts'
import { PosternError } from '../errors.ts'
import { boundedBytes, tooLarge } from './bounded-bytes.ts'
import { PlanRefused } from './plan-error.ts'
import type { PlanSource } from './plan-source.ts'

/** Milliseconds for one object, its tries included; a plan of 50 MiB comes in seconds. */
const callMsMax = 60_000
/** Milliseconds until a try is answered, and until it is connected. */
const answerMsMax = 10_000
const connectMsMax = 2_000
/** Tries of one call by the SDK: throttling, 5xx and broken connections, with jitter. */
const triesMax = 4

export type S3PlanOptions = {
  /** For another implementation of the API, with path-style addresses. */
  readonly endpoint?: string | undefined
  readonly region?: string | undefined
}

/** Below a prefix of a bucket, by the workload's role (the SDK's default chain). */
export async function openS3PlanSource(
  place: S3Place,
  { endpoint, region }: S3PlanOptions,
): Promise<PlanSource> {
  // The SDK is large, and nobody whose plan lies in a directory waits for it.
  const s3 = await import('@aws-sdk/client-s3')
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
  return {
    async read(object, { bytesMax, signal }) {
      const Key = place.prefix === '' ? object : `${place.prefix}/${object}`
      const get = new s3.GetObjectCommand({ Bucket: place.bucket, Key })
      const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(callMsMax)])
      try {
        const { Body, ContentLength = 0 } = await client.send(get, { abortSignal })
        const stream = Body?.transformToWebStream()
        if (ContentLength > bytesMax) {
          await stream?.cancel()
          throw tooLarge(object, bytesMax)
        }
        return stream && (await boundedBytes(stream, object, bytesMax))
      } catch (cause) {
        return refuseAnswer(cause)
      }
    },
  }
}

/** Nothing there is an answer; a plan that is too long stays one. */
function refuseAnswer(cause: unknown): undefined {
  if (cause instanceof PlanRefused) throw cause
  const reason = nameOf(cause)
  if (reason !== 'NoSuchKey') throw new PosternError('drift.source_unavailable', { reason, cause })
}

const named = z.object({ name: z.string() })

/** Of the service's answer, or of what the SDK ran into. */
function nameOf(error: unknown): string {
  return named.safeParse(error).data?.name ?? 'unknown'
}
