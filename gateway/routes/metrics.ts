import type { Metrics } from '#core/metrics.ts'
import { defineRoute, type Route } from '../route.ts'

export function metricsRoute(deps: {
  readonly metrics: Metrics
  /** Instead of this process's: of all that share its port. */
  readonly readMetrics?: (() => Promise<string>) | undefined
}): Route {
  const { registry } = deps.metrics
  const read = deps.readMetrics ?? (() => registry.metrics())
  return defineRoute({
    method: 'GET',
    path: '/internal/metrics',
    zone: 'internal',
    scope: 'metrics:read',
    operationId: 'read-metrics',
    summary: 'Metrics of this gateway, for Prometheus',
    answers: { 200: { description: 'Text exposition format', mediaType: 'text/plain' } },
    refusals: ['gateway.overloaded'],
    async handle(c) {
      const headers = { 'content-type': registry.contentType }
      return c.body(await read(), { status: 200, headers })
    },
  })
}
