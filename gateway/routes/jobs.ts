import { z } from 'zod'
import { PosternError } from '#core/errors.ts'
import type { JobStore } from '#core/job/job-store.ts'
import { type JobKind, jobStates } from '#core/job/kind.ts'
import { listPageMax, waitSecondsMax } from '#core/job/limits.ts'
import { answer } from '../answer.ts'
import { callerOf } from '../context.ts'
import { jobDocument, jobExample } from '../job-document.ts'
import { tagSchema } from '../job-request.ts'
import {
  instantParameter,
  integerParameter,
  jobParams,
  readAnyScope,
  visibilityOf,
} from '../parameters.ts'
import { defineRoute, type Route } from '../route.ts'
import type { Waiting } from '../wait-finished.ts'
import { kindsRoute } from './kinds.ts'

/** What fits a screen; `limit` asks for more. */
const listPageDefault = 50

const cancelAnyScope = 'jobs:cancel:any'
const retryAnyScope = 'jobs:retry:any'

const noSuchJob = 'Nor is there one of another owner that this token may see.'

type JobDependencies = {
  readonly kinds: readonly JobKind[]
  readonly jobs: JobStore
}

export function jobRoutes(deps: JobDependencies, waits: Waiting): readonly Route[] {
  return [
    getRoute(deps, waits),
    listRoute(deps.jobs),
    cancelRoute(deps.jobs),
    retryRoute(deps.jobs),
    kindsRoute(deps.kinds),
  ]
}

function getRoute(deps: JobDependencies, waits: Waiting): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/jobs/:id',
    zone: 'v1',
    scope: 'jobs:read',
    operationId: 'get-job',
    summary: 'A job, at once or when it is finished',
    description: `With \`wait\` the answer comes when the job is finished, or after that many seconds with the job as it stands. Other owners' jobs are seen with the scope \`${readAnyScope}\`.`,
    params: jobParams,
    query: z.strictObject({ wait: integerParameter(0, waitSecondsMax).optional() }),
    answers: { 200: { description: 'The job', schema: jobDocument, example: jobExample } },
    refusals: ['job.not_found', 'gateway.overloaded', 'database.unavailable'],
    async handle(c, { params, query }) {
      const visibility = visibilityOf(c.get('principal'), readAnyScope)
      const job =
        query.wait === undefined || query.wait === 0
          ? await deps.jobs.find(params.id, visibility)
          : await waits.forJob(c, params.id, visibility, query.wait)
      return answer(c, 200, job ?? refuseUnknown())
    },
  })
}

const listQuery = z.strictObject({
  kind: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/)
    .optional(),
  state: z.enum(jobStates).optional(),
  tag: tagSchema.optional(),
  subject: z
    .string()
    .regex(/^\S{1,256}$/, 'Expected 1 to 256 characters without white space')
    .optional()
    .meta({ description: 'Of whom; of others than oneself with jobs:read:any' }),
  since: instantParameter.optional(),
  until: instantParameter.optional(),
  limit: integerParameter(1, listPageMax).default(listPageDefault),
  cursor: z.uuid().optional(),
})

function listRoute(jobs: JobStore): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/jobs',
    zone: 'v1',
    scope: 'jobs:read',
    operationId: 'list-jobs',
    summary: 'Jobs, newest first',
    description: '`next` is the `cursor` of the following page; it is absent on the last one.',
    query: listQuery,
    answers: {
      200: {
        description: 'A page of jobs',
        schema: z.strictObject({ jobs: z.array(jobDocument), next: z.string().optional() }),
      },
    },
    refusals: ['database.unavailable'],
    async handle(c, { query }) {
      return answer(c, 200, await jobs.list(query, visibilityOf(c.get('principal'), readAnyScope)))
    },
  })
}

function cancelRoute(jobs: JobStore): Route {
  return defineRoute({
    method: 'DELETE',
    path: '/v1/jobs/:id',
    zone: 'v1',
    scope: 'jobs:cancel',
    operationId: 'cancel-job',
    summary: 'Cancel a job, waiting or running',
    description:
      'Always 200 for a job that exists: `outcome` says whether it was `cancelled` or `too_late`, `run` what became of an attempt in progress. A cancelled job can have no effect any more.',
    params: jobParams,
    answers: {
      200: {
        description: 'What happened',
        schema: z.strictObject({
          outcome: z.enum(['cancelled', 'too_late']),
          run: z.enum(['not_running', 'aborted', 'not_confirmed']),
          job: jobDocument,
        }),
      },
    },
    refusals: ['job.not_found', 'database.unavailable'],
    async handle(c, { params }) {
      const visibility = visibilityOf(c.get('principal'), cancelAnyScope)
      return answer(
        c,
        200,
        (await jobs.cancel(params.id, visibility, callerOf(c))) ?? refuseUnknown(),
      )
    },
  })
}

function retryRoute(jobs: JobStore): Route {
  return defineRoute({
    method: 'POST',
    path: '/v1/jobs/:id/retry',
    zone: 'v1',
    scope: 'jobs:retry',
    operationId: 'retry-job',
    summary: 'Accept a failed or cancelled job again, under its id',
    params: jobParams,
    answers: { 202: { description: 'Accepted again', schema: jobDocument, example: jobExample } },
    refusals: ['job.not_found', 'job.not_retryable', 'database.unavailable'],
    async handle(c, { params }) {
      const visibility = visibilityOf(c.get('principal'), retryAnyScope)
      const job = (await jobs.retry(params.id, visibility, callerOf(c))) ?? refuseUnknown()
      return answer(c, 202, job, { location: `/v1/jobs/${job.id}` })
    },
  })
}

function refuseUnknown(): never {
  throw new PosternError('job.not_found', { detail: noSuchJob })
}
