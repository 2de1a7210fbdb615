import { postgresScheduleStore } from '#core/schedule/postgres-schedule-store.ts'
import { askedAtTerminal, type ScheduleAsker } from '#core/schedule/schedule-asker.ts'
import { databaseClock } from '#core/schedule/schedule-rows.ts'
import type { ScheduleStore } from '#core/schedule/schedule-store.ts'
import type { CommandIo } from './command-io.ts'
import { jobKinds } from './job-kinds.ts'
import { operator, withOperatorLog } from './operator-log.ts'

/** The schedules in Postgres, for an act at a terminal; a job that is asked for is sent by the sweeper. */
export async function withSchedules(
  io: CommandIo,
  run: (schedules: ScheduleStore, asker: ScheduleAsker) => Promise<void>,
): Promise<void> {
  const by = operator()
  await withOperatorLog(io, 'schedules', by, async ({ sql, journal }) => {
    const stores = { sql, journal, kinds: jobKinds, dispatch: undefined, clock: databaseClock }
    await run(postgresScheduleStore(stores), askedAtTerminal(by))
  })
}
