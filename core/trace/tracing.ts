import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { AlwaysOnSampler, type ReadableSpan, TracerProvider } from '@opentelemetry/sdk-trace'
import { PosternError } from '../errors.ts'
import { formatTraceparent, parseTraceparent } from './traceparent.ts'

/** All that a span may say. No payload, token, address or subject, and no ids but these two. */
export type SpanFields = {
  readonly 'http.request.method'?: string
  /** The template; never a path. */
  readonly 'http.route'?: string
  readonly 'http.response.status_code'?: number
  readonly 'postern.request_id'?: string
  readonly 'postern.job_id'?: string
  readonly 'postern.kind'?: string
  readonly 'postern.attempt'?: number
  readonly 'postern.outcome'?: string
  readonly 'postern.commit'?: string
  readonly 'postern.batch.items'?: number
  readonly 'postern.venue'?: string
  readonly 'postern.venue.call'?: string
  readonly 'error.type'?: string
}

const kinds = {
  request: SpanKind.SERVER,
  commit: SpanKind.CLIENT,
  dispatch: SpanKind.PRODUCER,
  attempt: SpanKind.CONSUMER,
  venue: SpanKind.CLIENT,
} as const

export type SpanName = keyof typeof kinds

/** One step of a trace. What was never ended is never told. */
export type TraceSpan = {
  /** What a step below this one is begun with. */
  readonly traceparent: string
  rename(name: string): void
  end(fields?: SpanFields): void
  /** Ends it as failed, with what `errorTypeOf` says. */
  fail(errorType: string, fields?: SpanFields): void
}

/**
 * Where traces are told. Nothing of it waits, throws or is awaited by what is traced. Who has no
 * `Tracing` traces nothing: there is no other switch.
 */
export type Tracing = {
  /** Continues the caller's trace as the caller has decided, or begins one for a share of the rest. */
  beginRequest(traceparent: string | undefined): TraceSpan | undefined
  /** A step of a trace that is told; undefined for every other. */
  begin(name: SpanName, traceparent: string | undefined, fields?: SpanFields): TraceSpan | undefined
}

export type TracingOptions = {
  /** Share of requests without a trace of their own that begin one, 0 to 1. */
  readonly sample: number
  readonly resource: Readonly<Record<string, string>>
  readonly onEnd: (span: ReadableSpan) => void
  /** 0 to below 1. */
  readonly random?: () => number
}

export function openTracing(options: TracingOptions): Tracing {
  const { sample, resource, onEnd, random = Math.random } = options
  const provider = new TracerProvider({
    resource: resourceFromAttributes(resource),
    // What is not sampled never comes here.
    sampler: new AlwaysOnSampler(),
    spanProcessors: [spanProcessor(onEnd)],
  })
  const tracer = provider.getTracer('postern')

  function start(name: SpanName, fields: SpanFields, context = ROOT_CONTEXT): TraceSpan {
    const span = tracer.startSpan(name, { kind: kinds[name], attributes: { ...fields } }, context)
    return {
      traceparent: formatTraceparent(span.spanContext()),
      rename: (to) => void span.updateName(to),
      end(more) {
        if (more !== undefined) span.setAttributes({ ...more })
        span.end()
      },
      fail(errorType, more) {
        span.setAttributes({ ...more, 'error.type': errorType })
        span.setStatus({ code: SpanStatusCode.ERROR })
        span.end()
      },
    }
  }

  function begin(name: SpanName, traceparent: string | undefined, fields: SpanFields = {}) {
    const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent)
    if (parent?.isSampled !== true) return undefined
    const { traceId, spanId } = parent
    const traceFlags = TraceFlags.SAMPLED
    const above = { traceId, spanId, traceFlags, isRemote: true }
    return start(name, fields, trace.setSpanContext(ROOT_CONTEXT, above))
  }

  return {
    begin,
    beginRequest(traceparent) {
      if (traceparent !== undefined) return begin('request', traceparent)
      return random() < sample ? start('request', {}) : undefined
    },
  }
}

/** Its code, or the name of its class; never its words, which may quote anything. */
export function errorTypeOf(error: unknown): string {
  if (error instanceof PosternError) return error.code
  return error instanceof Error ? error.name : 'unknown'
}

/** The library's own would count nothing that it drops, and take its limits from the environment. */
function spanProcessor(onEnd: (span: ReadableSpan) => void) {
  return {
    onStart: () => undefined,
    onEnd,
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  }
}
