import { z } from 'zod'
import type { AccessControl } from '#core/access/access-control.ts'
import { PosternError } from '#core/errors.ts'
import { isCursor } from '#core/job/job-changes.ts'
import type { JobChange, JobStore } from '#core/job/job-store.ts'
import type { JobKind } from '#core/job/kind.ts'
import type { GatewayContext } from '../context.ts'
import { eventStream } from '../event-stream.ts'
import { jobParams, readAnyScope, visibilityOf } from '../parameters.ts'
import { type Answer, defineRoute, type Route } from '../route.ts'
import { type Seats, seats } from '../seats.ts'

/** Open streams, each at the cost of two small queries a second. */
const streams = { total: 1_000, perSubject: 50 }
/** Above the heartbeat: only a connection that no longer takes one is cut. */
const idleSeconds = 30

const headers = [
  {
    name: 'Last-Event-ID',
    description:
      'The id of the last event seen; the stream goes on after it, whichever gateway answers.',
  },
]

const streamAnswer: Answer = {
  description:
    'Events `job` with the job as data; a comment every 5 s; an event `problem` when the stream has to end',
  mediaType: 'text/event-stream',
}

type EventDependencies = {
  readonly access: AccessControl
  readonly kinds: readonly JobKind[]
  readonly jobs: JobStore
}

type Subscription = {
  readonly scope: { readonly job: string } | { readonly kind: string }
  readonly isLast: (change: JobChange) => boolean
}

export function eventRoutes(deps: EventDependencies, closing: AbortSignal): readonly Route[] {
  const places = seats(streams)
  const open = (c: GatewayContext, subscription: Subscription) =>
    openStream(c, { ...deps, ...subscription, places, closing })
  return [jobEventsRoute(deps.jobs, open), queueEventsRoute(deps.kinds, open)]
}

type Open = (c: GatewayContext, subscription: Subscription) => Response

function jobEventsRoute(jobs: JobStore, open: Open): Route {
  return defineRoute({
    method: 'GET',
    path: '/v1/jobs/:id/events',
    zone: 'v1',
    scope: 'jobs:read',
    operationId: 'watch-job',
    summary: 'Every change of one job, as server-sent events',
    description: 'Begins with the job as it is and ends after the event of its outcome.',
    params: jobParams,
    headers,
    answers: { 200: streamAnswer },
    refusals: ['job.not_found', 'gateway.overloaded', 'database.unavailable'],
    async handle(c, { params }) {
      const job = await jobs.find(params.id, visibilityOf(c.get('principal'), readAnyScope))
      if (job === undefined) throw new PosternError('job.not_found')
      return open(c, {
        scope: { job: params.id },
        isLast: (change) => change.job.finishedAt !== undefined,
      })
    },
  })
}

function queueEventsRoute(kinds: readonly JobKind[], open: Open): Route {
  const names = new Set(kinds.filter((kind) => kind.scope !== undefined).map((kind) => kind.name))
  return defineRoute({
    method: 'GET',
    path: '/v1/queues/:kind/events',
    zone: 'v1',
    scope: 'jobs:read',
    operationId: 'watch-queue',
    summary: 'Changes of the jobs of a kind, as server-sent events',
    description: `The caller's own jobs; those of all owners with the scope \`${readAnyScope}\`.`,
    params: z.strictObject({ kind: z.string() }),
    headers,
    answers: { 200: streamAnswer },
    refusals: ['queue.not_found', 'gateway.overloaded', 'database.unavailable'],
    handle(c, { params }) {
      if (!names.has(params.kind)) throw new PosternError('queue.not_found')
      return open(c, { scope: { kind: params.kind }, isLast: () => false })
    },
  })
}

function openStream(
  c: GatewayContext,
  options: EventDependencies &
    Subscription & { readonly places: Seats; readonly closing: AbortSignal },
): Response {
  const { access, jobs, places, closing } = options
  const cursor = c.req.header('last-event-id')
  // Before the stream begins: a browser would come back for ever with an id refused inside it.
  if (cursor !== undefined && !isCursor(cursor)) {
    throw new PosternError('request.malformed', {
      detail: 'Last-Event-ID must be an id that this stream has sent.',
    })
  }
  const init = { status: 200, headers: { 'content-type': 'text/event-stream' } } as const
  // Nobody would ever read, and so end, the stream behind a HEAD.
  if (c.req.method === 'HEAD') return c.body(null, init)
  const principal = c.get('principal')
  const zone = c.get('zone')
  const leave = places.take(c)
  c.env.setIdleSeconds(idleSeconds)
  const ended = new AbortController()
  const { remoteAddress } = c.env
  const authorization = c.req.header('authorization')
  const forwardedFor = c.req.header(access.forwardedHeader)
  const stream = eventStream({
    changes: jobs.changes(options.scope, visibilityOf(principal, readAnyScope), {
      cursor,
      signal: AbortSignal.any([closing, ended.signal]),
    }),
    isLast: options.isLast,
    async stillAdmitted() {
      const { admitted } = access.admit(zone, remoteAddress, forwardedFor)
      if (!admitted) throw new PosternError('access.address_refused')
      await access.authenticate(authorization)
    },
    onDenial: access.onDenial,
    gone: c.req.raw.signal,
    onEnd() {
      ended.abort()
      leave()
    },
  })
  return c.body(stream, init)
}
