import { z } from 'zod'
import type { Principal } from '#core/access/principal.ts'
import { PosternError } from '#core/errors.ts'
import type { JobKind } from '#core/job/kind.ts'
import { listPageMax } from '#core/job/limits.ts'
import {
  definitionOf,
  scheduleBodySchema,
  scheduleDocumentSchema,
  scheduleNameSchema,
  scheduleRunSchema,
} from '#core/schedule/schedule.ts'
import { askedByCaller } from '#core/schedule/schedule-asker.ts'
import type { ScheduleStore } from '#core/schedule/schedule-store.ts'
import { answer } from '../answer.ts'
import { jsonBody } from '../body.ts'
import { callerOf } from '../context.ts'
import { integerParameter } from '../parameters.ts'
import { defineRoute, type Route } from '../route.ts'

const runsPageDefault = 50

const params = z.strictObject({ name: scheduleNameSchema })
const path = '/internal/schedules'
const zone = 'internal'

type ScheduleDependencies = {
  readonly schedules: ScheduleStore
  readonly kinds: ReadonlyMap<string, JobKind>
}

/** What runs by the clock, for operators. Jobs of schedules belong to Postern itself. */
export function scheduleRoutes({ schedules, kinds }: ScheduleDependencies): readonly Route[] {
  return [
    listRoute(schedules),
    readRoute(schedules),
    putRoute(schedules, kinds),
    removeRoute(schedules),
    runsRoute(schedules),
    pausedRoute(schedules, 'pause'),
    pausedRoute(schedules, 'resume'),
    runRoute(schedules),
  ]
}

function listRoute(schedules: ScheduleStore): Route {
  return defineRoute({
    ...{ method: 'GET', path, zone, scope: 'schedules:read' },
    operationId: 'list-schedules',
    summary: 'Schedules, each with its next ten runs',
    answers: {
      200: {
        description: 'By name',
        schema: z.strictObject({ schedules: z.array(scheduleDocumentSchema) }),
      },
    },
    refusals: ['database.unavailable'],
    handle: async (c) => answer(c, 200, { schedules: await schedules.list() }),
  })
}

function readRoute(schedules: ScheduleStore): Route {
  return defineRoute({
    ...{ method: 'GET', path: `${path}/:name`, zone, scope: 'schedules:read' },
    operationId: 'get-schedule',
    summary: 'A schedule, with its next ten runs',
    params,
    answers: { 200: { description: 'The schedule', schema: scheduleDocumentSchema } },
    refusals: ['schedule.not_found', 'database.unavailable'],
    handle: async (c, input) => answer(c, 200, await schedules.find(input.params.name)),
  })
}

function putRoute(schedules: ScheduleStore, kinds: ReadonlyMap<string, JobKind>): Route {
  return defineRoute({
    ...{ method: 'PUT', path: `${path}/:name`, zone, scope: 'schedules:write' },
    operationId: 'put-schedule',
    summary: 'Make a schedule, or change it',
    description:
      'Needs the scope of the kind as well. Another pattern or time zone counts from now on and makes up for nothing. A time that a change of the clock skips is run in the hour behind it, one that comes twice only the first time. With `queue` a slot waits for the job before it; the misfire policy holds for what has waited longer than a minute. Each schedule of the answer says when it runs next.',
    params,
    body: jsonBody(scheduleBodySchema, {
      example: {
        kind: 'score-cohort',
        payload: {},
        ...{ cron: '30 6 * * MON-FRI', time_zone: 'Europe/Berlin' },
        ...{ misfire: 'run_once', backfill_max: 1, overlap: 'skip' },
      },
    }),
    answers: {
      200: { description: 'Changed, or as it was', schema: scheduleDocumentSchema },
      201: { description: 'Made', schema: scheduleDocumentSchema },
    },
    refusals: [
      'schedule.built_in',
      'schedule.limit_reached',
      'access.scope_missing',
      'database.unavailable',
    ],
    async handle(c, input) {
      const { body } = input
      const caller = callerOf(c)
      refuseUnscoped(caller.principal, kinds.get(body.kind))
      const definition = definitionOf(body)
      const put = await schedules.put(input.params.name, definition, askedByCaller(caller))
      return answer(c, put.isNew ? 201 : 200, put.schedule)
    },
  })
}

