import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import type { AuditJournal } from '../audit/journal.ts'
import { recordedTransaction } from '../audit/journal-rows.ts'
import { type AuditType, systemRecord } from '../audit/record.ts'
import { rethrowAsOutage } from '../postgres/outage.ts'
import { closesAfterMs, forgottenAfterMs, type IncidentClass, incidentClasses } from './incident.ts'

/** An incident as one process has seen it. Ages are seconds: only the database has a time. */
export type ToldEpisode = {
  readonly class: IncidentClass
  readonly reason: string
  readonly startedAge: number
  readonly failingAge: number
  readonly goodAge: number | undefined
}

export type OpenIncident = {
  readonly class: IncidentClass
  /** Since anybody has seen it failing. */
  readonly failingAge: number
}

/** What became of the service while nobody looked, as the last sign of life has it. */
export type LastSign = { readonly age: number; readonly isStopped: boolean }

/** Safe concurrently, by every process at once. All throw `database.unavailable`. */
export type IncidentStore = {
  /**
   * Opens an incident, or adds what was seen to the one that is open. One that was closed while
   * this process still saw it failing is opened again: it is the same. True when it was opened. Told
   * again, it changes nothing.
   */
  tell(episode: ToldEpisode): Promise<boolean>
  /**
   * Closes what nobody has seen failing for 10 s; returns its seconds, or undefined when somebody
   * has or another was first. `goodAge`: since when the caller sees it good, for an incident whose
   * own witnesses are gone.
   */
  close(of: IncidentClass, goodAge: number): Promise<number | undefined>
  /** Closes what nobody can tell anything of any more, at its last failing sight. */
  closeUnseen(of: IncidentClass): Promise<void>
  open(): Promise<readonly OpenIncident[]>
  /** Says that a process lives, or that it was stopped in order. */
  live(isStopped: boolean): Promise<void>
  lastSign(): Promise<LastSign>
  /** Whether a process is alive that had begun by then: so the silence was the database's. */
  hasLivedThrough(age: number): Promise<boolean>
}

/** Seconds. */
const closesAfter = closesAfterMs / 1_000
const forgottenAfter = forgottenAfterMs / 1_000
/** Between two signs of life, of all processes together. */
const liveEvery = 1
/** Two heartbeats and a little. */
const aliveSeconds = 5

const changedRow = z.object({
  id: z.uuid(),
  started_at: z.date(),
  recovered_at: z.date().nullable(),
  was_open: z.boolean(),
  seconds: z.number().nullable(),
})

const openRows = z.array(z.object({ class: z.enum(incidentClasses), failingAge: z.number() }))

export function postgresIncidents(options: {
  readonly sql: Sql
  readonly journal: AuditJournal
  readonly now: () => Date
}): IncidentStore {
  const { sql, journal, now } = options

  /** Stores a change of one row with the record of it; undefined when there was nothing to change. */
  async function change(
    type: Extract<AuditType, `incident.${string}`>,
    run: (transaction: TransactionSql) => Promise<ChangedIncident | undefined>,
    about: { readonly class: IncidentClass; readonly reason?: string },
  ): Promise<ChangedIncident | undefined> {
    return await recordedTransaction(sql, journal, async (transaction, record) => {
      const row = await run(transaction)
      if (row === undefined || (type === 'incident.opened' && row.was_open)) return row
      const { started_at, recovered_at, seconds } = row
      const details = {
        ...{ ...about, started_at: started_at.toISOString() },
        ...(recovered_at === null ? {} : { recovered_at: recovered_at.toISOString(), seconds }),
      }
      const target = `incident/${row.id}`
      const of = { id: Bun.randomUUIDv7(), type, at: now(), target, details }
      await record([systemRecord({ ...of, outcome: 'ok' })])
      return row
    }).catch(rethrowAsOutage)
  }

  return {
    async tell(episode) {
      const about = { class: episode.class, reason: episode.reason }
      const row = await change('incident.opened', (on) => tellEpisode(on, episode), about)
      return row?.was_open === false
    },
    async close(of, goodAge) {
      const row = await change('incident.recovered', (on) => closeGood(on, of, goodAge), {
        class: of,
      })
      return row?.seconds ?? undefined
    },
    async closeUnseen(of) {
      await change('incident.recovered', (on) => closeForgotten(on, of), {
        ...{ class: of, reason: 'unseen' },
      })
    },
    async open() {
      return openRows.parse(
        await sql`
          select class, extract(epoch from now() - failing_at)::float8 as "failingAge"
          from postern_incident where recovered_at is null`.catch(rethrowAsOutage),
      )
    },
    ...signs(sql),
  }
}

