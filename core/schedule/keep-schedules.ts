import { setTimeout as pause } from 'node:timers/promises'
import { PosternError } from '../errors.ts'
import type { Metrics } from '../metrics.ts'
import { holdLease } from '../postgres/lease.ts'
import { databaseOutage } from '../postgres/outage.ts'
import { nextSlots } from './cron.ts'
import { type FireOptions, fireDue } from './fire-schedule.ts'
import { type Mirrored, mend, mendings } from './mirror-schedules.ts'
import { schedulesMax } from './schedule.ts'
import { readSchedules, type ScheduleRow } from './schedule-rows.ts'
import type { TickQueue } from './tick-queue.ts'

/** Between two rounds: what no tick has fired is this late. */
const roundMs = 5_000
/** A keeper that died is followed after this long. */
const leaseSeconds = 15
/** The history of a schedule of every minute has 130,000 rows then. */
const historyDays = 90
const historyRowsMax = 5_000
/** Rounds between two clearings of the history. */
const clearRounds = 720

export type KeepOptions = FireOptions & {
  readonly ticks: TickQueue
  readonly metrics: Pick<Metrics, 'scheduleSlots' | 'scheduleLatenessSeconds' | 'scheduleDrift'>
}

export type ScheduleKeeper = {
  /** One round; false when another process keeps the schedules. Throws outages. */
  round(): Promise<boolean>
}

/**
 * Keeps schedules true, one process at a time: fires what is due and no tick has fired, holds the
 * engine's schedulers against the table, and clears old history. Firing comes first, and needs no
 * engine: a job waits in Postgres until there is one.
 */
export function scheduleKeeper(options: KeepOptions): ScheduleKeeper {
  const { sql, clock } = options
  const holder = Bun.randomUUIDv7()
  const upcoming = upcomingSlots()
  let before: Mirrored = new Map()
  let rounds = 0

  return {
    async round() {
      if (!(await holdLease(sql, { name: 'schedules', holder, seconds: leaseSeconds })))
        return false
      const now = await clock(sql)
      const active = (await readSchedules(sql)).filter(({ pausedAt }) => pausedAt === null)
      for (const schedule of active) {
        const slot = upcoming(schedule)
        if (slot !== undefined && slot <= now) await fireApart(options, schedule.name)
      }
      if (rounds++ % clearRounds === 0) await clearHistory(options, now)
      const wanted = new Map(
        active.map(({ name, cron, timeZone }) => [name, { cron, timeZone }] as const),
      )
      await mirror(options, wanted, { before, now })
      before = wanted
      return true
    },
  }
}

/** One schedule that cannot be fired keeps no other from its slot, and is tried in the next round. */
async function fireApart(options: FireOptions, name: string): Promise<void> {
  await fireDue(options, name).catch((error: unknown) => {
    const isOutage = databaseOutage(error) !== undefined
    options.log[isOutage ? 'warn' : 'error']('schedule.not_fired', { schedule: name, error })
  })
}

/** A schedule's next slot, found once for each place it is settled to. */
function upcomingSlots(): (schedule: ScheduleRow) => Date | undefined {
  const found = new Map<string, { readonly key: string; readonly slot: Date | undefined }>()
  return (schedule) => {
    const { name, cron, timeZone, settledUntil } = schedule
    const key = `${settledUntil.getTime()} ${timeZone} ${cron}`
    const known = found.get(name)
    if (known?.key === key) return known.slot
    const [slot] = nextSlots(schedule, settledUntil, 1)
    // Of schedules that were removed.
    if (found.size > schedulesMax) found.clear()
    found.set(name, { key, slot })
    return slot
  }
}

async function mirror(
  { ticks, metrics, log }: KeepOptions,
  wanted: Mirrored,
  seen: { readonly before: Mirrored; readonly now: Date },
): Promise<void> {
  const found = mendings(wanted, await ticks.list(), seen)
  if (found.length === 0) return
  await mend(ticks, found)
  const drifted = found.filter(({ isDrift }) => isDrift)
  for (const { what } of drifted) metrics.scheduleDrift.inc({ what })
  if (drifted.length > 0) {
    log.warn('schedule.drift', { schedules: drifted.map(({ name, what }) => `${name} ${what}`) })
  }
}

async function clearHistory({ sql }: KeepOptions, now: Date): Promise<void> {
  let deleted = historyRowsMax
  while (deleted === historyRowsMax) {
    const { count } = await sql`
      delete from postern_schedule_run where id in (
        select id from postern_schedule_run
        where at < ${now}::timestamptz - make_interval(days => ${historyDays}) limit ${historyRowsMax})`
    deleted = count
  }
}

/** Rounds until it is closed. */
export function startScheduleKeeper(options: KeepOptions): { close(): Promise<void> } {
  const { log } = options
  const keeper = scheduleKeeper(options)
  const ended = new AbortController()
  const { signal } = ended

  async function keep(): Promise<void> {
    while (!signal.aborted) {
      await keeper.round().catch((error: unknown) => {
        const isOutage = error instanceof PosternError || databaseOutage(error) !== undefined
        if (isOutage) log.warn('schedule.outage', { error })
        else log.error('schedule.round_failed', { error })
      })
      await pause(roundMs, undefined, { signal }).catch(() => undefined)
    }
  }

  const keeping = keep()
  return {
    async close() {
      ended.abort()
      await keeping
    },
  }
}
