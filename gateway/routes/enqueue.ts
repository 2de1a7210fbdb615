import { z } from 'zod'
import type { AccessControl } from '#core/access/access-control.ts'
import { type ErrorCode, isRetryable, PosternError } from '#core/errors.ts'
import type { Intake, JobReceipt } from '#core/job/intake.ts'
import type { Job } from '#core/job/job-store.ts'
import type { JobKind } from '#core/job/kind.ts'
import { waitSecondsMax } from '#core/job/limits.ts'
import { jobsPerCommit } from '#core/job/postgres-intake.ts'
import { answer } from '../answer.ts'
import { jsonBody } from '../body.ts'
import { callerOf, type GatewayContext } from '../context.ts'
import { jobDocumentOf, jobExample, receiptDocument } from '../job-document.ts'
import { idempotencyOf, jobRequest, newJob } from '../job-request.ts'
import { integerParameter } from '../parameters.ts'
import { defineRoute, type HeaderDeclaration, type Route } from '../route.ts'
import { type Waiting, waitSecondsOf } from '../wait-finished.ts'

export type EnqueueDependencies = {
  readonly access: AccessControl
  readonly kinds: readonly JobKind[]
  readonly intake: Intake
  readonly now: () => Date
}

/** One operation per kind, so that each is documented, checked and guarded by its own schema and scope. */
export function enqueueRoutes(deps: EnqueueDependencies, waits: Waiting): readonly Route[] {
  const ofKinds = deps.kinds.flatMap((kind) =>
    kind.scope === undefined ? [] : [enqueueRoute({ ...deps, kind, scope: kind.scope, waits })],
  )
  return [...ofKinds, unknownKindRoute]
}

const requestHeaders: readonly HeaderDeclaration[] = [
  {
    name: 'Idempotency-Key',
    description: 'The same key and body get the first answer again, never a second job.',
    example: '"5d1f6c0e-0b0a-4a51-8f60-3f1b7f6a9c11"',
  },
  { name: 'Prefer', description: 'Answer with the finished job, if soon.', example: 'wait=30' },
]

/** What can come of an attempt to accept jobs. */
export const acceptRefusals: readonly ErrorCode[] = [
  'idempotency.key_invalid',
  'idempotency.in_flight',
  'idempotency.mismatch',
  'job.callback_refused',
  'job.queue_full',
  'gateway.overloaded',
  'gateway.draining',
  'database.unavailable',
]

type EnqueueOptions = EnqueueDependencies & {
  readonly kind: JobKind
  readonly scope: string
  readonly waits: Waiting
}

function enqueueRoute(options: EnqueueOptions): Route {
  const { kind, access, intake, now, waits } = options

  async function finished(
    c: GatewayContext,
    id: string,
    seconds: number,
  ): Promise<Job | undefined> {
    const { issuer, subject } = c.get('principal')
    const job = await waits.forJob(c, id, { issuer, subject }, seconds).catch((error: unknown) => {
      // The job is accepted, whatever becomes of the wait for it.
      if (error instanceof PosternError && isRetryable(error)) return undefined
      throw error
    })
    return job?.finishedAt === undefined ? undefined : job
  }

  return defineRoute({
    method: 'POST',
    path: `/v1/jobs/${kind.name}`,
    zone: 'v1',
    scope: options.scope,
    operationId: `enqueue-${kind.name}`,
    sharedCommit: jobsPerCommit,
    summary: `Enqueue: ${kind.summary}`,
    description: `The job is durable when 202 arrives. It gets ${kind.attemptsMax} attempts of at most ${kind.timeoutMs} ms; its outcome is kept for ${kind.retentionDays} days.`,
    query: z.strictObject({ wait: integerParameter(0, waitSecondsMax).optional() }),
    headers: requestHeaders,
    body: jsonBody(jobRequest(kind), exampleOf(kind)),
    answers: {
      200: {
        description: 'Accepted, and finished within the wait',
        schema: jobDocumentOf(kind),
        example: { ...jobExample, kind: kind.name, state: 'completed' },
      },
      202: {
        description: 'Accepted, or accepted before under the same key',
        schema: receiptDocument,
        headers: [
          { name: 'Location', description: 'Where the job is' },
          { name: 'Idempotent-Replayed', description: '`true` for a repeated request' },
        ],
      },
    },
    refusals: acceptRefusals,
    async handle(c, { query, body }) {
      const idempotency = idempotencyOf(c, body)
      const job = newJob(kind, body, { now: now(), callbackPrefixes: access.callbackPrefixes })
      if ('length' in job) throw new PosternError('request.body_invalid', { errors: job })
      const { receipts, replayed } = await intake.accept({
        jobs: [job],
        idempotency,
        caller: callerOf(c),
      })
      const [receipt] = receipts
      if (receipt === undefined) throw new Error('an accepted job has a receipt')
      const seconds = waitSecondsOf(c, query.wait)
      const done = seconds > 0 ? await finished(c, receipt.id, seconds) : undefined
      return answerAccepted(c, { receipt, replayed, done })
    },
  })
}

function exampleOf({ example }: JobKind): { readonly example?: unknown } {
  return example === undefined ? {} : { example: { payload: example } }
}

function answerAccepted(
  c: GatewayContext,
  accepted: {
    readonly receipt: JobReceipt
    readonly replayed: boolean
    readonly done: Job | undefined
  },
): Response {
  const { receipt, replayed, done } = accepted
  c.header('location', `/v1/jobs/${receipt.id}`)
  if (replayed) c.header('idempotent-replayed', 'true')
  return done === undefined ? answer(c, 202, receipt) : answer(c, 200, done)
}

/** Without it a mistyped kind would be a job's path with the wrong method. */
const unknownKindRoute = defineRoute({
  method: 'POST',
  path: '/v1/jobs/:id',
  zone: 'v1',
  scope: 'jobs:read',
  operationId: 'enqueue-unknown-kind',
  summary: 'A kind that does not exist',
  params: z.strictObject({ id: z.string() }),
  query: z.record(z.string(), z.unknown()),
  answers: {},
  refusals: ['job.kind_unknown'],
  hidden: true,
  handle() {
    throw new PosternError('job.kind_unknown', { detail: 'GET /v1/kinds lists the kinds.' })
  },
})
