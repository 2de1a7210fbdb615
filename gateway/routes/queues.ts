import { z } from 'zod'
import { PosternError } from '#core/errors.ts'
import type { JobStore, QueueControl } from '#core/job/job-store.ts'
import type { JobKind } from '#core/job/kind.ts'
import { listPageMax } from '#core/job/limits.ts'
import { answer } from '../answer.ts'
import { callerOf, type GatewayContext } from '../context.ts'
import { jobDocument } from '../job-document.ts'
import { integerParameter } from '../parameters.ts'
import { defineRoute, type Route } from '../route.ts'

/** Jobs that one request replays at most: longer ones would outlast their caller's patience. */
const replayMax = 10_000
const replayDefault = 1_000
const failedPageDefault = 50

const kindParams = z.strictObject({ kind: z.string() })
const failedParams = z.strictObject({ kind: z.string(), id: z.uuid() })

const queueDocument = z.strictObject({
  kind: z.string(),
  paused: z.boolean(),
  accepted: z.int(),
  running: z.int(),
  failed: z.int(),
  oldestAcceptedAt: z.iso.datetime().optional(),
  engine: z
    .record(z.string(), z.number())
    .optional()
    .describe("The queue engine's own counts; absent while it is away"),
})
queueDocument.register(z.globalRegistry, { title: 'Queue' })

type QueueDependencies = {
  readonly kinds: readonly JobKind[]
  readonly jobs: JobStore
  readonly queues: QueueControl
}

/** What operators see and do. Every act commits in Postgres with its audit record; the engine follows. */
export function queueRoutes(deps: QueueDependencies): readonly Route[] {
  const { queues } = deps
  const status = defineRoute({
    method: 'GET',
    path: '/internal/queues',
    zone: 'internal',
    scope: 'queues:read',
    operationId: 'list-queues',
    summary: 'State and counts of every queue',
    answers: {
      200: {
        description: 'The queues',
        schema: z.strictObject({ queues: z.array(queueDocument) }),
      },
    },
    refusals: ['database.unavailable'],
    handle: async (c) => answer(c, 200, { queues: await queues.status() }),
  })
  return [
    status,
    pausedRoute(queues, 'pause'),
    pausedRoute(queues, 'resume'),
    drainRoute(queues),
    replayRoute(queues),
    failedRoute(deps),
    replayOneRoute(deps),
  ]
}

function pausedRoute(queues: QueueControl, act: 'pause' | 'resume'): Route {
  return defineRoute({
    method: 'POST',
    path: `/internal/queues/:kind/${act}`,
    zone: 'internal',
    scope: 'queues:admin',
    operationId: `${act}-queue`,
    summary: act === 'pause' ? 'Start no further jobs of a kind' : 'Start jobs of a kind again',
    params: kindParams,
    answers: {
      200: {
        description: 'Done, and the engine follows',
        schema: z.strictObject({ kind: z.string(), paused: z.boolean() }),
      },
    },
    refusals: ['queue.not_found', 'database.unavailable'],
    async handle(c, { params }) {
      await queues[act](params.kind, callerOf(c))
      return answer(c, 200, { kind: params.kind, paused: act === 'pause' })
    },
  })
}

function drainRoute(queues: QueueControl): Route {
  return defineRoute({
    method: 'POST',
    path: '/internal/queues/:kind/drain',
    zone: 'internal',
    scope: 'queues:admin',
    operationId: 'drain-queue',
    summary: 'Cancel every job of a kind that has not begun',
    description: 'The jobs stay, as cancelled; `POST /v1/jobs/{id}/retry` accepts one again.',
    params: kindParams,
    answers: {
      200: {
        description: 'How many were cancelled',
        schema: z.strictObject({ kind: z.string(), cancelled: z.int() }),
      },
    },
    refusals: ['queue.not_found', 'database.unavailable'],
    async handle(c, { params }) {
      const cancelled = await queues.drain(params.kind, callerOf(c))
      return answer(c, 200, { kind: params.kind, cancelled })
    },
  })
}

function replayRoute(queues: QueueControl): Route {
  return defineRoute({
    method: 'POST',
    path: '/internal/queues/:kind/replay',
    zone: 'internal',
    scope: 'queues:admin',
    operationId: 'replay-queue',
    summary: 'Accept the failed jobs of a kind again, oldest first',
    params: kindParams,
    query: z.strictObject({ limit: integerParameter(1, replayMax).default(replayDefault) }),
    answers: {
      200: {
        description: 'How many were accepted again',
        schema: z.strictObject({ kind: z.string(), replayed: z.int() }),
      },
    },
    refusals: ['queue.not_found', 'database.unavailable'],
    async handle(c, { params, query }) {
      const replayed = await queues.replayFailed(params.kind, query.limit, callerOf(c))
      return answer(c, 200, { kind: params.kind, replayed })
    },
  })
}

function failedRoute({ kinds, jobs }: QueueDependencies): Route {
  return defineRoute({
    method: 'GET',
    path: '/internal/queues/:kind/failed',
    zone: 'internal',
    scope: 'queues:read',
    operationId: 'list-failed-jobs',
    summary: 'The failed jobs of a kind, newest first',
    params: kindParams,
    query: z.strictObject({
      limit: integerParameter(1, listPageMax).default(failedPageDefault),
      cursor: z.uuid().optional(),
    }),
    answers: {
      200: {
        description: 'A page of jobs',
        schema: z.strictObject({ jobs: z.array(jobDocument), next: z.string().optional() }),
      },
    },
    refusals: ['queue.not_found', 'database.unavailable'],
    async handle(c, { params, query }) {
      if (!kinds.some((kind) => kind.name === params.kind))
        throw new PosternError('queue.not_found')
      return answer(
        c,
        200,
        await jobs.list({ kind: params.kind, state: 'failed', ...query }, 'any'),
      )
    },
  })
}

function replayOneRoute({ jobs }: QueueDependencies): Route {
  async function replay(c: GatewayContext, kind: string, id: string) {
    const job = await jobs.find(id, 'any')
    if (job?.kind !== kind) return undefined
    if (job.state === 'failed') return await jobs.retry(id, 'any', callerOf(c))
    throw new PosternError('job.not_retryable', { detail: `The job is ${job.state}, not failed.` })
  }

  return defineRoute({
    method: 'POST',
    path: '/internal/queues/:kind/failed/:id/replay',
    zone: 'internal',
    scope: 'queues:admin',
    operationId: 'replay-failed-job',
    summary: 'Accept one failed job again, under its id',
    params: failedParams,
    answers: { 202: { description: 'Accepted again', schema: jobDocument } },
    refusals: ['job.not_found', 'job.not_retryable', 'database.unavailable'],
    async handle(c, { params }) {
      const job = await replay(c, params.kind, params.id)
      if (job === undefined) throw new PosternError('job.not_found')
      return answer(c, 202, job, { location: `/v1/jobs/${job.id}` })
    },
  })
}
