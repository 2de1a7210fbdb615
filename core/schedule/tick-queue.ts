import { z } from 'zod'
import { bounded } from '../job/bounded-call.ts'
import { openBullQueue, openBullWorker, type QueueEngine } from '../job/bullmq-engine.ts'
import type { Log } from '../log.ts'
import type { Timetable } from './cron.ts'

/** The queue of all ticks; its jobs are of no kind and carry the name of a schedule. */
export const tickQueueName = 'schedule-tick'

/** How many schedules one process fires at once: each takes a transaction of milliseconds. */
const ticksAtOnce = 4
const schedulersMax = 1_000

/** A scheduler of the engine, as the engine has it. */
export type Ticker = Timetable & {
  readonly name: string
  /** When its next tick is to come; undefined when the engine has none. */
  readonly nextAt: Date | undefined
}

/**
 * The engine's half of schedules: it wakes somebody at a slot. All calls throw `queue.unavailable`
 * when the engine is away.
 */
export type TickQueue = {
  list(): Promise<readonly Ticker[]>
  put(name: string, timetable: Timetable): Promise<void>
  remove(name: string): Promise<void>
  close(): Promise<void>
}

/** Over BullMQ's job schedulers, on Redis or on Postgres. */
export function bullTickQueue(engine: QueueEngine, log: Log): TickQueue {
  let opened: ReturnType<typeof openBullQueue> | undefined

  function queue() {
    if (opened !== undefined) return opened
    const next = openBullQueue(engine, tickQueueName)
    next.on('error', (error) => log.debug('queue.error', { kind: tickQueueName, error }))
    opened = next
    // A queue whose first contact failed never works again, also when the engine is back.
    next.waitUntilReady().catch(() => {
      if (opened === next) opened = undefined
      next.close().catch((error: unknown) => log.debug('queue.error', { error }))
    })
    return next
  }

  return {
    async list() {
      const schedulers = await bounded(queue().getJobSchedulers(0, schedulersMax, true))
      return schedulers.map(({ key, pattern = '', tz = '', next }) => ({
        ...{ name: key, cron: pattern, timeZone: tz },
        nextAt: next === undefined ? undefined : new Date(next),
      }))
    },
    async put(name, { cron, timeZone }) {
      const template = { name: tickQueueName, data: { schedule: name } }
      await bounded(queue().upsertJobScheduler(name, { pattern: cron, tz: timeZone }, template))
    },
    async remove(name) {
      await bounded(queue().removeJobScheduler(name))
    },
    async close() {
      if (opened !== undefined) await bounded(opened.close()).catch(() => undefined)
    },
  }
}

const tickSchema = z.object({ schedule: z.string() })

/** Calls back at each tick; a failed one is not repeated, the keeper sees what it left. */
export function openTickWorker(
  engine: QueueEngine,
  { onTick, log }: { readonly onTick: (name: string) => Promise<void>; readonly log: Log },
): { close(): Promise<void> } {
  const worker = openBullWorker(
    engine,
    tickQueueName,
    async (job) => {
      const tick = tickSchema.safeParse(job.data)
      if (!tick.success) return
      await onTick(tick.data.schedule).catch((error: unknown) =>
        log.warn('schedule.tick_failed', { schedule: tick.data.schedule, error }),
      )
    },
    { concurrency: ticksAtOnce },
  )
  worker.on('error', (error) => log.debug('worker.error', { kind: tickQueueName, error }))
  return {
    // An engine that is away would keep it open for ever; what a tick left is due all the same.
    close: () => bounded(worker.close()).catch(() => undefined),
  }
}
