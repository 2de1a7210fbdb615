import type { MiddlewareHandler } from 'hono'
import { PosternError } from '#core/errors.ts'
import type { AnswerOutcome } from '#core/incident/looks.ts'
import type { Log, LogFields } from '#core/log.ts'
import type { Metrics } from '#core/metrics.ts'
import { parseTraceparent } from '#core/trace/traceparent.ts'
import { errorTypeOf, type TraceSpan, type Tracing } from '#core/trace/tracing.ts'
import type { GatewayContext, GatewayEnv } from './context.ts'
import type { ReadAudit } from './read-audit.ts'

/**
 * The outermost layer: names the request, and at its end writes its one log line, its metric, its
 * span where it is traced and, for an admitted read, its part of an audit record. A request id is
 * ours alone; what a caller sends as one is not taken over, because audit records carry it.
 */
export function observe(options: {
  readonly log: Log
  readonly metrics: Metrics
  readonly reads: ReadAudit
  readonly tracing?: Tracing | undefined
}): MiddlewareHandler<GatewayEnv> {
  const { log, metrics, reads, tracing } = options
  return async function observeRequest(c, next) {
    const startedAt = performance.now()
    nameRequest(c)
    const span = tracing?.beginRequest(c.get('traceparent'))
    if (span !== undefined) c.set('traceparent', span.traceparent)
    await next()
    const seconds = (performance.now() - startedAt) / 1_000
    const { status } = c.res
    const { method } = c.req
    const route = c.get('routeTemplate') ?? 'none'
    metrics.requestSeconds.observe({ method, route, status }, seconds)
    if (c.get('zone') !== 'probe') {
      metrics.answers.inc({ outcome: outcomeOf(status, c.error) })
    }
    if (c.error instanceof PosternError) metrics.refusals.inc({ code: c.error.code })
    if (isAdmittedRead(c, method, status)) reads.note(c, status)
    if (span !== undefined) endSpan(span, c, { method, route, status })
    writeLine(log, c, { method, route, status, durationMs: Math.round(seconds * 1e6) / 1e3 })
  }
}

/** Past what a gateway keeps up with it refuses as it should; that is no failure of it. */
function outcomeOf(status: number, error: unknown): AnswerOutcome {
  if (status < 500) return 'given'
  const isOverload = error instanceof PosternError && error.code === 'gateway.overloaded'
  return isOverload ? 'overloaded' : 'failed'
}

function nameRequest(c: GatewayContext): void {
  const requestId = Bun.randomUUIDv7()
  c.set('requestId', requestId)
  c.header('x-request-id', requestId)
  c.header('x-content-type-options', 'nosniff')
  c.header('cache-control', 'no-store')
  const traceparent = c.req.header('traceparent')
  // A malformed one starts a new trace (Trace Context, 4.3); it never fails the request.
  if (traceparent !== undefined && parseTraceparent(traceparent) !== undefined) {
    c.set('traceparent', traceparent)
  }
}

function endSpan(
  span: TraceSpan,
  c: GatewayContext,
  {
    method,
    route,
    status,
  }: { readonly method: string; readonly route: string; readonly status: number },
): void {
  // A balancer asks every few seconds; what is never ended is never told.
  if (c.get('zone') === 'probe') return
  span.rename(`${method} ${route}`)
  const { error } = c
  const fields = {
    'http.request.method': method,
    'http.route': route,
    'http.response.status_code': status,
    'postern.request_id': c.get('requestId'),
    ...(error instanceof PosternError ? { 'error.type': error.code } : {}),
  }
  if (status >= 500) span.fail(errorTypeOf(error), fields)
  else span.end(fields)
}

function isAdmittedRead(c: GatewayContext, method: string, status: number): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  if (c.get('principal') === undefined) return false
  return status !== 401 && status !== 403 && status !== 429
}

function writeLine(log: Log, c: GatewayContext, fields: LogFields): void {
  const line = {
    ...fields,
    requestId: c.get('requestId'),
    clientAddress: c.get('clientAddress'),
    subject: c.get('principal')?.subject,
    traceparent: c.get('traceparent'),
  }
  const { error } = c
  if (error === undefined) {
    // A balancer asks every few seconds; those lines would be most of the log.
    if (c.get('zone') === 'probe') log.debug('request.finished', line)
    else log.info('request.finished', line)
    return
  }
  if (!(error instanceof PosternError)) {
    log.error('request.finished', { ...line, code: 'internal', error })
    return
  }
  const refused = { ...line, code: error.code, reason: error.reason }
  // Whoever is overloaded has no time for stacks.
  if (error.status < 500 || error.code === 'gateway.overloaded')
    log.info('request.finished', refused)
  else log.error('request.finished', { ...refused, error })
}
