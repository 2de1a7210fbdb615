import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import { nextSlots } from './cron.ts'
import { misfirePolicies, overlapPolicies } from './decide-slots.ts'
import type { ScheduleDocument } from './schedule.ts'

const nextRunsMax = 10

const scheduleRowSchema = z.object({
  name: z.string(),
  kind: z.string(),
  payload: z.record(z.string(), z.unknown()),
  cron: z.string(),
  timeZone: z.string(),
  misfire: z.enum(misfirePolicies),
  backfillMax: z.int(),
  overlap: z.enum(overlapPolicies),
  source: z.enum(['built_in', 'operator']),
  settledUntil: z.date(),
  pausedAt: z.date().nullable(),
  pausedBy: z.string().nullable(),
  createdAt: z.date(),
  changedAt: z.date(),
  changedBy: z.string(),
})
export type ScheduleRow = Readonly<z.infer<typeof scheduleRowSchema>>

type Connection = Sql | TransactionSql

function columns(sql: Connection) {
  return sql`name, kind, payload, cron, time_zone as "timeZone", misfire,
    backfill_max as "backfillMax", overlap, source, settled_until as "settledUntil",
    paused_at as "pausedAt", paused_by as "pausedBy", created_at as "createdAt",
    changed_at as "changedAt", changed_by as "changedBy"`
}

export async function readSchedules(sql: Connection): Promise<readonly ScheduleRow[]> {
  const rows = await sql`select ${columns(sql)} from postern_schedule order by name`
  return z.array(scheduleRowSchema).parse(rows)
}

export async function readSchedule(
  sql: Connection,
  name: string,
): Promise<ScheduleRow | undefined> {
  const rows = await sql`select ${columns(sql)} from postern_schedule where name = ${name}`
  return z.array(scheduleRowSchema).parse(rows)[0]
}

/** Whoever decides about a schedule holds its row: a slot is decided by one process. */
export async function lockSchedule(
  transaction: TransactionSql,
  name: string,
): Promise<ScheduleRow | undefined> {
  const rows = await transaction`
    select ${columns(transaction)} from postern_schedule where name = ${name} for update`
  return z.array(scheduleRowSchema).parse(rows)[0]
}

/** One clock for all processes: theirs may be minutes apart. */
export async function databaseClock(sql: Connection): Promise<Date> {
  const [row] = await sql<{ at: Date }[]>`select clock_timestamp() as at`
  if (row === undefined) throw new Error('invariant: a clock has a time')
  return row.at
}
export type Clock = typeof databaseClock

export function documentOf(row: ScheduleRow, now: Date): ScheduleDocument {
  const { timeZone, backfillMax, settledUntil, pausedAt, pausedBy, ...rest } = row
  const { createdAt, changedAt, changedBy, ...definition } = rest
  const next = pausedAt === null ? nextSlots(row, now, nextRunsMax) : []
  return {
    ...definition,
    time_zone: timeZone,
    backfill_max: backfillMax,
    paused: pausedAt !== null,
    paused_at: pausedAt?.toISOString() ?? null,
    paused_by: pausedBy,
    settled_until: settledUntil.toISOString(),
    next_runs: next.map((slot) => slot.toISOString()),
    created_at: createdAt.toISOString(),
    changed_at: changedAt.toISOString(),
    changed_by: changedBy,
  }
}
