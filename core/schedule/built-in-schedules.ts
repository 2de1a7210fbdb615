import { isDeepStrictEqual } from 'node:util'
import { recordedTransaction } from '../audit/journal-rows.ts'
import type { FireOptions } from './fire-schedule.ts'
import { definitionIn } from './postgres-schedule-store.ts'
import type { ScheduleDefinition } from './schedule.ts'
import { askedByPostern, ownName } from './schedule-asker.ts'
import { lockSchedule, type ScheduleRow } from './schedule-rows.ts'

export type BuiltInSchedule = ScheduleDefinition & { readonly name: string }

type Deps = Pick<FireOptions, 'sql' | 'journal' | 'clock'>

/**
 * Makes the schedules that are missing and brings up to date those that nobody has changed; what an
 * operator made of one, or calls by the same name, stays.
 */
export async function ensureBuiltIn(
  deps: Deps,
  schedules: readonly BuiltInSchedule[],
): Promise<void> {
  for (const schedule of schedules) await ensureOne(deps, schedule)
}

async function ensureOne({ sql, journal, clock }: Deps, schedule: BuiltInSchedule): Promise<void> {
  const { name, ...definition } = schedule
  await recordedTransaction(sql, journal, async (transaction, record) => {
    const row = await lockSchedule(transaction, name)
    if (row !== undefined && !isBehind(row, definition)) return
    const at = await clock(transaction)
    const { kind, payload, cron, timeZone, misfire, backfillMax, overlap } = definition
    const rows = await transaction`
      insert into postern_schedule as schedule (name, kind, payload, cron, time_zone, misfire,
        backfill_max, overlap, source, settled_until, created_at, changed_at, changed_by)
      values (${name}, ${kind}, ${JSON.stringify(payload)}::text::jsonb, ${cron}, ${timeZone},
        ${misfire}, ${backfillMax}, ${overlap}, 'built_in', ${at}, ${at}, ${at}, ${ownName})
      on conflict (name) do update set kind = excluded.kind, payload = excluded.payload,
        cron = excluded.cron, time_zone = excluded.time_zone, misfire = excluded.misfire,
        backfill_max = excluded.backfill_max, overlap = excluded.overlap,
        settled_until = excluded.settled_until, changed_at = excluded.changed_at
        where ${row !== undefined}
      returning name`
    if (rows.length === 0) return
    const details = { kind, cron, timeZone, source: 'built_in' }
    await record([askedByPostern().record({ type: 'schedule.changed', name, at, details })])
  })
}

function isBehind(row: ScheduleRow, definition: ScheduleDefinition): boolean {
  if (row.source !== 'built_in' || row.changedBy !== ownName) return false
  return !isDeepStrictEqual(definitionIn(row), definition)
}
