import { postgresIncidents } from '#core/incident/postgres-incidents.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import type { DatabaseRole } from '#core/postgres/database-role.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { testJournal } from '#test/support/job-engine.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'

/** A database with the schema, and what processes do there that see incidents. */
export async function openIncidentWorld() {
  const url = await (await sharedPostgres()).createDatabase()
  return await incidentWorldOn(url, { hasRoles: true, queue: 'redis' })
}

export async function incidentWorldOn(
  url: string,
  { hasRoles, queue }: { readonly hasRoles: boolean; readonly queue: 'redis' | 'postgres' },
) {
  const stack = new AsyncDisposableStack()
  const connect = (role?: DatabaseRole, at = url) =>
    stack.adopt(
      connectPostgres({
        ...{ url: at, mode: 'development', applicationName: 'test', max: 2 },
        role: hasRoles ? role : undefined,
      }),
      (sql) => sql.end({ timeout: 1 }),
    )
  const sql = connect()
  await migrate({ sql, queue, queues: ['probe'] })
  const journal = testJournal()
  const storeOn = (on = sql) => postgresIncidents({ sql: on, journal, now: () => new Date() })

  return {
    ...{ url, sql, connect, storeOn },
    gateway: connect('postern_gateway'),
    worker: connect('postern_worker'),
    /** Seconds ago, so that a test need not know what time it is. */
    async rows(): Promise<readonly IncidentRow[]> {
      return await sql<IncidentRow[]>`
        select class, reason, is_unseen as "isUnseen",
          round(extract(epoch from now() - started_at))::integer as started,
          round(extract(epoch from now() - recovered_at))::integer as recovered
        from postern_incident order by started_at`
    },
    /** Of incidents, by type. */
    async records(): Promise<Readonly<Record<string, number>>> {
      const rows = await sql<{ type: string; count: number }[]>`
        select convert_from(body, 'UTF8')::jsonb ->> 'type' as type, count(*)::integer as count
        from postern_audit_intake group by 1`
      return Object.fromEntries(rows.map(({ type, count }) => [type, count]))
    },
    async clear(): Promise<void> {
      await sql`truncate postern_incident, postern_audit_intake, postern_process`
      await sql`update postern_alive set alive_at = now(), is_stopped = true`
    },
    close: () => stack.disposeAsync(),
  }
}

export type IncidentWorld = Awaited<ReturnType<typeof openIncidentWorld>>
type IncidentRow = {
  readonly class: string
  readonly reason: string
  readonly isUnseen: boolean
  readonly started: number
  readonly recovered: number | null
}
