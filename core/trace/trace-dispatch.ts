import type { Delivery } from '../job/job-queue.ts'
import { errorTypeOf, type TraceSpan, type Tracing } from './tracing.ts'

const nothing = () => undefined

export type TracedDispatch = {
  /** The same, each naming its dispatch as what its runs are begun below. */
  readonly deliveries: readonly Delivery[]
  end(): void
  fail(error: unknown): void
}

/** One span for each trace that is told, however many jobs it has in this call. */
export function traceDispatch(
  tracing: Tracing | undefined,
  deliveries: readonly Delivery[],
): TracedDispatch {
  if (tracing === undefined) return { deliveries, end: nothing, fail: nothing }
  const spans = new Map<string, TraceSpan>()
  for (const [traceparent, some] of Map.groupBy(deliveries, (one) => one.traceparent)) {
    const fields = { 'postern.batch.items': some.length }
    const span = tracing.begin('dispatch', traceparent, fields)
    if (span !== undefined && traceparent !== undefined) spans.set(traceparent, span)
  }
  if (spans.size === 0) return { deliveries, end: nothing, fail: nothing }
  return {
    deliveries: deliveries.map((delivery) => {
      const span = spans.get(delivery.traceparent ?? '')
      return span === undefined ? delivery : { ...delivery, traceparent: span.traceparent }
    }),
    end: () => spans.forEach((span) => void span.end()),
    fail: (error) => spans.forEach((span) => void span.fail(errorTypeOf(error))),
  }
}
