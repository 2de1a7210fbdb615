import { HTTPException } from 'hono/http-exception'
import { type ErrorCode, errorCatalog, PosternError } from '#core/errors.ts'
import type { GatewayContext } from './context.ts'

/** Seconds; for an outage that does not say when it expects to be over. */
const retryAfterDefaultSeconds = 1

export type Problem = {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: ErrorCode
  readonly detail?: string | undefined
  readonly instance?: string | undefined
  readonly requestId?: string | undefined
  readonly errors?: PosternError['errors']
}

/** Whatever was thrown, as the error a caller may know of; anything unforeseen is `internal`. */
export function asPosternError(c: GatewayContext, thrown: unknown): PosternError {
  if (thrown instanceof PosternError) return thrown
  // Reading a body fails so when its sender leaves half way: nobody's fault but the sender's.
  if (c.req.raw.signal.aborted && thrown instanceof Error && thrown.name === 'AbortError') {
    return new PosternError('request.malformed', { reason: 'caller_left', cause: thrown })
  }
  if (thrown instanceof HTTPException && thrown.status < 500) {
    const code = thrown.status === 404 ? 'route.not_found' : 'request.malformed'
    return new PosternError(code, { reason: `http_${thrown.status}`, cause: thrown })
  }
  return new PosternError('internal', { cause: thrown })
}

/**
 * The body of an error's answer. That of a refused token names no request: it is the same bytes
 * whatever was wrong, and its id stands in the `X-Request-Id` header alone.
 */
export function problemOf(error: PosternError, instance: string, requestId: string): Problem {
  const { title, status } = errorCatalog[error.code]
  const problem = { type: `/problems/${error.code}`, title, status, code: error.code }
  if (error.code === 'auth.token_rejected') return { ...problem, instance }
  // A bug's words are for the log: a driver's message may hold a connection string.
  const detail = error.code === 'internal' ? undefined : error.detail
  return { ...problem, detail, instance, requestId, errors: error.errors }
}

export function problemHeaders(error: PosternError): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' }
  if (error.status === 401) headers['www-authenticate'] = 'Bearer'
  const seconds = retryAfterSeconds(error)
  if (seconds !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(seconds)))
  return headers
}

function retryAfterSeconds(error: PosternError): number | undefined {
  if (error.retryAfterSeconds !== undefined) return error.retryAfterSeconds
  const isPassing =
    error.status === 503 || error.status === 429 || error.code === 'idempotency.in_flight'
  return isPassing ? retryAfterDefaultSeconds : undefined
}

/** The one renderer of errors (RFC 9457); keeps the headers the chain has prepared. */
export function renderProblem(c: GatewayContext, error: PosternError): Response {
  const problem = problemOf(error, c.req.path, c.get('requestId'))
  const headers = problemHeaders(error)
  for (const name in headers) c.header(name, headers[name])
  return c.body(JSON.stringify(problem), { status: errorCatalog[error.code].status })
}
