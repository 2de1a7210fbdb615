import type { Sql } from 'postgres'
import type { Heartbeat, LogSigns } from './looks.ts'

/** What looks read of Postgres; a process may read what its role may. */

export async function gatewayHeartbeats(sql: Sql): Promise<readonly Heartbeat[]> {
  return await sql<Heartbeat[]>`
    select id::text, (extract(epoch from now() - seen_at) * 1000)::float8 as "ageMs"
    from postern_process where role like '%gateway%'`
}

export async function logSigns(sql: Sql): Promise<LogSigns> {
  const [row] = await sql<{ ledMs: number | null; signedMs: number | null }[]>`
    select
      (select (extract(epoch from now() - led_until) * 1000)::float8
        from postern_audit_head where isfinite(led_until)) as "ledMs",
      (select (extract(epoch from now() - signed_at) * 1000)::float8
        from postern_audit_checkpoint order by size desc limit 1) as "signedMs"`
  return { ledMs: row?.ledMs ?? undefined, signedMs: row?.signedMs ?? undefined }
}

/** Age of the oldest checkpoint behind the newest published one, in milliseconds. */
export async function oldestUnpublished(sql: Sql): Promise<number | undefined> {
  const [row] = await sql<{ ms: number }[]>`
    select (extract(epoch from now() - signed_at) * 1000)::float8 as ms
    from postern_audit_checkpoint where size > coalesce((
      select size from postern_audit_checkpoint where published_at is not null
      order by size desc limit 1), 0)
    order by size limit 1`
  return row?.ms
}