type ChangedIncident = z.infer<typeof changedRow>

const firstOf = (rows: readonly unknown[]) =>
  rows.length === 0 ? undefined : changedRow.parse(rows[0])

async function tellEpisode(
  transaction: TransactionSql,
  { class: of, reason, startedAge, failingAge, goodAge }: ToldEpisode,
): Promise<ChangedIncident> {
  const ago = (seconds: number | undefined) =>
    transaction`(now() - make_interval(secs => ${seconds ?? null}::float8))`
  const seen = firstOf(
    await transaction`
      with same as (
        select id, recovered_at is null as was_open,
          coalesce(recovered_at > ${ago(goodAge)} - interval '1 second', false) as is_over
        from postern_incident
        where class = ${of} and (recovered_at is null or recovered_at > ${ago(startedAge)})
        order by was_open desc, started_at desc limit 1 for update
      )
      update postern_incident incident set
        recovered_at = case when is_over then recovered_at end, is_unseen = is_unseen and is_over,
        started_at = least(incident.started_at, ${ago(startedAge)}),
        failing_at = greatest(incident.failing_at, ${ago(failingAge)}),
        good_at = greatest(incident.good_at, ${ago(goodAge)})
      from same where incident.id = same.id
      returning incident.id, started_at, recovered_at, was_open or is_over as was_open, null::float8 as seconds`,
  )
  if (seen !== undefined) return seen
  const id = Bun.randomUUIDv7()
  const opened = firstOf(
    await transaction`
      insert into postern_incident as incident (id, class, reason, started_at, failing_at, good_at)
      values (${id}, ${of}, ${reason}, ${ago(startedAge)}, ${ago(failingAge)}, ${ago(goodAge)})
      on conflict (class) where recovered_at is null do update set
        started_at = least(incident.started_at, excluded.started_at),
        failing_at = greatest(incident.failing_at, excluded.failing_at),
        good_at = greatest(incident.good_at, excluded.good_at)
      returning id, started_at, recovered_at, id <> ${id}::uuid as was_open, null::float8 as seconds`,
  )
  if (opened === undefined) throw new Error('invariant: what is inserted or updated is returned')
  return opened
}

/** A time ahead of the clock is from before it was set back. */
async function closeGood(
  transaction: TransactionSql,
  of: IncidentClass,
  goodAge: number,
): Promise<ChangedIncident | undefined> {
  return firstOf(
    await transaction`
      update postern_incident set recovered_at = greatest(started_at, least(now(),
        case when good_at >= failing_at then good_at
          else greatest(failing_at, now() - make_interval(secs => ${goodAge}::float8)) end))
      where class = ${of} and recovered_at is null
        and (failing_at < now() - make_interval(secs => ${closesAfter}::float8)
          or failing_at > now())
      returning id, started_at, recovered_at, true as was_open,
        extract(epoch from recovered_at - started_at)::float8 as seconds`,
  )
}

async function closeForgotten(
  transaction: TransactionSql,
  of: IncidentClass,
): Promise<ChangedIncident | undefined> {
  return firstOf(
    await transaction`
      update postern_incident set recovered_at = greatest(started_at, failing_at), is_unseen = true
      where class = ${of} and recovered_at is null
        and failing_at < now() - make_interval(secs => ${forgottenAfter})
      returning id, started_at, recovered_at, true as was_open, null::float8 as seconds`,
  )
}

function signs(sql: Sql): Pick<IncidentStore, 'live' | 'lastSign' | 'hasLivedThrough'> {
  return {
    async live(isStopped) {
      await sql`
        update postern_alive set alive_at = now(), is_stopped = ${isStopped}
        where ${isStopped} or is_stopped or alive_at > now()
          or alive_at < now() - make_interval(secs => ${liveEvery})`.catch(rethrowAsOutage)
    },
    async lastSign() {
      const [row] = await sql<LastSign[]>`
        select extract(epoch from now() - alive_at)::float8 as age, is_stopped as "isStopped"
        from postern_alive`.catch(rethrowAsOutage)
      if (row === undefined) throw new Error('invariant: the sign of life has its row')
      return row
    },
    async hasLivedThrough(age) {
      const rows = await sql`
        select from postern_process
        where (role like '%gateway%' or role like '%worker%')
          and started_at <= now() - make_interval(secs => ${age}::float8)
          and seen_at > now() - make_interval(secs => ${aliveSeconds}) limit 1`.catch(
        rethrowAsOutage,
      )
      return rows.length > 0
    },
  }
}
