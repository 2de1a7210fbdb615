import { dispatcher } from '#core/job/dispatcher.ts'
import { ensureBuiltIn } from '#core/schedule/built-in-schedules.ts'
import { fireDue } from '#core/schedule/fire-schedule.ts'
import { startScheduleKeeper } from '#core/schedule/keep-schedules.ts'
import { databaseClock } from '#core/schedule/schedule-rows.ts'
import { bullTickQueue, openTickWorker } from '#core/schedule/tick-queue.ts'
import { builtInSchedules } from './built-in-schedules.ts'
import type { Foundation } from './foundation.ts'
import { jobKinds } from './job-kinds.ts'
import type { Services } from './open-services.ts'

/** One for ticks, one for the keeper. */
const connections = 2

/** What makes jobs by the clock; runs in every worker process, and one at a time keeps it true. */
export async function openSchedules(
  foundation: Foundation,
  { journal }: Services,
  options: { readonly isLogPublished: boolean },
): Promise<void> {
  const { engine, queue, log, metrics, stack } = foundation
  const sql = foundation.database('schedules', connections)
  const dispatch = stack.adopt(dispatcher({ sql, queue, log, metrics }), (open) => open.close())
  const clock = databaseClock
  const fire = { sql, journal, kinds: jobKinds, dispatch, metrics, log, clock }
  await ensureBuiltIn(fire, builtInSchedules(options))
  const ticks = stack.adopt(bullTickQueue(engine, log), (open) => open.close())
  const onTick = (name: string) => fireDue(fire, name)
  stack.adopt(openTickWorker(engine, { onTick, log }), (open) => open.close())
  stack.adopt(startScheduleKeeper({ ...fire, ticks }), (open) => open.close())
}
