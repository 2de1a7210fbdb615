import { isDeepStrictEqual } from 'node:util'
import canonicalize from 'canonicalize'
import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import type { AuditJournal } from '../audit/journal.ts'
import { recordedTransaction } from '../audit/journal-rows.ts'
import { PosternError } from '../errors.ts'
import type { Dispatcher } from '../job/dispatcher.ts'
import type { JobKind } from '../job/kind.ts'
import { rethrowAsOutage } from '../postgres/outage.ts'
import {
  definitionFaults,
  type ScheduleDefinition,
  type ScheduleDocument,
  type ScheduleRun,
  scheduleRunSchema,
  schedulesMax,
} from './schedule.ts'
import type { ScheduleAsker } from './schedule-asker.ts'
import {
  type Clock,
  documentOf,
  lockSchedule,
  readSchedule,
  readSchedules,
  type ScheduleRow,
} from './schedule-rows.ts'
import type { SchedulePut, ScheduleStore } from './schedule-store.ts'
import { isRunning, submitRuns } from './submit-runs.ts'

export type ScheduleStoreOptions = {
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly kinds: ReadonlyMap<string, JobKind>
  /** Sends a job that was asked for at once; without it the sweeper does, a little later. */
  readonly dispatch: Pick<Dispatcher, 'send'> | undefined
  readonly clock: Clock
}

export function postgresScheduleStore(options: ScheduleStoreOptions): ScheduleStore {
  const { sql, clock } = options

  async function list(): Promise<readonly ScheduleDocument[]> {
    const now = await clock(sql)
    return (await readSchedules(sql)).map((row) => documentOf(row, now))
  }

  async function find(name: string): Promise<ScheduleDocument> {
    return documentOf(known(await readSchedule(sql, name)), await clock(sql))
  }

  return {
    list: () => list().catch(rethrowAsOutage),
    find: (name) => find(name).catch(rethrowAsOutage),
    runs: (name, page) => readRuns(sql, name, page).catch(rethrowAsOutage),
    put: (name, definition, asker) =>
      putSchedule(options, { name, definition, asker }).catch(rethrowAsOutage),
    remove: (name, asker) => removeSchedule(options, name, asker).catch(rethrowAsOutage),
    pause: (name, asker) =>
      setPaused(options, { name, asker, paused: true }).catch(rethrowAsOutage),
    resume: (name, asker) =>
      setPaused(options, { name, asker, paused: false }).catch(rethrowAsOutage),
    runNow: (name, asker) => runNow(options, name, asker).catch(rethrowAsOutage),
  }
}

function known(row: ScheduleRow | undefined): ScheduleRow {
  if (row !== undefined) return row
  throw new PosternError('schedule.not_found', { detail: 'GET /internal/schedules lists them.' })
}

async function readRuns(
  sql: Sql,
  name: string,
  { limit, cursor }: { readonly limit: number; readonly cursor: string | undefined },
) {
  const rows = await sql`
    select r.id, r.slot, r.cause, r.outcome, r.job as job_id, j.state as job_state, r.requested_by,
      r.at
    from postern_schedule_run r left join postern_job j on j.id = r.job
    where r.schedule = ${name} ${cursor === undefined ? sql`` : sql`and r.id < ${cursor}::uuid`}
    order by r.id desc limit ${limit + 1}`
  if (rows.length === 0 && cursor === undefined) known(await readSchedule(sql, name))
  const runs = rows
    .slice(0, limit)
    .map(({ slot, at, ...run }) =>
      scheduleRunSchema.parse({ ...run, slot: instantOf(slot), at: instantOf(at) }),
    )
  return { runs, next: rows.length > limit ? runs.at(-1)?.id : undefined }
}

function instantOf(value: unknown): string {
  return z.date().parse(value).toISOString()
}

type Putting = {
  readonly name: string
  readonly definition: ScheduleDefinition
  readonly asker: ScheduleAsker
}

async function putSchedule(options: ScheduleStoreOptions, asked: Putting): Promise<SchedulePut> {
  const { name, definition, asker } = asked
  return await recordedTransaction(options.sql, options.journal, async (transaction, record) => {
    const now = await options.clock(transaction)
    const errors = definitionFaults(definition, options.kinds, now)
    if (errors.length > 0) throw new PosternError('request.body_invalid', { errors })
    const before = await lockSchedule(transaction, name)
    if (before?.source === 'built_in' && before.kind !== definition.kind) throw builtIn('its kind')
    if (before !== undefined && isDeepStrictEqual(definitionIn(before), definition)) {
      return { schedule: documentOf(before, now), isNew: false }
    }
    if (before === undefined) await refuseMore(transaction)
    await storeDefinition(transaction, asked, { before, now })
    const previous = before === undefined ? null : recordedDefinition(before)
    const details = { ...recordedDefinition(definition), previous }
    await record([asker.record({ type: 'schedule.changed', name, at: now, details })])
    const after = known(await readSchedule(transaction, name))
    return { schedule: documentOf(after, now), isNew: before === undefined }
  })
}

/** What a definition asks for, out of all that is known of a schedule. */
export function definitionIn(row: ScheduleRow): ScheduleDefinition {
  const { kind, payload, cron, timeZone, misfire, backfillMax, overlap } = row
  return { kind, payload, cron, timeZone, misfire, backfillMax, overlap }
}

