import canonicalize from 'canonicalize'
import { z } from 'zod'
import { type PointedError, PosternError } from '#core/errors.ts'
import { invariant } from '#core/invariant.ts'
import type { IdempotencyKey, NewJob } from '#core/job/intake.ts'
import type { JobKind } from '#core/job/kind.ts'
import {
  callbackUrlCharactersMax,
  delayMsMax,
  payloadBytesMax,
  priorityMax,
  tagCharactersMax,
} from '#core/job/limits.ts'
import { callbackUrl } from './callback-url.ts'
import type { GatewayContext } from './context.ts'

/** A shorter limit than a round trip to Postgres ends every attempt before it begins. */
const timeoutMsMin = 100

/** A caller's own label of a job. */
export const tagSchema = z
  .string()
  .max(tagCharactersMax)
  .regex(/^[A-Za-z0-9._:/-]+$/)

/** The options of a job, within what its kind allows. */
function optionMembers(kind: JobKind) {
  return {
    delayMs: z.int().min(0).max(delayMsMax).optional(),
    runAt: z.iso.datetime().optional(),
    priority: z.int().min(kind.priority).max(priorityMax).optional(),
    attemptsMax: z.int().min(1).max(kind.attemptsMax).optional(),
    timeoutMs: z.int().min(Math.min(timeoutMsMin, kind.timeoutMs)).max(kind.timeoutMs).optional(),
    callback: z.string().max(callbackUrlCharactersMax).optional(),
    tag: tagSchema.optional(),
  }
}

export function jobRequest(kind: JobKind) {
  return z.strictObject({ payload: kind.payload, ...optionMembers(kind) })
}

export type JobRequest = z.infer<ReturnType<typeof jobRequest>>

export type RequestLimits = { readonly now: Date; readonly callbackPrefixes: readonly string[] }

/**
 * The job a request asks for. Returns what is wrong with it instead, by pointer; throws
 * `job.callback_refused`.
 */
export function newJob(
  kind: JobKind,
  request: JobRequest,
  limits: RequestLimits,
): NewJob | readonly PointedError[] {
  const { payload, runAt, delayMs = 0 } = request
  const untilRunMs = runAt === undefined ? delayMs : Date.parse(runAt) - limits.now.getTime()
  const errors: PointedError[] = []
  if (runAt !== undefined && request.delayMs !== undefined) {
    errors.push({ pointer: '/runAt', detail: 'Give delayMs or runAt, not both' })
  }
  if (untilRunMs > delayMsMax) {
    errors.push({ pointer: '/runAt', detail: `At most ${delayMsMax} ms ahead` })
  }
  if (Buffer.byteLength(JSON.stringify(payload)) > payloadBytesMax) {
    errors.push({ pointer: '/payload', detail: `At most ${payloadBytesMax} bytes` })
  }
  if (errors.length > 0) return errors
  return {
    id: Bun.randomUUIDv7(),
    kind,
    payload,
    priority: request.priority ?? kind.priority,
    delayMs: Math.max(0, untilRunMs),
    attemptsMax: request.attemptsMax ?? kind.attemptsMax,
    timeoutMs: request.timeoutMs ?? kind.timeoutMs,
    callbackUrl:
      request.callback === undefined
        ? undefined
        : callbackUrl(request.callback, limits.callbackPrefixes),
    tag: request.tag,
  }
}

/** Printable ASCII without comma, quote and backslash: no two readers see another key in it. */
const keyPattern = /^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{1,128}$/

/**
 * The request's Idempotency-Key, quoted as the draft has it or bare as many clients send it.
 * `content` is the parsed body. Throws `idempotency.key_invalid`.
 */
export function idempotencyOf(c: GatewayContext, content: unknown): IdempotencyKey | undefined {
  const header = c.req.header('idempotency-key')
  if (header === undefined) return undefined
  const isQuoted = header.length >= 2 && header.startsWith('"') && header.endsWith('"')
  const key = isQuoted ? header.slice(1, -1) : header
  if (!keyPattern.test(key)) {
    throw new PosternError('idempotency.key_invalid', {
      detail: 'Send one key of 1 to 128 printable ASCII characters without comma or quote.',
    })
  }
  const canonical = canonicalize(content)
  invariant(canonical !== undefined, 'a parsed body is JSON')
  return {
    method: c.req.method,
    route: c.get('routeTemplate'),
    key,
    fingerprint: new Bun.CryptoHasher('sha256').update(canonical).digest('hex'),
  }
}
