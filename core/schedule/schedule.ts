import { z } from 'zod'
import type { PointedError } from '../errors.ts'
import { type JobKind, jobStates } from '../job/kind.ts'
import { cronCharactersMax, type Timetable, timetableFault, timeZoneCharactersMax } from './cron.ts'
import {
  misfirePolicies,
  overlapPolicies,
  runCauses,
  runOutcomes,
  type SlotPolicy,
} from './decide-slots.ts'

/** Each is looked at every few seconds, and each is listed with its next runs. */
export const schedulesMax = 200
/** Slots of one schedule that one round makes up for. */
export const backfillLimit = 100

const payloadCharactersMax = 16_384
/** As JSON writes what Postgres cannot hold; a gateway refuses it before, a terminal does not. */
const unstorable = /\\u(?:0000|d[89a-f])/

export const scheduleNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/, 'Expected lower-case words and dashes')
  .max(63)

/** What is asked of a schedule: of which kind its jobs are, and when they come. */
export type ScheduleDefinition = Timetable &
  SlotPolicy & { readonly kind: string; readonly payload: Readonly<Record<string, unknown>> }

export const scheduleBodySchema = z.strictObject({
  kind: z.string().max(63).describe('A kind of job that may be scheduled'),
  payload: z.record(z.string(), z.unknown()).default({}).describe('As the kind takes it'),
  cron: z
    .string()
    .max(cronCharactersMax)
    .describe('Minute, hour, day of month, month, weekday: five fields'),
  time_zone: z.string().max(timeZoneCharactersMax).default('UTC').describe('IANA, Europe/Berlin'),
  misfire: z
    .enum(misfirePolicies)
    .default('run_once')
    .describe('Slots missed by more than a minute: none, the newest, or the newest backfill_max'),
  backfill_max: z.int().min(1).max(backfillLimit).default(1),
  overlap: z
    .enum(overlapPolicies)
    .default('skip')
    .describe('While an earlier job is unfinished: leave the slot out, wait, or run beside it'),
})
type ScheduleBody = z.infer<typeof scheduleBodySchema>

export function definitionOf(body: ScheduleBody): ScheduleDefinition {
  const { time_zone: timeZone, backfill_max: backfillMax, ...rest } = body
  return { ...rest, timeZone, backfillMax }
}

/** What is wrong with a definition, by pointers into the body it came from. */
export function definitionFaults(
  definition: ScheduleDefinition,
  kinds: ReadonlyMap<string, JobKind>,
  now: Date,
): readonly PointedError[] {
  const { kind, payload, misfire, overlap } = definition
  const faults: PointedError[] = [...kindFaults(kinds.get(kind), payload)]
  const timetable = timetableFault(definition, now)
  if (timetable !== undefined) {
    const pointer = timetable.of === 'cron' ? '/cron' : '/time_zone'
    faults.push({ pointer, detail: timetable.detail })
  }
  if (misfire === 'backfill' && overlap === 'skip') {
    const detail = 'Slots made up for would skip each other; with backfill say queue or allow'
    faults.push({ pointer: '/overlap', detail })
  }
  return faults
}

function kindFaults(kind: JobKind | undefined, payload: unknown): readonly PointedError[] {
  if (kind?.schedulable !== true) {
    return [{ pointer: '/kind', detail: 'No kind of this name may be scheduled' }]
  }
  const text = JSON.stringify(payload)
  if (text.length > payloadCharactersMax) {
    return [{ pointer: '/payload', detail: `It has at most ${payloadCharactersMax} characters` }]
  }
  if (unstorable.test(text)) {
    return [{ pointer: '/payload', detail: 'It holds a NUL or half a character' }]
  }
  const parsed = kind.payload.safeParse(payload)
  if (parsed.success) return []
  return parsed.error.issues.slice(0, faultsMax).map(({ path, message }) => ({
    pointer: ['/payload', ...path.map(String)].join('/').slice(0, pointerCharactersMax),
    detail: message,
  }))
}

/** A caller fixes the first few. */
const faultsMax = 10
const pointerCharactersMax = 256

const instant = z.iso.datetime()

export const scheduleRunSchema = z.strictObject({
  id: z.uuid(),
  slot: instant.describe('The time the run was meant for'),
  cause: z.enum(runCauses),
  outcome: z.enum(runOutcomes),
  job_id: z.uuid().nullable(),
  job_state: z.enum(jobStates).nullable().describe('null: no job, or one past its retention'),
  requested_by: z.string().nullable(),
  at: instant,
})
scheduleRunSchema.register(z.globalRegistry, { title: 'ScheduleRun' })
export type ScheduleRun = z.infer<typeof scheduleRunSchema>

export const scheduleDocumentSchema = z.strictObject({
  name: z.string(),
  ...scheduleBodySchema.shape,
  payload: z.record(z.string(), z.unknown()),
  time_zone: z.string(),
  misfire: z.enum(misfirePolicies),
  backfill_max: z.int(),
  overlap: z.enum(overlapPolicies),
  source: z.enum(['built_in', 'operator']),
  paused: z.boolean(),
  paused_at: instant.nullable(),
  paused_by: z.string().nullable(),
  settled_until: instant.describe('Every slot up to here has been decided'),
  next_runs: z.array(instant).describe('The next ten slots; none while it is paused'),
  created_at: instant,
  changed_at: instant,
  changed_by: z.string(),
})
scheduleDocumentSchema.register(z.globalRegistry, { title: 'Schedule' })
export type ScheduleDocument = z.infer<typeof scheduleDocumentSchema>
