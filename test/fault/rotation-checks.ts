import type { Sql } from 'postgres'
import { fingerprintOf, readFingerprintKey } from '#core/secret/rotation/fingerprint.ts'
import { redisSessions } from './rotation-probe.ts'
import {
  databaseSecret,
  type RotationStage,
  redisSecret,
  redisUsers,
  users,
} from './rotation-stage.ts'

/** Milliseconds that jobs have to end, once no more come. */
const endMsMax = 60_000

/** By the pointer the old user has no session, and cannot get one. */
export async function loginFaults(
  { sql, store, redisUrl }: Pick<RotationStage, 'sql' | 'store' | 'redisUrl'>,
  name: string,
): Promise<readonly string[]> {
  const [pointer] = await sql<{ current: string }[]>`
    select current_version as current from postern_secret where name = ${name}`
  const { url = '' } = await store.read(name, pointer?.current ?? '')
  const pair = name === redisSecret ? redisUsers : users
  const retired = pair.find((user) => user !== new URL(url).username) ?? ''
  const sessions =
    name === redisSecret
      ? await redisSessions(redisUrl, retired)
      : (await sql`select from pg_stat_activity where usename = ${retired}`).length
  const faults = sessions > 0 ? [`${sessions} sessions of ${retired}`] : []
  if (name === databaseSecret) {
    const [role] = await sql<{ login: boolean }[]>`
      select rolcanlogin as login from pg_roles where rolname = ${retired}`
    if (role?.login === true) faults.push(`${retired} may still log in`)
  }
  return faults
}

/** Pointer, journal and store agree, and of all versions the one in force can be read alone. */
export async function versionFaults(
  { sql, store }: Pick<RotationStage, 'sql' | 'store'>,
  name: string,
): Promise<readonly string[]> {
  const [pointer] = await sql<{ current: string; fingerprint: string }[]>`
    select current_version as current, encode(fingerprint, 'hex') as fingerprint
    from postern_secret where name = ${name}`
  const [last] = await sql<{ step: string; base: string; pending: string | null }[]>`
    select step, base_version as base, pending_version as pending from postern_secret_rotation
    where name = ${name} order by id desc limit 1`
  if (pointer === undefined || last === undefined) return ['no pointer, or no rotation']
  const { current } = pointer
  const kept = last.step === 'done' ? last.pending : last.base
  const faults = current === kept ? [] : [`${last.step}, yet ${current} is in force, not ${kept}`]
  const label = await store.currentVersion(name)
  if (label !== current) faults.push(`the store calls ${label} current, in force is ${current}`)
  const enabled = (await store.versions(name)).filter(({ isEnabled }) => isEnabled)
  const versions = enabled.map(({ version }) => version).join()
  if (versions !== current) faults.push(`enabled: ${versions}, in force: ${current}`)
  const key = await readFingerprintKey(sql)
  const members = await store.read(name, current).catch(() => undefined)
  if (members === undefined || fingerprintOf(key, name, members) !== pointer.fingerprint) {
    faults.push(`${current} in the store is not what the pointer says`)
  }
  return faults
}

/** Waits for the jobs' ends: each has to be completed, with one outcome and one record of it. */
export async function jobsEnded(
  sql: Sql,
  ids: ReadonlySet<string>,
): Promise<{ readonly completed: number; readonly faults: readonly string[] }> {
  const faults: string[] = []
  const giveUpAt = performance.now() + endMsMax
  for (;;) {
    const [row] = await sql<{ left: number }[]>`
      select count(*)::integer as left from postern_job
      where kind = 'score-wallet' and finished_at is null`
    if (row?.left === 0) break
    if (performance.now() > giveUpAt) {
      faults.push(`${row?.left} jobs never ended`)
      break
    }
    await Bun.sleep(100)
  }
  const rows = await sql<{ id: string; state: string }[]>`
    select id, state from postern_job where kind = 'score-wallet'`
  const states = new Map(rows.map(({ id, state }) => [id, state]))
  for (const id of ids)
    if (states.get(id) !== 'completed') faults.push(`job ${id}: ${states.get(id)}`)
  if (rows.length !== ids.size) faults.push(`${rows.length} jobs for ${ids.size} accepted ones`)
  const twice = await sql`
    select record ->> 'target' as target from (${records(sql)}) as all_records
    where record ->> 'type' = 'job.completed' group by 1 having count(*) > 1`
  if (twice.length > 0) faults.push(`${twice.length} jobs completed twice`)
  return { completed: [...ids].filter((id) => states.get(id) === 'completed').length, faults }
}

/** Of the log: those that have no place yet, and those that have. */
function records(sql: Sql) {
  return sql`
    select convert_from(body, 'UTF8')::jsonb as record from postern_audit_intake
    union all select convert_from(body, 'UTF8')::jsonb from postern_audit_entry`
}

/** It is recorded once that a rotation was opened, and once how it ended. */
export async function recordFaults(sql: Sql, rotation: string): Promise<readonly string[]> {
  const rows = await sql<{ type: string; n: number }[]>`
    select record ->> 'type' as type, count(*)::integer as n from (${records(sql)}) as all_records
    where record -> 'details' ->> 'rotation' = ${rotation} group by 1`
  const counts = new Map(rows.map(({ type, n }) => [type, n]))
  return ['secret.rotation_opened', 'secret.rotation_ended'].flatMap((type) =>
    counts.get(type) === 1 ? [] : [`${counts.get(type) ?? 0} records ${type}`],
  )
}
