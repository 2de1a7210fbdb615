import { z } from 'zod'
import type { Delivery } from '#core/job/job-queue.ts'
import { defineJobKind, type JobKind } from '#core/job/kind.ts'
import { silentLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import type { DatabaseRole } from '#core/postgres/database-role.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { type FireOptions, fireDue } from '#core/schedule/fire-schedule.ts'
import { postgresScheduleStore } from '#core/schedule/postgres-schedule-store.ts'
import type { ScheduleDefinition } from '#core/schedule/schedule.ts'
import { askedByCaller } from '#core/schedule/schedule-asker.ts'
import { tickQueueName } from '#core/schedule/tick-queue.ts'
import { testCaller, testJournal } from '#test/support/job-engine.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'

const tidyKind = defineJobKind({
  name: 'tidy-up',
  scope: undefined,
  summary: 'For tests',
  payload: z.strictObject({ room: z.string().optional() }),
  result: z.unknown(),
  attemptsMax: 3,
  backoff: { firstMs: 50, capMs: 200 },
  timeoutMs: 30_000,
  retentionDays: 1,
  priority: 0,
  concurrency: 1,
  schedulable: true,
})

const sweepKind = defineJobKind({ ...tidyKind, name: 'sweep' })
const guardedKind = defineJobKind({ ...tidyKind, name: 'guarded', scope: 'jobs:write:guarded' })
const { schedulable: _, ...unscheduled } = tidyKind
const innerKind = defineJobKind({ ...unscheduled, name: 'inner' })

export const kinds: ReadonlyMap<string, JobKind> = new Map(
  [tidyKind, sweepKind, guardedKind, innerKind].map((kind) => [kind.name, kind]),
)

export const asker = askedByCaller(testCaller)

export const daily: ScheduleDefinition = {
  ...{ kind: 'tidy-up', payload: { room: 'attic' }, cron: '30 2 * * *', timeZone: 'UTC' },
  ...{ misfire: 'run_once', backfillMax: 1, overlap: 'allow' },
}

/** A database with schedules, a clock that stands until it is set, and what was dispatched. */
export async function openScheduleWorld() {
  const url = await (await sharedPostgres()).createDatabase()
  return await scheduleWorldOn(url, { hasRoles: true, queue: 'redis' })
}

export type ScheduleWorld = Awaited<ReturnType<typeof openScheduleWorld>>

export async function scheduleWorldOn(
  url: string,
  { hasRoles, queue }: { readonly hasRoles: boolean; readonly queue: 'redis' | 'postgres' },
) {
  const stack = new AsyncDisposableStack()
  const connect = (role: DatabaseRole | undefined, max = 4) =>
    stack.adopt(
      connectPostgres({
        ...{ url, mode: 'development', applicationName: 'test', max },
        role: hasRoles ? role : undefined,
      }),
      (sql) => sql.end({ timeout: 1 }),
    )
  const sql = connect(undefined)
  await migrate({ sql, queue, queues: [tickQueueName] })
  let now = new Date('2026-01-01T00:00:00Z')
  const clock = async () => now
  const sent: Delivery[] = []
  const dispatch = {
    send: (_id: string, deliveries: readonly Delivery[]) => void sent.push(...deliveries),
  }
  const metrics = createMetrics()

  /** What one process has to fire with: pools and numbers of its own. */
  function process(changes: Partial<FireOptions> = {}): FireOptions {
    return {
      ...{ sql: connect('postern_worker', 2), journal: testJournal(), kinds },
      ...{ dispatch, metrics, log: silentLog(), clock, ...changes },
    }
  }

  const gateway = connect('postern_gateway')
  const first = process()
  const store = postgresScheduleStore({
    ...{ sql: gateway, journal: testJournal(), kinds, dispatch, clock },
  })
  return {
    ...{ url, sql, gateway, store, sent, metrics, clock, process, first },
    setClock: (text: string) => {
      now = new Date(text)
    },
    fire: (name = 'daily') => fireDue(first, name),
    /** Oldest first: what became of which slot. */
    async slots(name = 'daily'): Promise<readonly string[]> {
      const { runs } = await store.runs(name, { limit: 500, cursor: undefined })
      return runs
        .toReversed()
        .map(({ slot, cause, outcome }) => `${slot.slice(0, 16)} ${cause} ${outcome}`)
    },
    async jobs(): Promise<number> {
      const [row] = await sql`select count(*)::integer as n from postern_job`
      return z.number().parse(row?.['n'])
    },
    finishJobs: () => sql`
      update postern_job set finished_at = now(), state = 'completed' where finished_at is null`,
    /** Newest last. */
    async records(): Promise<readonly Record<string, unknown>[]> {
      const rows = await sql<{ body: Record<string, unknown> }[]>`
        select convert_from(body, 'UTF8')::jsonb as body from postern_audit_intake order by id`
      return rows.map(({ body }) => body)
    },
    async clear(): Promise<void> {
      await sql`truncate postern_schedule, postern_schedule_run, postern_job, postern_outbox,
        postern_audit_intake, postern_lease`
      sent.length = 0
      now = new Date('2026-01-01T00:00:00Z')
    },
    close: () => stack.disposeAsync(),
  }
}
