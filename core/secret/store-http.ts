import { PosternError } from '../errors.ts'
import { parsedJson } from '../reading/parsed-json.ts'
import { readBoundedText } from '../reading/read-bounded-text.ts'
import { retryAfterOf } from '../reading/retry-after.ts'

/** Milliseconds for one request, its answer included: a store that is slower counts as away. */
const requestMsMaxDefault = 10_000
/** Bytes; a page of 1,000 names is below it. */
const answerBytesMax = 1_048_576
/** Seconds until a store that was away is asked again. */
const retryAfterSeconds = 5

export type StoreRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: object
  /** Sent as a form instead. */
  readonly form?: Readonly<Record<string, string>>
}

/** An answer below 500 that is no throttling; `body` is undefined where there is no JSON. */
export type StoreAnswer = {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

export type StoreCall = (request: StoreRequest) => Promise<StoreAnswer>

export type StoreHttpOptions = {
  /** PEM; else the system's roots. */
  readonly ca?: string | undefined
  readonly requestMsMax?: number
}

/**
 * Asks a store's HTTP API once. Throws `secret.unavailable`, with the host and never with a body,
 * for no answer, an answer that breaks off, a redirect, 429 (with its `Retry-After`) and 5xx.
 */
export function storeHttp(options: StoreHttpOptions = {}): StoreCall {
  const timeoutMs = options.requestMsMax ?? requestMsMaxDefault
  return async (request) => {
    const where = `${request.method} ${new URL(request.url).host}`
    const answer = await fetch(request.url, requestInit(request, options, timeoutMs)).catch(
      (cause: unknown) => {
        throw storeUnavailable(`${where}: no answer`, { cause })
      },
    )
    const text = await readBoundedText(answer, { bytesMax: answerBytesMax, timeoutMs }).catch(
      (cause: unknown) => {
        throw storeUnavailable(`${where}: the answer broke off`, { cause })
      },
    )
    if (typeof text !== 'string') throw storeUnavailable(`${where}: ${text.reason}`)
    const { status, headers } = answer
    if (status === 429) {
      throw storeUnavailable(`${where}: throttled`, { waitSeconds: retryAfterOf(headers) })
    }
    if (status >= 500 || (status >= 300 && status < 400)) {
      throw storeUnavailable(`${where}: answered ${status}`, { waitSeconds: retryAfterOf(headers) })
    }
    return { status, headers, body: text === '' ? undefined : parsedJson(text) }
  }
}

function requestInit(
  { method, headers, body, form }: StoreRequest,
  { ca }: StoreHttpOptions,
  timeoutMs: number,
): BunFetchRequestInit {
  const content = contentOf(body, form)
  return {
    method,
    // Nobody but the host that was named gets the token.
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
    headers: { accept: 'application/json', ...content.headers, ...headers },
    ...(content.body === undefined ? {} : { body: content.body }),
    ...(ca === undefined ? {} : { tls: { ca } }),
  }
}

function contentOf(
  body: object | undefined,
  form: StoreRequest['form'],
): { readonly headers: Readonly<Record<string, string>>; readonly body?: string } {
  if (form !== undefined) {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    return { headers, body: new URLSearchParams(form).toString() }
  }
  if (body === undefined) return { headers: {} }
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/** `reason` is for the operator: it names what to look at, and holds no value and no answer. */
export function storeUnavailable(
  reason: string,
  {
    waitSeconds = retryAfterSeconds,
    cause,
  }: { readonly waitSeconds?: number | undefined; readonly cause?: unknown } = {},
): PosternError {
  return new PosternError('secret.unavailable', { reason, retryAfterSeconds: waitSeconds, cause })
}

/** `version` undefined: there is nothing of the name at all. */
export function secretNotFound(name: string, version?: string): PosternError {
  const reason =
    version === undefined
      ? `there is no secret ${name}`
      : `${name} has no version ${version}, or not yet`
  return new PosternError('secret.not_found', { reason })
}

export function secretDisabled(name: string, version: string): PosternError {
  const reason = `version ${version} of ${name} was disabled`
  return new PosternError('secret.disabled', { reason })
}
