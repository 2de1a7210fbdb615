import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import { PosternError } from '../errors.ts'
import { rethrowAsOutage } from '../postgres/outage.ts'
import type { DriftState, DriftStep } from './decide-step.ts'
import { type DriftSource, driftSources, findingSchema } from './finding.ts'

const instant = z.date().transform((at) => at.toISOString())

/** Snake case: it is answered as it is. */
export const driftFindingSchema = z.strictObject({
  fingerprint: z.string().describe('The same for the same finding, from run to run'),
  id: z.uuid(),
  source: z.enum(driftSources),
  ...findingSchema.shape,
  state: z.enum(['open', 'resolved']),
  first_seen_at: z.iso.datetime().describe('Since it was opened the last time'),
  last_seen_at: z.iso.datetime(),
  resolved_at: z.iso.datetime().nullable(),
  opened_count: z.int(),
})
driftFindingSchema.register(z.globalRegistry, { title: 'DriftFinding' })
export type DriftFinding = z.infer<typeof driftFindingSchema>

const rowsSchema = z.array(
  z.object({
    ...driftFindingSchema.shape,
    first_seen_at: instant,
    last_seen_at: instant,
    resolved_at: instant.nullable(),
  }),
)

export const findingStates = ['open', 'resolved', 'all'] as const

export type DriftQuery = {
  readonly state: (typeof findingStates)[number]
  readonly source?: DriftSource | undefined
  readonly limit: number
  /** The id of the last one seen. */
  readonly cursor?: string | undefined
}

/** All throw `database.unavailable`. */
export type DriftReads = {
  /** Opened last first. */
  list(query: DriftQuery): Promise<readonly DriftFinding[]>
  /** Throws `drift.not_found`. */
  read(fingerprint: string): Promise<DriftFinding>
}

export function driftReads(sql: Sql): DriftReads {
  return {
    async list({ state, source, limit, cursor }) {
      return rowsSchema.parse(
        await sql`
          select ${columns(sql)} from postern_drift_finding
          where (${state} = 'all' or (resolved_at is null) = (${state} = 'open'))
            and (${source ?? null}::text is null or source = ${source ?? null})
            and (${cursor ?? null}::uuid is null or id < ${cursor ?? null}::uuid)
          order by id desc limit ${limit}`.catch(rethrowAsOutage),
      )
    },
    async read(fingerprint) {
      const [found] = rowsSchema.parse(
        await sql`
          select ${columns(sql)} from postern_drift_finding
          where fingerprint = ${fingerprint}`.catch(rethrowAsOutage),
      )
      if (found !== undefined) return found
      throw new PosternError('drift.not_found', { detail: 'GET /internal/drift lists them.' })
    },
  }
}

function columns(sql: Sql) {
  return sql`fingerprint, id, source, address, attribute, kind, severity, summary,
    case when resolved_at is null then 'open' else 'resolved' end as state,
    first_seen_at, last_seen_at, resolved_at, opened_count`
}

const openRows = z.array(z.object({ fingerprint: z.string(), ...findingSchema.shape }))

/** Where a source stands. Throws `database.unavailable`. */
export async function readDriftState(sql: Sql, source: DriftSource): Promise<DriftState> {
  const [head] = await sql<Head[]>`
    select d.id::text as deployment, s.run::text, s.judged_until as "judgedUntil"
    from postern_drift_source s, postern_deployment d where s.source = ${source}`.catch(
    rethrowAsOutage,
  )
  if (head === undefined) throw new Error('invariant: a source has its row')
  const open = openRows.parse(
    await sql`
      select fingerprint, address, attribute, kind, severity, summary from postern_drift_finding
      where source = ${source} and resolved_at is null order by id`.catch(rethrowAsOutage),
  )
  const { deployment, run, judgedUntil } = head
  return { source, deployment, run: run ?? undefined, judgedUntil: judgedUntil ?? undefined, open }
}

type Head = {
  readonly deployment: string
  readonly run: string | null
  readonly judgedUntil: Date | null
}

/**
 * Stores what a run came to; its records belong into the same transaction. Throws `drift.overtaken`
 * when another run of the source was stored since the state was read: what was decided no longer
 * holds, and the check begins anew.
 */
export async function applyDriftStep(transaction: TransactionSql, step: DriftStep): Promise<void> {
  const { source, before, run, seen, resolved } = step
  const isJudged = run.verdict !== 'error'
  const heads = await transaction`
    update postern_drift_source set run = ${run.id},
      judged_at = case when ${isJudged} then ${run.endedAt}::timestamptz else judged_at end,
      judged_until = greatest(judged_until, ${run.planMadeAt}::timestamptz)
    where source = ${source} and run is not distinct from ${before ?? null}::uuid
    returning source`
  if (heads.length === 0) {
    const reason = `another check of ${source} ended meanwhile`
    throw new PosternError('drift.overtaken', { reason, retryAfterSeconds: 1 })
  }
  await transaction`
    insert into postern_drift_run (id, source, verdict, reason, findings, opened, resolved, noise,
      plan_made_at, by, started_at, ended_at)
    values (${run.id}, ${source}, ${run.verdict}, ${run.reason}, ${run.findings}, ${run.opened},
      ${run.resolved}, ${run.noise}, ${run.planMadeAt}, ${run.by}, ${run.startedAt},
      ${run.endedAt})`
  await transaction`
    insert into postern_drift_finding as finding (fingerprint, id, source, address, attribute,
      kind, severity, summary, first_seen_at, last_seen_at)
    select fingerprint, id, ${source}, address, attribute, kind, severity, summary,
      ${run.endedAt}::timestamptz, ${run.endedAt}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(seen)}::text::jsonb) as r(
      fingerprint text, id uuid, address text, attribute text, kind text, severity text,
      summary text)
    on conflict (fingerprint) do update set severity = excluded.severity,
      summary = excluded.summary, last_seen_at = excluded.last_seen_at, resolved_at = null,
      id = case when finding.resolved_at is null then finding.id else excluded.id end,
      first_seen_at = case when finding.resolved_at is null
        then finding.first_seen_at else excluded.first_seen_at end,
      opened_count = finding.opened_count + (finding.resolved_at is not null)::integer`
  await transaction`
    update postern_drift_finding set resolved_at = ${run.endedAt}
    where fingerprint = any(${resolved.map(({ fingerprint }) => fingerprint)}::text[])
      and resolved_at is null`
}
