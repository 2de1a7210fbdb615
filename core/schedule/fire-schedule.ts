import type { Sql } from 'postgres'
import type { AuditJournal } from '../audit/journal.ts'
import { recordedTransaction } from '../audit/journal-rows.ts'
import type { Dispatcher } from '../job/dispatcher.ts'
import type { JobKind } from '../job/kind.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { slotsBetween } from './cron.ts'
import { type DecidedSlot, decideSlots } from './decide-slots.ts'
import { backfillLimit } from './schedule.ts'
import { askedByPostern } from './schedule-asker.ts'
import { type Clock, lockSchedule } from './schedule-rows.ts'
import { isRunning, submitRuns } from './submit-runs.ts'

export type FireOptions = {
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly kinds: ReadonlyMap<string, JobKind>
  readonly dispatch: Pick<Dispatcher, 'send'>
  readonly metrics: Pick<Metrics, 'scheduleSlots' | 'scheduleLatenessSeconds'>
  readonly log: Log
  readonly clock: Clock
}

/** A record names the first of them; the rows of the history have them all. */
const slotsRecordedMax = 20

/**
 * Decides every slot of a schedule that is due, in one transaction: the rows of the history, the
 * jobs with their outbox entry, the audit record, and how far the schedule is settled. Its row is
 * locked, so a slot fires once however many processes call this. Jobs are dispatched behind it.
 */
export async function fireDue(options: FireOptions, name: string): Promise<void> {
  const { sql, journal, kinds, dispatch, metrics, log, clock } = options
  const fired = await recordedTransaction(sql, journal, async (transaction, record) => {
    const schedule = await lockSchedule(transaction, name)
    if (schedule === undefined || schedule.pausedAt !== null) return undefined
    const kind = kinds.get(schedule.kind)
    if (kind === undefined) {
      // During a deployment: a process that knows it will come, or has come.
      log.warn('schedule.kind_unknown', { schedule: name, kind: schedule.kind })
      return undefined
    }
    const now = await clock(transaction)
    const window = { after: schedule.settledUntil, until: now, max: backfillLimit }
    const due = slotsBetween(schedule, window)
    if (due.length === 0) return undefined
    const mayWait = schedule.overlap !== 'allow'
    const decided = decideSlots(schedule, due, {
      now,
      isRunning: mayWait && (await isRunning(transaction, name)),
    })
    if (decided === undefined) return undefined
    const { slots, settledUntil } = decided
    const asker = askedByPostern()
    const about = { name, kind, payload: schedule.payload, asker, at: now }
    const { jobs } = await submitRuns(transaction, slots, about)
    await transaction`
      update postern_schedule set settled_until = ${settledUntil} where name = ${name}`
    const type = jobs === undefined ? 'schedule.skipped' : 'schedule.fired'
    await record([
      asker.record({ type, name, at: now, details: detailsOf(slots, jobs?.deliveries) }),
    ])
    return { slots, jobs, now, kind }
  })
  if (fired === undefined) return
  for (const { slot, outcome } of fired.slots) {
    metrics.scheduleSlots.inc({ kind: fired.kind.name, outcome })
    if (outcome !== 'submitted') continue
    const lateSeconds = (fired.now.getTime() - slot.getTime()) / 1_000
    metrics.scheduleLatenessSeconds.observe({ kind: fired.kind.name }, lateSeconds)
  }
  if (fired.jobs !== undefined) dispatch.send(fired.jobs.outboxId, fired.jobs.deliveries)
}

function detailsOf(
  slots: readonly DecidedSlot[],
  jobs: readonly { readonly id: string }[] = [],
): Readonly<Record<string, unknown>> {
  const count = (outcome: DecidedSlot['outcome']) =>
    slots.filter((slot) => slot.outcome === outcome).length
  return {
    slots: slots.slice(-slotsRecordedMax).map(({ slot }) => slot.toISOString()),
    jobs: jobs.slice(-slotsRecordedMax).map(({ id }) => id),
    submitted: count('submitted'),
    skipped_overlap: count('skipped_overlap'),
    skipped_misfire: count('skipped_misfire'),
  }
}
