import type { Sql } from 'postgres'
import type { Log } from '../log.ts'

/** Between two heartbeats; a process that missed three is no longer counted. */
const heartbeatMs = 5_000
export const liveSeconds = 20
/** Rows of processes that are long gone. */
const forgetSeconds = 86_400

export type ProcessRegistry = {
  readonly id: string
  /** Live processes of a role as of the last heartbeat, this one included; at least 1. */
  live(role: ProcessRole): number
  /** When a canary job last came through, anywhere; undefined before the first. */
  canaryAt(): Date | undefined
  /** Called by the worker that received a canary. */
  sawCanary(at: Date): void
  /** Tells with each heartbeat from now on which access file is in force here. */
  tellAccess(read: () => AccessVersions | undefined): void
  close(): Promise<void>
}

export type ProcessRole = 'gateway' | 'worker' | 'sequencer' | 'rotator'

/** SHA-256 of the access file in force, and of what lies in its place now; empty: unreadable. */
export type AccessVersions = { readonly inForce: string; readonly onDisk: string }

/** Tells the other processes that this one is alive and learns the same of them. */
export async function startProcessRegistry(options: {
  readonly sql: Sql
  readonly log: Log
  readonly roles: readonly ProcessRole[]
  readonly version: string
  readonly host: string
  /** Of the image it was started from, as the deployment says. */
  readonly imageDigest?: string | undefined
}): Promise<ProcessRegistry> {
  const { sql, log, roles, version, host, imageDigest = null } = options
  const id = Bun.randomUUIDv7()
  const role = roles.join('+')
  let counts = new Map<ProcessRole, number>()
  let canaryAt: Date | undefined
  let readAccess: (() => AccessVersions | undefined) | undefined

  async function beat(): Promise<void> {
    const { inForce = null, onDisk = null } = readAccess?.() ?? {}
    await sql`
      insert into postern_process (id, role, host, version, canary_at, image_digest,
        access_in_force, access_on_disk)
      values (${id}, ${role}, ${host}, ${version}, ${canaryAt ?? null}, ${imageDigest},
        ${inForce}, ${onDisk})
      on conflict (id) do update
        set seen_at = now(), canary_at = greatest(postern_process.canary_at, excluded.canary_at),
          access_in_force = excluded.access_in_force, access_on_disk = excluded.access_on_disk`
    const [row] = await sql<{ gateways: number; workers: number; canary: Date | null }[]>`
      select count(*) filter (where role like '%gateway%')::integer as gateways,
        count(*) filter (where role like '%worker%')::integer as workers,
        max(canary_at) as canary
      from postern_process where seen_at > now() - make_interval(secs => ${liveSeconds})`
    counts = new Map([
      ['gateway', row?.gateways ?? 1],
      ['worker', row?.workers ?? 1],
    ])
    note(row?.canary ?? undefined)
  }

  function note(at: Date | undefined): void {
    if (at !== undefined && (canaryAt === undefined || at > canaryAt)) canaryAt = at
  }

  await sql`
    delete from postern_process where seen_at < now() - make_interval(secs => ${forgetSeconds})`
  await beat()
  const timer = setInterval(() => {
    beat().catch((error: unknown) => log.warn('heartbeat.failed', { error }))
  }, heartbeatMs)

  return {
    id,
    live: (of) => Math.max(1, counts.get(of) ?? 1),
    canaryAt: () => canaryAt,
    sawCanary: note,
    tellAccess(read) {
      readAccess = read
    },
    async close() {
      clearInterval(timer)
      await sql`delete from postern_process where id = ${id}`.catch(() => undefined)
    },
  }
}
