import type { Sql } from 'postgres'
import { z } from 'zod'
import { rethrowAsOutage } from '../postgres/outage.ts'
import { type IncidentClass, incidentClasses, incidentDaysKept } from './incident.ts'

const incidentStates = ['open', 'recovered', 'unseen'] as const
export const incidentFilters = [...incidentStates, 'all'] as const

/** Days that figures are about, unless it is asked for others. */
export const windowDays = 90
export const windowDaysMax = incidentDaysKept

const instant = z.date().transform((at) => at.toISOString())

/** Snake case: it is answered as it is. */
export const incidentSchema = z.strictObject({
  id: z.uuid(),
  class: z.enum(incidentClasses),
  state: z
    .enum(incidentStates)
    .meta({ description: '`unseen`: nobody could tell any more; no recovery was measured' }),
  reason: z.string(),
  started_at: z.iso.datetime().meta({ description: 'The first failing sight' }),
  recovered_at: z.iso
    .datetime()
    .nullable()
    .meta({ description: 'The first good sight of the run that closed it' }),
  seconds: z.number().meta({ description: 'So far, while it is open' }),
})
incidentSchema.register(z.globalRegistry, { title: 'Incident' })
export type Incident = z.infer<typeof incidentSchema>

export const recoverySchema = z.strictObject({
  class: z.enum(incidentClasses),
  incidents: z.int(),
  open: z.int(),
  recovered: z.int(),
  mttr_seconds: z
    .number()
    .nullable()
    .meta({ description: 'Mean time to recover; null: no measurement' }),
  worst_seconds: z.number().nullable(),
})
recoverySchema.register(z.globalRegistry, { title: 'Recovery' })
/** What was measured of a class. */
export type Recovery = z.infer<typeof recoverySchema>

const rowsSchema = z.array(
  z.object({
    ...incidentSchema.shape,
    started_at: instant,
    recovered_at: instant.nullable(),
  }),
)

export type IncidentQuery = {
  readonly state: (typeof incidentFilters)[number]
  readonly class?: IncidentClass | undefined
  readonly limit: number
  /** The id of the last one seen. */
  readonly cursor?: string | undefined
}

/** `next` goes on behind the page as its cursor; undefined on the last one. */
export type IncidentPage = {
  readonly incidents: readonly Incident[]
  readonly next: string | undefined
}

/** All throw `database.unavailable`. */
export type IncidentReads = {
  /** Told last first. */
  list(query: IncidentQuery): Promise<IncidentPage>
  /** Of every class, those that began within so many days. */
  recoveries(days: number): Promise<readonly Recovery[]>
}

export function incidentReads(sql: Sql): IncidentReads {
  return {
    async list({ state, class: of, limit, cursor }) {
      const rows = rowsSchema.parse(
        await sql`
          select * from (
            select id, class, case when recovered_at is null then 'open' when is_unseen then 'unseen'
                else 'recovered' end as state, reason, started_at, recovered_at,
              extract(epoch from greatest(coalesce(recovered_at, now()), started_at)
                - started_at)::float8 as seconds
            from postern_incident
          ) i
          where (${state} = 'all' or state = ${state})
            and (${of ?? null}::text is null or class = ${of ?? null})
            and (${cursor ?? null}::uuid is null or id < ${cursor ?? null}::uuid)
          order by id desc limit ${limit + 1}`.catch(rethrowAsOutage),
      )
      const incidents = rows.slice(0, limit)
      return { incidents, next: rows.length > limit ? incidents.at(-1)?.id : undefined }
    },
    async recoveries(days) {
      return z.array(recoverySchema).parse(
        await sql`
          select class, count(i.id)::integer as incidents,
            (count(i.id) filter (where recovered_at is null))::integer as open,
            (count(i.id) filter (where is_measured))::integer as recovered,
            (avg(seconds) filter (where is_measured))::float8 as mttr_seconds,
            (max(seconds) filter (where is_measured))::float8 as worst_seconds
          from unnest(${[...incidentClasses]}::text[]) with ordinality as c(class, place)
          left join (
            select id, class, recovered_at, recovered_at is not null and not is_unseen as is_measured,
              extract(epoch from recovered_at - started_at) as seconds
            from postern_incident where started_at > now() - make_interval(days => ${days})
          ) i using (class)
          group by class, place order by place`.catch(rethrowAsOutage),
      )
    },
  }
}
