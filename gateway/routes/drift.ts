import { z } from 'zod'
import { driftSources } from '#core/drift/finding.ts'
import { type DriftReads, driftFindingSchema, findingStates } from '#core/drift/postgres-drift.ts'
import { listPageMax } from '#core/job/limits.ts'
import { answer } from '../answer.ts'
import { integerParameter } from '../parameters.ts'
import { defineRoute, type Route } from '../route.ts'

const pageDefault = 50

const path = '/internal/drift'
const zone = 'internal'
const scope = 'drift:read'

/** What differs from what is configured, for operators. */
export function driftRoutes({ drift }: { readonly drift: DriftReads }): readonly Route[] {
  return [listRoute(drift), readRoute(drift)]
}

function listRoute(drift: DriftReads): Route {
  return defineRoute({
    ...{ method: 'GET', path, zone, scope },
    operationId: 'list-drift',
    summary: 'What differs from what is configured, opened last first',
    description:
      'Of `plan` and `terraform`: `drift` was changed outside Terraform, `gone` deleted there, `change` is configured and not applied, `unread` says that no plan could be judged. Of `runtime`: `differs`. A finding is resolved by the first check that could judge its source and did not see it.',
    query: z.strictObject({
      state: z.enum(findingStates).default('open'),
      source: z.enum(driftSources).optional(),
      limit: integerParameter(1, listPageMax).default(pageDefault),
      cursor: z.uuid().optional(),
    }),
    answers: {
      200: {
        description: 'A page of findings',
        schema: z.strictObject({
          findings: z.array(driftFindingSchema),
          next: z.string().optional(),
        }),
      },
    },
    refusals: ['database.unavailable'],
    async handle(c, { query }) {
      const page = await drift.list({ ...query, limit: query.limit + 1 })
      const shown = page.slice(0, query.limit)
      const next = page.length > query.limit ? shown.at(-1)?.id : undefined
      return answer(c, 200, { findings: shown, ...(next === undefined ? {} : { next }) })
    },
  })
}

function readRoute(drift: DriftReads): Route {
  return defineRoute({
    ...{ method: 'GET', path: `${path}/:fingerprint`, zone, scope },
    operationId: 'get-drift',
    summary: 'One finding',
    params: z.strictObject({
      fingerprint: z.string().regex(/^[0-9a-f]{64}$/, 'not a fingerprint that a list has named'),
    }),
    answers: { 200: { description: 'As it stands', schema: driftFindingSchema } },
    refusals: ['drift.not_found', 'database.unavailable'],
    handle: async (c, { params }) => answer(c, 200, await drift.read(params.fingerprint)),
  })
}
