import type { Sql, TransactionSql } from 'postgres'
import type { AuditJournal, JournalRow } from '../audit/journal.ts'
import { insertJournalRows, journalRows } from '../audit/journal-rows.ts'
import { type AuditRecord, systemRecord } from '../audit/record.ts'
import { PosternError } from '../errors.ts'
import type { Effect } from '../postgres/effect.ts'
import { groupCommit, runOrSplit } from '../postgres/group-commit.ts'
import { type CommitObserver, observedCommit } from '../postgres/observed-commit.ts'
import { databaseOutage, rethrowAsOutage } from '../postgres/outage.ts'
import { deliverWebhookKind as webhook } from './deliver-webhook-kind.ts'
import type { JobState } from './kind.ts'

/** Outcomes that share one commit; two such batches keep Postgres and the worker both busy. */
const outcomesMax = 64
const batchesInFlightMax = 2
const waitingMax = 10_000
/** Records of an effect in one statement: about 1 MiB. */
const recordsPerInsert = 1_000

export type Outcome = {
  readonly jobId: string
  readonly kind: string
  readonly fence: bigint
  readonly attempt: number
  readonly state: Extract<JobState, 'completed' | 'failed'>
  readonly result: unknown
  readonly problem: unknown
  /** The error code of a failed job. */
  readonly reason: string | undefined
  readonly startedAt: Date
  readonly finishedAt: Date
  readonly requestId: string
  readonly traceparent: string | undefined
  readonly details: Readonly<Record<string, unknown>> | undefined
}

/** Rows and records that take effect with an outcome or not at all. */
export type RecordedEffect = { readonly effect: Effect; readonly records: readonly AuditRecord[] }

/**
 * Stores what became of a job: outcome, audit record and, when the job asked for a callback, the
 * delivery of the webhook, in one commit. `true`: stored. `false`: fenced, because the job is
 * finished already or a newer attempt has begun; nothing was stored and no effect remains.
 */
export type OutcomeWriter = {
  /** Shares a commit with other outcomes. */
  write(outcome: Outcome): Promise<boolean>
  /** In a transaction of its own, together with the effect. */
  writeWith(outcome: Outcome, recorded: RecordedEffect): Promise<boolean>
  idle(): Promise<void>
}

export type OutcomeWriterOptions = CommitObserver & {
  /** A pool of exactly one connection: batches are pipelined on it. */
  readonly grouped: Sql
  /** For outcomes with an effect. */
  readonly sql: Sql
  readonly worker: string
  readonly journal: AuditJournal
  /** Called after a commit that left a webhook to dispatch. */
  readonly onWebhook: () => void
}

export function postgresOutcomeWriter(options: OutcomeWriterOptions): OutcomeWriter {
  const { grouped, sql, journal } = options
  const traceOf = (outcome: Outcome) => outcome.traceparent
  const observed = observedCommit(options, { name: 'outcome', traceOf }, storeGrouped)
  const commits = groupCommit<Outcome, boolean>({
    run: (outcomes) =>
      runOrSplit(outcomes, observed, (error) => databaseOutage(error) !== undefined),
    batchMax: outcomesMax,
    inFlightMax: batchesInFlightMax,
    waitingMax,
    refuse: () => new PosternError('database.unavailable', { reason: 'too many outcomes waiting' }),
    // The same job twice in one statement would count both as the winner.
    keyOf: (outcome) => outcome.jobId,
  })

  /** All numbers are open until the commit: only then are the records stored. */
  async function storeGrouped(outcomes: readonly Outcome[]): Promise<readonly boolean[]> {
    // In the order of ids, or two batches that share jobs deadlock.
    const sorted = [...outcomes].sort((a, b) => (a.jobId < b.jobId ? -1 : 1))
    const stored = await journal.write(
      sorted.map(recordOf),
      (rows) => storeOutcomes(grouped, sorted, rows, options),
      (winners) => winners.recs,
    )
    return outcomes.map((outcome) => stored.jobs.has(outcome.jobId))
  }

  async function writeWith(
    outcome: Outcome,
    { effect, records }: RecordedEffect,
  ): Promise<boolean> {
    const recs = new Set(records.map((record) => record.id))
    const { jobs } = await journal.write(
      [recordOf(outcome), ...records],
      ([row, ...rows]) =>
        sql.begin(async (transaction) => {
          // The outcome first: its row lock keeps every other attempt out until the effect is in.
          const own = row === undefined ? [] : [row]
          const winners = await storeOutcomes(transaction, [outcome], own, options)
          if (winners.jobs.size === 0) return winners
          await effect(transaction)
          for (let at = 0; at < rows.length; at += recordsPerInsert) {
            await insertJournalRows(transaction, rows.slice(at, at + recordsPerInsert))
          }
          return { ...winners, recs: winners.recs.union(recs) }
        }),
      (winners) => winners.recs,
    )
    return jobs.size > 0
  }

  return {
    write: (outcome) => commits.submit(outcome).catch(rethrowAsOutage),
    writeWith(outcome, recorded) {
      const alone = () => writeWith(outcome, recorded)
      const observedAlone = observedCommit(options, { name: 'effect', traceOf }, alone)
      return observedAlone([outcome]).catch(rethrowAsOutage)
    },
    idle: () => commits.idle(),
  }
}

