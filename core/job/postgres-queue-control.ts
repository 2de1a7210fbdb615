import type { Sql } from 'postgres'
import type { Actor } from '../access/principal.ts'
import type { AuditJournal } from '../audit/journal.ts'
import { recordedTransaction } from '../audit/journal-rows.ts'
import { type AuditRecord, type AuditType, actorRecord } from '../audit/record.ts'
import { PosternError } from '../errors.ts'
import { rethrowAsOutage } from '../postgres/outage.ts'
import { cancelledProblem } from './cancel-job.ts'
import type { JobQueue } from './job-queue.ts'
import type { QueueControl, QueueStatus } from './job-store.ts'
import type { JobKind } from './kind.ts'
import { retryJobs } from './retry-jobs.ts'

/** Jobs in one transaction of a drain or a replay, so that row locks are held for milliseconds. */
const pageMax = 500

export type QueueControlOptions = {
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly queue: Pick<JobQueue, 'remove' | 'setPaused' | 'counts'>
  readonly kinds: ReadonlyMap<string, JobKind>
  readonly onOutbox: () => void
  readonly now: () => Date
}

export function postgresQueueControl(options: QueueControlOptions): QueueControl {
  const { sql, queue, kinds } = options

  function kindOf(name: string): JobKind {
    const kind = kinds.get(name)
    if (kind === undefined) throw new PosternError('queue.not_found')
    return kind
  }

  async function setPaused(name: string, paused: boolean, actor: Actor): Promise<void> {
    const kind = kindOf(name)
    await storePaused(options, kind, paused, actor).catch(rethrowAsOutage)
    // The reconciler repeats this until the engine follows.
    await queue.setPaused(kind, paused).catch(() => undefined)
  }

  async function drain(name: string, actor: Actor): Promise<number> {
    const kind = kindOf(name)
    let drained = 0
    let taken = pageMax
    while (taken === pageMax) {
      const ids = await drainPage(options, kind, actor).catch(rethrowAsOutage)
      taken = ids.length
      drained += taken
      // What stays in the engine is fenced when it runs.
      await Promise.allSettled(ids.map((id) => queue.remove(kind, id)))
    }
    return drained
  }

  async function replayFailed(name: string, limit: number, actor: Actor): Promise<number> {
    const kind = kindOf(name)
    let replayed = 0
    // What fails again meanwhile lies behind the last page and is not replayed twice.
    let last = '00000000-0000-0000-0000-000000000000'
    while (replayed < limit) {
      const rows = await sql<{ id: string }[]>`
        select id from postern_job where kind = ${kind.name} and state = 'failed' and id > ${last}
        order by id limit ${Math.min(pageMax, limit - replayed)}`.catch(rethrowAsOutage)
      if (rows.length === 0) break
      const ids = rows.map((row) => row.id)
      last = ids.at(-1) ?? last
      replayed += await retryJobs(options, { ids, actor }).catch(rethrowAsOutage)
    }
    return replayed
  }

  return {
    status: () => queueStatus(options).catch(rethrowAsOutage),
    pause: (kind, actor) => setPaused(kind, true, actor),
    resume: (kind, actor) => setPaused(kind, false, actor),
    drain,
    replayFailed,
  }
}

type StatusRow = {
  readonly kind: string
  readonly accepted: number
  readonly running: number
  readonly oldest: Date | null
  readonly failed: number
  readonly paused: boolean
}

async function queueStatus(options: QueueControlOptions): Promise<readonly QueueStatus[]> {
  const { sql, queue, kinds } = options
  const rows = await sql<StatusRow[]>`
    select k.kind, coalesce(u.accepted, 0)::integer as accepted,
      coalesce(u.running, 0)::integer as running, u.oldest,
      (select count(*)::integer from postern_job f where f.kind = k.kind and f.state = 'failed')
        as failed,
      exists (select from postern_queue q where q.kind = k.kind and q.paused_at is not null)
        as paused
    from unnest(${[...kinds.keys()]}::text[]) as k(kind)
    left join (
      select kind, count(*) filter (where state = 'accepted') as accepted,
        count(*) filter (where state = 'running') as running,
        min(accepted_at) filter (where state = 'accepted') as oldest
      from postern_job where finished_at is null group by kind
    ) u using (kind)`
  return await Promise.all(
    rows.map(async ({ kind: name, oldest, ...counts }) => {
      const kind = kinds.get(name)
      const engine = await (kind && queue.counts(kind).catch(() => undefined))
      return { kind: name, ...counts, oldestAcceptedAt: oldest?.toISOString(), engine }
    }),
  )
}

async function storePaused(
  { sql, journal, now }: QueueControlOptions,
  kind: JobKind,
  paused: boolean,
  actor: Actor,
): Promise<void> {
  const at = now()
  const record = queueRecord(kind, paused ? 'queue.paused' : 'queue.resumed', actor, at)
  const by = typeof actor === 'string' ? actor : actor.principal.subject
  await recordedTransaction(sql, journal, async (transaction, write) => {
    await write([record])
    await transaction`
      insert into postern_queue (kind, paused_at, paused_by)
      values (${kind.name}, ${paused ? at : null}, ${paused ? by : null})
      on conflict (kind) do update
        set paused_at = excluded.paused_at, paused_by = excluded.paused_by`
  })
}

function queueRecord(kind: JobKind, type: AuditType, actor: Actor, at: Date): AuditRecord {
  const target = `queue/${kind.name}`
  return actorRecord(actor, { id: Bun.randomUUIDv7(), type, at, target, outcome: 'ok' })
}

/** Cancels one page of jobs that have not begun; returns their ids. */
async function drainPage(
  { sql, journal, now }: QueueControlOptions,
  kind: JobKind,
  actor: Actor,
): Promise<readonly string[]> {
  const at = now()
  return await recordedTransaction(sql, journal, async (transaction, write) => {
    const jobs = await transaction<{ id: string }[]>`
      update postern_job set state = 'cancelled', finished_at = ${at},
        problem = ${JSON.stringify(cancelledProblem)}::text::jsonb, changed = pg_current_xact_id()
      where id in (
        select id from postern_job
        where kind = ${kind.name} and finished_at is null and state = 'accepted'
        order by id limit ${pageMax} for update skip locked)
      returning id`
    const records = jobs.map(({ id }) => {
      const target = `job/${id}`
      const reason = 'queue.drained'
      const rec = Bun.randomUUIDv7()
      const type = 'job.cancelled'
      return actorRecord(actor, { id: rec, type, at, target, outcome: 'ok', reason })
    })
    await write([queueRecord(kind, 'queue.drained', actor, at), ...records])
    return jobs.map((job) => job.id)
  })
}
