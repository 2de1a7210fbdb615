import { z } from 'zod'
import { PosternError } from '../../errors.ts'
import { parsedJson } from '../../reading/parsed-json.ts'
import { readBoundedText } from '../../reading/read-bounded-text.ts'
import { retryAfterOf } from '../../reading/retry-after.ts'
import type { RequestBudget } from './request-budget.ts'
import { spareVenue } from './venue-outage.ts'

/** Milliseconds for one request, its answer included; the caller's signal may end it sooner. */
const requestMsMaxDefault = 10_000
/** Bytes; a page of 500 orders is below 1 MiB. */
const answerBytesMax = 4 * 1_048_576
/** Characters of a refusal that are kept. */
const rawCharsMax = 1_000
/** Seconds until a venue that was away is asked again. */
const retryAfterSeconds = 1

export type AlpacaCredentials = { readonly keyId: string; readonly secretKey: string }

export type AlpacaRequest = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** From `/v2/` on, its query included. */
  readonly path: string
  readonly body?: object
  readonly signal?: AbortSignal
  /** May use what the budget keeps back. */
  readonly isUrgent?: boolean
}

/** `lost`: the request may have been served. */
export type AlpacaAnswer =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly body: unknown
      readonly raw: string
    }
  | { readonly kind: 'lost'; readonly reason: string }

export type AlpacaCall = (request: AlpacaRequest) => Promise<AlpacaAnswer>

export type AlpacaHttpOptions = {
  readonly baseUrl: string
  /** Asked at the start and again when the venue refuses what it gave. */
  readonly credentials: () => Promise<AlpacaCredentials>
  readonly budget: RequestBudget
  readonly requestMsMax?: number
}

/**
 * Sends a request at most once, and again only where the venue has refused the credentials. Throws
 * `venue.unavailable` when nothing was sent, or the venue says that it did nothing (429).
 */
export function alpacaHttp(options: AlpacaHttpOptions): AlpacaCall {
  const { baseUrl, budget, requestMsMax: timeoutMs = requestMsMaxDefault } = options
  let known: Promise<AlpacaCredentials> | undefined

  async function credentials(): Promise<AlpacaCredentials> {
    known ??= options.credentials()
    try {
      return await known
    } catch (cause) {
      known = undefined
      throw spareVenue(unavailable('no credentials', { cause }))
    }
  }

  async function send(request: AlpacaRequest): Promise<AlpacaAnswer> {
    const waitSeconds = budget.take(request.isUrgent ?? false)
    if (waitSeconds !== undefined) throw spareVenue(unavailable('own rate limit', { waitSeconds }))
    const init = requestInit(request, await credentials(), timeoutMs)
    if (request.signal?.aborted) throw unavailable('given up before it was sent', {})
    try {
      return await readAnswer(await fetch(`${baseUrl}${request.path}`, init))
    } catch (error) {
      return lostOrUnsent(error)
    }
  }

  async function readAnswer(response: Response): Promise<AlpacaAnswer> {
    const { status } = response
    const limits = { bytesMax: answerBytesMax, timeoutMs }
    const text = await readBoundedText(response, limits)
    if (status === 429) {
      const waitSeconds = budget.limited(retryAfterOf(response.headers))
      throw spareVenue(unavailable('rate limited by the venue', { waitSeconds }))
    }
    if (typeof text === 'object') return { kind: 'lost', reason: text.reason }
    return { kind: 'answer', status, body: parsedJson(text), raw: text.slice(0, rawCharsMax) }
  }

  return async (request) => {
    const answer = await send(request)
    if (!isLoginRefused(answer)) return answer
    // The secret may have been rotated since it was read.
    known = undefined
    const second = await send(request)
    if (isLoginRefused(second)) throw spareVenue(unavailable('credentials refused', {}))
    return second
  }
}

function requestInit(
  { method, body, signal }: AlpacaRequest,
  { keyId, secretKey }: AlpacaCredentials,
  timeoutMs: number,
): RequestInit {
  const deadline = AbortSignal.timeout(timeoutMs)
  const headers = {
    accept: 'application/json',
    'APCA-API-KEY-ID': keyId,
    'APCA-API-SECRET-KEY': secretKey,
  }
  const init: RequestInit = {
    method,
    // Nobody but the host that was named gets the keys.
    redirect: 'manual',
    signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    headers,
  }
  if (body === undefined) return init
  const typed = { ...headers, 'content-type': 'application/json' }
  return { ...init, headers: typed, body: JSON.stringify(body) }
}

export function unavailable(
  reason: string,
  { waitSeconds = retryAfterSeconds, cause }: { waitSeconds?: number; cause?: unknown },
): PosternError {
  return new PosternError('venue.unavailable', { reason, retryAfterSeconds: waitSeconds, cause })
}

const faultSchema = z.object({ code: z.union([z.number(), z.string()]).transform(String) })

/** The venue's own code of a refusal, or its status. */
export function faultCodeOf({ status, body }: { readonly status: number; readonly body: unknown }) {
  const fault = faultSchema.safeParse(body)
  return fault.success ? fault.data.code : String(status)
}

/** 403 is also how an order is refused for want of money or shares: those codes begin with 4031. */
function isLoginRefused(answer: AlpacaAnswer): boolean {
  if (answer.kind === 'lost') return false
  if (answer.status === 401) return true
  return answer.status === 403 && !faultCodeOf(answer).startsWith('4031')
}

function lostOrUnsent(error: unknown): AlpacaAnswer {
  if (error instanceof PosternError) throw error
  if (neverConnected(error)) throw unavailable('no connection', { cause: error })
  return { kind: 'lost', reason: error instanceof Error ? error.message : String(error) }
}

const withCode = z.object({ code: z.string() })
/** Of Bun's fetch and its resolver: no byte of the request has left. */
const unsentCodes = new Set([
  'ECONNREFUSED',
  'ConnectionRefused',
  'FailedToOpenSocket',
  'ENOTFOUND',
])

function neverConnected(error: unknown): boolean {
  const parsed = withCode.safeParse(error)
  return parsed.success && unsentCodes.has(parsed.data.code)
}