/** Ids of the jobs whose outcome was stored, and of its records. */
type Winners = { readonly jobs: ReadonlySet<string>; readonly recs: ReadonlySet<string> }

async function storeOutcomes(
  sql: Sql | TransactionSql,
  outcomes: readonly Outcome[],
  rows: readonly JournalRow[],
  { worker, onWebhook }: { readonly worker: string; readonly onWebhook: () => void },
): Promise<Winners> {
  const input = outcomes.map((outcome, index) => outcomeRow(outcome, rows[index]?.rec))
  // By the ids again and by state: on young statistics the planner reads all unfinished jobs for
  // each batch when it may choose the join, or the partial index of `finished_at is null`.
  const stored = await sql<{ id: string; rec: string; hasWebhook: boolean }[]>`
    with input as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(input)}::text::jsonb) as r(
        id uuid, fence bigint, state text, result jsonb, problem jsonb, started_at timestamptz,
        finished_at timestamptz, rec uuid, webhook uuid)
    ), done as (
      update postern_job j set state = i.state, result = i.result, problem = i.problem,
        fence = i.fence, started_at = coalesce(j.started_at, i.started_at),
        finished_at = i.finished_at, worker = ${worker}, changed = pg_current_xact_id()
      from input i
      where j.id = i.id and j.id = any(${outcomes.map((outcome) => outcome.jobId)}::uuid[])
        and j.state in ('accepted', 'running') and j.fence <= i.fence
      returning j.id, i.rec, j.callback_url, j.issuer, j.subject, j.request_id, j.traceparent
    ), recorded as (
      insert into postern_audit_intake (rec, body)
      select r.rec, r.body from ${journalRows(sql, rows)} as r join done using (rec) returning 1
    ), webhooks as (
      insert into postern_job (id, kind, issuer, subject, payload, priority, attempts_max,
        timeout_ms, request_id, traceparent, accepted_at)
      select i.webhook, ${webhook.name}, d.issuer, d.subject,
        jsonb_build_object('jobId', d.id, 'url', d.callback_url),
        ${webhook.priority}::integer, ${webhook.attemptsMax}::integer,
        ${webhook.timeoutMs}::integer, d.request_id, d.traceparent, i.finished_at
      from done d join input i using (id) where d.callback_url is not null
      returning id
    ), outbox as (
      insert into postern_outbox (id, jobs, due_at)
      select gen_random_uuid(), array_agg(id), now() from webhooks having count(*) > 0
    )
    select id, rec, callback_url is not null as "hasWebhook",
      (select pg_notify('postern_finished', string_agg(id::text, ',')) from done)::text as notified,
      (select postern_recorded(
        (select count(*) from recorded), (select count(*) from done))) as recorded
    from done`
  if (stored.some((row) => row.hasWebhook)) onWebhook()
  return {
    jobs: new Set(stored.map((row) => row.id)),
    recs: new Set(stored.map((row) => row.rec)),
  }
}

function outcomeRow(outcome: Outcome, rec: string | undefined) {
  return {
    id: outcome.jobId,
    fence: outcome.fence.toString(),
    state: outcome.state,
    result: outcome.result ?? null,
    problem: outcome.problem,
    started_at: outcome.startedAt,
    finished_at: outcome.finishedAt,
    rec,
    webhook: Bun.randomUUIDv7(),
  }
}

function recordOf(outcome: Outcome): AuditRecord {
  return systemRecord({
    id: Bun.randomUUIDv7(),
    type: outcome.state === 'completed' ? 'job.completed' : 'job.failed',
    at: outcome.finishedAt,
    target: `job/${outcome.jobId}`,
    outcome: outcome.state === 'completed' ? 'ok' : 'failed',
    reason: outcome.reason,
    requestId: outcome.requestId,
    traceparent: outcome.traceparent,
    details: { kind: outcome.kind, attempt: outcome.attempt, ...outcome.details },
  })
}
