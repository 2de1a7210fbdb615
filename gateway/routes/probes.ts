import { z } from 'zod'
import { answer } from '../answer.ts'
import { defineRoute, type Route } from '../route.ts'

export type Readiness = {
  readonly ready: boolean
  /** By dependency; may hold more than what decides. */
  readonly checks: Readonly<
    Record<string, { readonly ok: boolean; readonly detail?: string | undefined }>
  >
}

const readinessDocument = z.strictObject({
  ready: z.boolean(),
  checks: z.record(z.string(), z.strictObject({ ok: z.boolean(), detail: z.string().optional() })),
})
readinessDocument.register(z.globalRegistry, { title: 'Readiness' })

export function probeRoutes(deps: {
  readonly readiness: () => Readiness | Promise<Readiness>
}): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/healthz',
      zone: 'probe',
      scope: undefined,
      operationId: 'read-health',
      summary: 'The process is alive; touches nothing',
      answers: { 200: { description: 'Alive', schema: z.strictObject({ alive: z.boolean() }) } },
      refusals: [],
      handle: (c) => answer(c, 200, { alive: true }),
    }),
    defineRoute({
      method: 'GET',
      path: '/readyz',
      zone: 'probe',
      scope: undefined,
      operationId: 'read-readiness',
      summary: 'The process can accept jobs',
      answers: {
        200: { description: 'Ready', schema: readinessDocument },
        503: { description: 'Not ready; the body says why', schema: readinessDocument },
      },
      refusals: [],
      async handle(c) {
        const readiness = await deps.readiness()
        return answer(c, readiness.ready ? 200 : 503, readiness)
      },
    }),
  ]
}
