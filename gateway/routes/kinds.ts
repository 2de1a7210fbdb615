import { z } from 'zod'
import type { JobKind } from '#core/job/kind.ts'
import { payloadBytesMax } from '#core/job/limits.ts'
import { answer } from '../answer.ts'
import { jsonSchemaOf } from '../json-schema.ts'
import { defineRoute, type Route } from '../route.ts'

const kindDocument = z.strictObject({
  name: z.string(),
  summary: z.string(),
  scope: z.string(),
  payload: z.unknown().describe('JSON Schema of the payload'),
  result: z.unknown().describe('JSON Schema of the result'),
  payloadBytesMax: z.int(),
  attemptsMax: z.int(),
  timeoutMs: z.int(),
  retentionDays: z.int(),
  priority: z.int().describe('The first place a caller may ask for; 0 is first of all'),
})
kindDocument.register(z.globalRegistry, { title: 'JobKind' })

/** The kinds a caller can enqueue, with their schemas and limits. */
export function kindsRoute(kinds: readonly JobKind[]): Route {
  // Made when first asked for: no start should wait for it.
  let documents: readonly z.infer<typeof kindDocument>[] | undefined
  function describeAll() {
    documents ??= kinds.flatMap((kind) =>
      kind.scope === undefined ? [] : [describeKind(kind, kind.scope)],
    )
    return documents
  }
  return defineRoute({
    method: 'GET',
    path: '/v1/kinds',
    zone: 'v1',
    scope: 'jobs:read',
    operationId: 'list-kinds',
    summary: 'The job kinds, with schemas and limits',
    answers: {
      200: { description: 'The kinds', schema: z.strictObject({ kinds: z.array(kindDocument) }) },
    },
    refusals: [],
    handle: (c) => answer(c, 200, { kinds: describeAll() }),
  })
}

function describeKind(kind: JobKind, scope: string): z.infer<typeof kindDocument> {
  return {
    name: kind.name,
    summary: kind.summary,
    scope,
    payload: jsonSchemaOf(kind.payload, 'input'),
    result: jsonSchemaOf(kind.result, 'output'),
    payloadBytesMax,
    attemptsMax: kind.attemptsMax,
    timeoutMs: kind.timeoutMs,
    retentionDays: kind.retentionDays,
    priority: kind.priority,
  }
}
