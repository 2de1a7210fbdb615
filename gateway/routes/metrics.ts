import type { Metrics } from '#core/metrics.ts'
import { defineRoute, type Route } from '../route.ts'

export function metricsRoute({ metrics }: { readonly metrics: Metrics }): Route {
  const { registry } = metrics
  return defineRoute({
    method: 'GET',
    path: '/internal/metrics',
    zone: 'internal',
    scope: 'metrics:read',
    operationId: 'read-metrics',
    summary: 'Metrics of this process, for Prometheus',
    answers: { 200: { description: 'Text exposition format', mediaType: 'text/plain' } },
    refusals: [],
    async handle(c) {
      const headers = { 'content-type': registry.contentType }
      return c.body(await registry.metrics(), { status: 200, headers })
    },
  })
}
