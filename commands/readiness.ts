import type { Sql } from 'postgres'
import type { AccessControl } from '#core/access/access-control.ts'
import type { ProcessRegistry } from '#core/job/process-registry.ts'

/** A probe must answer before its caller gives up. */
const askMsMax = 500
/** A worker whose last canary is older than this does not get jobs. */
const canaryMsMax = 30_000

export type Check = { readonly ok: boolean; readonly detail?: string }
export type Readiness = {
  readonly ready: boolean
  readonly checks: Readonly<Record<string, Check>>
}

/** Ready means: it can commit. The canary is told and does not count. */
export function gatewayReadiness(options: {
  readonly sql: Sql
  readonly access: AccessControl
  readonly registry: ProcessRegistry
}): () => Promise<Readiness> {
  const { sql, access, registry } = options
  return async () => {
    const database = await databaseCheck(sql)
    const missing = access.notReady()
    const accessCheck = missing === undefined ? { ok: true } : { ok: false, detail: missing }
    return {
      ready: database.ok && accessCheck.ok,
      checks: { database, access: accessCheck, canary: canaryCheck(registry) },
    }
  }
}

/** Ready means: jobs come through the queue to this process. */
export function workerReadiness(options: {
  readonly sql: Sql
  readonly registry: ProcessRegistry
}): () => Promise<Readiness> {
  const { sql, registry } = options
  return async () => {
    const database = await databaseCheck(sql)
    const canary = canaryCheck(registry)
    return { ready: database.ok && canary.ok, checks: { database, canary } }
  }
}

function canaryCheck(registry: ProcessRegistry): Check {
  const ageMs = registry.canaryAgeMs()
  if (ageMs === undefined) return { ok: false, detail: 'no canary job has come through yet' }
  return { ok: ageMs <= canaryMsMax, detail: `${(ageMs / 1_000).toFixed(1)} s old` }
}

export async function databaseCheck(sql: Sql): Promise<Check> {
  const { promise, resolve } = Promise.withResolvers<Check>()
  const timer = setTimeout(() => resolve({ ok: false, detail: 'no answer in time' }), askMsMax)
  const asked = sql`select 1`.then(
    (): Check => ({ ok: true }),
    (): Check => ({ ok: false, detail: 'unavailable' }),
  )
  const check = await Promise.race([asked, promise])
  clearTimeout(timer)
  return check
}
