/**
 * Every code a caller or an operator can meet, with its HTTP status and title (RFC 9457).
 * A code has a section in deploy/RUNBOOK.md; `test/tidy.test.ts` holds the two together.
 */
export const errorCatalog = {
  'request.malformed': { status: 400, title: 'Request malformed' },
  'request.query_invalid': { status: 400, title: 'Query or path parameter invalid' },
  'request.body_invalid': { status: 422, title: 'Body does not match the schema' },
  'request.body_too_large': { status: 413, title: 'Body too large' },
  'request.media_type_unsupported': { status: 415, title: 'Media type not supported' },
  'route.not_found': { status: 404, title: 'No such resource' },
  'route.method_not_allowed': { status: 405, title: 'Method not allowed' },
  'access.address_refused': { status: 403, title: 'Address not allowed' },
  'access.scope_missing': { status: 403, title: 'Scope missing' },
  'access.rate_limited': { status: 429, title: 'Rate limit reached' },
  'auth.token_rejected': { status: 401, title: 'Bearer token rejected' },
  'auth.keys_unavailable': { status: 503, title: 'Signing keys unavailable' },
  'issuer.not_configured': { status: 404, title: 'No local issuer' },
  'idempotency.key_invalid': { status: 400, title: 'Idempotency-Key invalid' },
  'idempotency.in_flight': { status: 409, title: 'First request with this key still running' },
  'idempotency.mismatch': { status: 422, title: 'Idempotency-Key reused with another payload' },
  'job.not_found': { status: 404, title: 'No such job' },
  'job.kind_unknown': { status: 404, title: 'No such job kind' },
  'job.callback_refused': { status: 422, title: 'Callback URL not on the allowlist' },
  'job.queue_full': { status: 429, title: 'Too many unfinished jobs' },
  'job.not_retryable': { status: 409, title: 'Job cannot be retried' },
  'job.cancelled': { status: 409, title: 'Job cancelled' },
  'job.timed_out': { status: 504, title: 'Job timed out' },
  'job.payload_refused': { status: 422, title: 'Job payload no longer matches its kind' },
  'job.dispatches_exhausted': { status: 500, title: 'Job was dispatched too often' },
  'score.not_found': { status: 404, title: 'Wallet has no stored score' },
  'order.not_found': { status: 404, title: 'No such order' },
  'order.key_required': { status: 400, title: 'Neither Idempotency-Key nor client order id' },
  'order.client_id_taken': { status: 409, title: 'Client order id already used' },
  'order.transition_refused': { status: 409, title: 'Order cannot change state' },
  'order.rate_limited': { status: 429, title: 'Too many order messages' },
  'account.not_authorized': { status: 403, title: 'Account not authorized' },
  'account.not_found': { status: 404, title: 'No such account' },
  'trading.halted': { status: 503, title: 'Trading halted' },
  'access.second_principal_needed': { status: 409, title: 'A second principal must agree' },
  'revocation.not_found': { status: 404, title: 'No such revocation' },
  'revocation.not_liftable': { status: 409, title: 'Revocation cannot be lifted' },
  'trading.second_principal_needed': { status: 409, title: 'A second principal must agree' },
  'market.not_found': { status: 404, title: 'No market data' },
  'report.not_found': { status: 404, title: 'Job has no report' },
  'venue.unavailable': { status: 503, title: 'Venue unavailable' },
  'webhook.refused': { status: 422, title: 'Webhook receiver refused the delivery' },
  'webhook.unreachable': { status: 503, title: 'Webhook receiver unreachable' },
  'schedule.not_found': { status: 404, title: 'No such schedule' },
  'schedule.built_in': { status: 409, title: 'Schedule is built in' },
  'schedule.running': { status: 409, title: 'Schedule has an unfinished job' },
  'schedule.limit_reached': { status: 409, title: 'Too many schedules' },
  'queue.not_found': { status: 404, title: 'No such queue' },
  'queue.unavailable': { status: 503, title: 'Queue engine unavailable' },
  'database.unavailable': { status: 503, title: 'Database unavailable' },
  'database.schema_refused': { status: 500, title: 'Database schema does not fit this binary' },
  'audit.not_found': { status: 404, title: 'Not in the published audit log' },
  'audit.record_too_large': { status: 413, title: 'Audit record too large' },
  'audit.store_unavailable': { status: 503, title: 'Published audit log unavailable' },
  'audit.verification_failed': { status: 422, title: 'Published audit log does not verify' },
  'audit.unavailable': { status: 503, title: 'Audit log unavailable' },
  'secret.unknown': { status: 404, title: 'No such secret' },
  'secret.no_rotation': { status: 409, title: 'Nobody has said how the secret is rotated' },
  'secret.not_found': { status: 503, title: 'Secret not found' },
  'secret.disabled': { status: 503, title: 'Secret version disabled' },
  'secret.refused': { status: 422, title: 'Secret refused' },
  'secret.rotation_open': { status: 409, title: 'A rotation of the secret is under way' },
  'secret.rotation_overtaken': { status: 409, title: 'Rotation is another step on' },
  'secret.unproved': { status: 503, title: 'Not every process has proved the new version' },
  'secret.target_refused': { status: 422, title: 'Target refuses the rotation' },
  'secret.target_unavailable': { status: 503, title: 'Target of the rotation unavailable' },
  'secret.unavailable': { status: 503, title: 'Secret store unavailable' },
  'drift.not_found': { status: 404, title: 'No such drift finding' },
  'drift.not_configured': { status: 409, title: 'Source of drift not configured' },
  'drift.terraform_missing': { status: 409, title: 'No Terraform here' },
  'drift.terraform_failed': { status: 503, title: 'Terraform made no plan' },
  'drift.source_unavailable': { status: 503, title: 'Plan cannot be read' },
  'drift.overtaken': { status: 503, title: 'Another drift check ended meanwhile' },
  'gateway.draining': { status: 503, title: 'Shutting down' },
  'gateway.overloaded': { status: 503, title: 'Too many requests in progress' },
  internal: { status: 500, title: 'Internal error' },
} as const satisfies Record<string, { status: number; title: string }>

export type ErrorCode = keyof typeof errorCatalog

/** One fault in a body, named by its RFC 6901 JSON pointer. */
export type PointedError = { readonly pointer: string; readonly detail: string }

export type PosternErrorOptions = {
  /** For the caller: names the fix, holds no secret and no driver message. */
  readonly detail?: string
  readonly errors?: readonly PointedError[]
  /** For the log and the audit record only. */
  readonly reason?: string
  readonly retryAfterSeconds?: number
  readonly cause?: unknown
}

/**
 * A refusal (status < 500, final) or an outage (503, may pass). Any other throw is a bug.
 * `message` and `cause` are for the log, `detail` is for the caller.
 */
export class PosternError extends Error {
  readonly code: ErrorCode
  readonly detail: string | undefined
  readonly errors: readonly PointedError[] | undefined
  readonly reason: string | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(code: ErrorCode, options: PosternErrorOptions = {}) {
    const text = options.reason ?? options.detail ?? errorCatalog[code].title
    super(text, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'PosternError'
    this.code = code
    this.detail = options.detail
    this.errors = options.errors
    this.reason = options.reason
    this.retryAfterSeconds = options.retryAfterSeconds
  }

  get status(): number {
    return errorCatalog[this.code].status
  }
}

/** An outage may pass; a refusal will be refused again. */
export function isRetryable(error: PosternError): boolean {
  return error.status >= 500
}
