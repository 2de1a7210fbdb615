import type { ScheduleDefinition, ScheduleDocument, ScheduleRun } from './schedule.ts'
import type { ScheduleAsker } from './schedule-asker.ts'

export type SchedulePut = { readonly schedule: ScheduleDocument; readonly isNew: boolean }

/**
 * What runs by the clock. Every change commits with its audit record; what is so already leaves
 * none. All throw `database.unavailable`, and `schedule.not_found` where there is none of the name.
 */
export type ScheduleStore = {
  list(): Promise<readonly ScheduleDocument[]>
  find(name: string): Promise<ScheduleDocument>
  /** Newest first; also of a schedule that was removed, as long as its history is kept. */
  runs(
    name: string,
    page: { readonly limit: number; readonly cursor: string | undefined },
  ): Promise<{ readonly runs: readonly ScheduleRun[]; readonly next: string | undefined }>
  /**
   * Makes a schedule or changes it; another pattern or zone counts from now on. Throws
   * `request.body_invalid`, `schedule.built_in` for another kind, `schedule.limit_reached`.
   */
  put(name: string, definition: ScheduleDefinition, asker: ScheduleAsker): Promise<SchedulePut>
  /** Throws `schedule.built_in`. */
  remove(name: string, asker: ScheduleAsker): Promise<void>
  pause(name: string, asker: ScheduleAsker): Promise<ScheduleDocument>
  /** What was missed meanwhile is left out, whatever the misfire policy says. */
  resume(name: string, asker: ScheduleAsker): Promise<ScheduleDocument>
  /** Throws `schedule.running` where the overlap policy forbids a second job. */
  runNow(name: string, asker: ScheduleAsker): Promise<ScheduleRun>
}