/** A payload may be large, and the log needs no copy of it. */
function recordedDefinition(definition: ScheduleDefinition) {
  const { kind, payload, cron, timeZone, misfire, backfillMax, overlap } = definition
  const sha256 = new Bun.CryptoHasher('sha256').update(canonicalize(payload) ?? '').digest('hex')
  return { kind, cron, timeZone, misfire, backfillMax, overlap, payload_sha256: sha256 }
}

async function refuseMore(transaction: TransactionSql): Promise<void> {
  const [row] = await transaction<{ count: number }[]>`
    select count(*)::integer as count from postern_schedule`
  if ((row?.count ?? 0) < schedulesMax) return
  const detail = `There are ${schedulesMax} schedules already; remove one.`
  throw new PosternError('schedule.limit_reached', { detail })
}

async function storeDefinition(
  transaction: TransactionSql,
  { name, definition, asker }: Putting,
  { before, now }: { readonly before: ScheduleRow | undefined; readonly now: Date },
): Promise<void> {
  const { kind, payload, cron, timeZone, misfire, backfillMax, overlap } = definition
  const isSameTime = before?.cron === cron && before.timeZone === timeZone
  const settled = isSameTime ? before.settledUntil : now
  const rows = await transaction`
    insert into postern_schedule (name, kind, payload, cron, time_zone, misfire, backfill_max,
      overlap, source, settled_until, created_at, changed_at, changed_by)
    values (${name}, ${kind}, ${JSON.stringify(payload)}::text::jsonb, ${cron}, ${timeZone},
      ${misfire}, ${backfillMax}, ${overlap}, 'operator', ${settled}, ${now}, ${now}, ${asker.by})
    on conflict (name) do update set kind = excluded.kind, payload = excluded.payload,
      cron = excluded.cron, time_zone = excluded.time_zone, misfire = excluded.misfire,
      backfill_max = excluded.backfill_max, overlap = excluded.overlap,
      settled_until = excluded.settled_until, changed_at = excluded.changed_at,
      changed_by = excluded.changed_by
      where ${before !== undefined}
    returning name`
  // Made by somebody else this moment, with no row to lock before: the caller's next try sees it.
  if (rows.length > 0) return
  const reason = 'the schedule was made meanwhile'
  throw new PosternError('database.unavailable', { reason, retryAfterSeconds: 1 })
}

function builtIn(what: string): PosternError {
  const detail = `Postern comes with this schedule: ${what} stays. Pause it instead.`
  return new PosternError('schedule.built_in', { detail })
}

async function removeSchedule(
  { sql, journal, clock }: ScheduleStoreOptions,
  name: string,
  asker: ScheduleAsker,
): Promise<void> {
  await recordedTransaction(sql, journal, async (transaction, record) => {
    const row = known(await lockSchedule(transaction, name))
    if (row.source === 'built_in') throw builtIn('it')
    await transaction`delete from postern_schedule where name = ${name}`
    const at = await clock(transaction)
    await record([
      asker.record({ type: 'schedule.removed', name, at, details: recordedDefinition(row) }),
    ])
  })
}

async function setPaused(
  { sql, journal, clock }: ScheduleStoreOptions,
  asked: { readonly name: string; readonly asker: ScheduleAsker; readonly paused: boolean },
): Promise<ScheduleDocument> {
  const { name, asker, paused } = asked
  return await recordedTransaction(sql, journal, async (transaction, record) => {
    const row = known(await lockSchedule(transaction, name))
    const at = await clock(transaction)
    if ((row.pausedAt !== null) === paused) return documentOf(row, at)
    const set = paused
      ? { pausedAt: at, pausedBy: asker.by, settledUntil: row.settledUntil }
      : { pausedAt: null, pausedBy: null, settledUntil: at }
    await transaction`
      update postern_schedule set paused_at = ${set.pausedAt}, paused_by = ${set.pausedBy},
        settled_until = ${set.settledUntil}
      where name = ${name}`
    const type = paused ? 'schedule.paused' : 'schedule.resumed'
    await record([asker.record({ type, name, at, details: {} })])
    return documentOf({ ...row, ...set }, at)
  })
}

async function runNow(
  options: ScheduleStoreOptions,
  name: string,
  asker: ScheduleAsker,
): Promise<ScheduleRun> {
  const { sql, journal, clock, kinds, dispatch } = options
  const { run, jobs } = await recordedTransaction(sql, journal, async (transaction, record) => {
    const row = known(await lockSchedule(transaction, name))
    const kind = kinds.get(row.kind)
    if (kind === undefined) throw new PosternError('job.kind_unknown', { reason: row.kind })
    if (row.overlap !== 'allow' && (await isRunning(transaction, name))) {
      const detail = 'Its last job is unfinished: wait for it, or cancel it.'
      throw new PosternError('schedule.running', { detail })
    }
    const at = await clock(transaction)
    const about = { name, kind, payload: row.payload, asker, at }
    const slot = { slot: at, cause: 'now', outcome: 'submitted' } as const
    const { jobs: accepted, runIds } = await submitRuns(transaction, [slot], about)
    const job = accepted?.deliveries[0]?.id ?? null
    const details = { cause: 'now', jobs: [job], submitted: 1 }
    await record([asker.record({ type: 'schedule.fired', name, at, details })])
    const instant = at.toISOString()
    const told = { ...slot, slot: instant, job_id: job, job_state: 'accepted', at: instant }
    const stored = { id: runIds[0], ...told, requested_by: asker.by }
    return { run: scheduleRunSchema.parse(stored), jobs: accepted }
  })
  if (jobs !== undefined) dispatch?.send(jobs.outboxId, jobs.deliveries)
  return run
}