/** What a token may not enqueue, it may not have enqueued by the clock. */
function refuseUnscoped({ scopes }: Principal, kind: JobKind | undefined): void {
  if (kind?.scope === undefined || scopes.has(kind.scope)) return
  throw new PosternError('access.scope_missing', {
    detail: `The kind ${kind.name} needs the scope ${kind.scope}.`,
    reason: 'scope.missing',
  })
}

function removeRoute(schedules: ScheduleStore): Route {
  return defineRoute({
    ...{ method: 'DELETE', path: `${path}/:name`, zone, scope: 'schedules:write' },
    operationId: 'remove-schedule',
    summary: 'Remove a schedule that an operator made',
    description: 'Its history stays; jobs that were accepted run.',
    params,
    answers: {
      200: { description: 'Removed', schema: z.strictObject({ name: z.string() }) },
    },
    refusals: ['schedule.not_found', 'schedule.built_in', 'database.unavailable'],
    async handle(c, input) {
      const { name } = input.params
      await schedules.remove(name, askedByCaller(callerOf(c)))
      return answer(c, 200, { name })
    },
  })
}

function runsRoute(schedules: ScheduleStore): Route {
  return defineRoute({
    ...{ method: 'GET', path: `${path}/:name/runs`, zone, scope: 'schedules:read' },
    operationId: 'list-schedule-runs',
    summary: 'What became of the slots of a schedule, newest first',
    description: 'Of the last 90 days, and of the newest hundred slots of each time away.',
    params,
    query: z.strictObject({
      limit: integerParameter(1, listPageMax).default(runsPageDefault),
      cursor: z.uuid().optional(),
    }),
    answers: {
      200: {
        description: 'A page of runs',
        schema: z.strictObject({ runs: z.array(scheduleRunSchema), next: z.string().optional() }),
      },
    },
    refusals: ['schedule.not_found', 'database.unavailable'],
    async handle(c, input) {
      const { limit, cursor } = input.query
      return answer(c, 200, await schedules.runs(input.params.name, { limit, cursor }))
    },
  })
}

function pausedRoute(schedules: ScheduleStore, act: 'pause' | 'resume'): Route {
  return defineRoute({
    ...{ method: 'POST', path: `${path}/:name/${act}`, zone, scope: 'schedules:write' },
    operationId: `${act}-schedule`,
    summary: act === 'pause' ? 'Let no further slot of a schedule fire' : 'Let it fire again',
    description:
      'Slots of the pause are left out, whatever the misfire policy says. A paused schedule can still be run by hand.',
    params,
    answers: { 200: { description: 'The schedule', schema: scheduleDocumentSchema } },
    refusals: ['schedule.not_found', 'database.unavailable'],
    async handle(c, input) {
      return answer(c, 200, await schedules[act](input.params.name, askedByCaller(callerOf(c))))
    },
  })
}

function runRoute(schedules: ScheduleStore): Route {
  return defineRoute({
    ...{ method: 'POST', path: `${path}/:name/run`, zone, scope: 'schedules:write' },
    operationId: 'run-schedule',
    summary: 'Run a schedule now, beside its slots',
    params,
    answers: { 202: { description: 'The run; its job is accepted', schema: scheduleRunSchema } },
    refusals: [
      'schedule.not_found',
      'schedule.running',
      'job.kind_unknown',
      'database.unavailable',
    ],
    async handle(c, input) {
      const run = await schedules.runNow(input.params.name, askedByCaller(callerOf(c)))
      return answer(c, 202, run, { location: `/v1/jobs/${run.job_id}` })
    },
  })
}
