import type { Sql } from 'postgres'
import type { Log } from '../log.ts'
import { oneAtATime } from '../one-at-a-time.ts'

/** Between two heartbeats, each of which also tells and hears of the newest canary. */
const heartbeatMs = 2_000
/** A process that was silent for as long is no longer counted. */
export const liveSeconds = 20
/** Rows of processes that are long gone. */
const forgetSeconds = 86_400

export type ProcessRegistry = {
  readonly id: string
  /** Live processes of a role as of the last heartbeat, this one included; at least 1. */
  live(role: ProcessRole): number
  /** Since a canary job last came through, anywhere; undefined before the first. */
  canaryAgeMs(): number | undefined
  /** Called by the worker that received a canary. */
  sawCanary(): void
  /** Tells with each heartbeat from now on which access file is in force here. */
  tellAccess(read: () => AccessVersions | undefined): void
  close(): Promise<void>
}

export type ProcessRole = 'gateway' | 'worker' | 'sequencer' | 'rotator'

/** SHA-256 of the access file in force, and of what lies in its place now; empty: unreadable. */
export type AccessVersions = { readonly inForce: string; readonly onDisk: string }

type Heard = {
  readonly gateways: number
  readonly workers: number
  readonly canarySeconds: number | null
}

/** Tells the other processes that this one is alive and learns the same of them. */
export async function startProcessRegistry(options: {
  readonly sql: Sql
  readonly log: Log
  readonly roles: readonly ProcessRole[]
  readonly version: string
  readonly host: string
  /** Of the image it was started from, as the deployment says. */
  readonly imageDigest?: string | undefined
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonicMs?: () => number
}): Promise<ProcessRegistry> {
  const { sql, log, roles, version, host, imageDigest = null } = options
  const { monotonicMs = () => performance.now() } = options
  const id = Bun.randomUUIDv7()
  const role = roles.join('+')
  let counts = new Map<ProcessRole, number>()
  /** Ages travel, and only the database has a time: hosts differ about it. */
  let ownCanaryMs: number | undefined
  let canaryMs: number | undefined
  let readAccess: (() => AccessVersions | undefined) | undefined

  async function beat(): Promise<void> {
    const { inForce = null, onDisk = null } = readAccess?.() ?? {}
    const canarySeconds = ownCanaryMs === undefined ? null : (monotonicMs() - ownCanaryMs) / 1_000
    await sql`
      insert into postern_process (id, role, host, version, canary_at, image_digest,
        access_in_force, access_on_disk)
      values (${id}, ${role}, ${host}, ${version},
        now() - make_interval(secs => ${canarySeconds}::float8), ${imageDigest},
        ${inForce}, ${onDisk})
      on conflict (id) do update
        set seen_at = now(), canary_at = excluded.canary_at,
          access_in_force = excluded.access_in_force, access_on_disk = excluded.access_on_disk`
    const [row] = await sql<Heard[]>`
      select count(*) filter (where role like '%gateway%')::integer as gateways,
        count(*) filter (where role like '%worker%')::integer as workers,
        extract(epoch from now() - max(canary_at))::float8 as "canarySeconds"
      from postern_process where seen_at > now() - make_interval(secs => ${liveSeconds})`
    counts = new Map([
      ['gateway', row?.gateways ?? 1],
      ['worker', row?.workers ?? 1],
    ])
    const { canarySeconds: heard } = row ?? { canarySeconds: null }
    if (heard !== null) note(monotonicMs() - Math.max(0, heard) * 1_000)
  }

  function note(atMs: number): void {
    canaryMs = Math.max(atMs, canaryMs ?? atMs)
  }

  await sql`
    delete from postern_process where seen_at < now() - make_interval(secs => ${forgetSeconds})`
  await beat()
  const beats = oneAtATime(() =>
    beat().catch((error: unknown) => log.warn('heartbeat.failed', { error })),
  )
  const timer = setInterval(() => void beats.unlessRunning(), heartbeatMs)

  return {
    id,
    live: (of) => Math.max(1, counts.get(of) ?? 1),
    canaryAgeMs: () => (canaryMs === undefined ? undefined : monotonicMs() - canaryMs),
    sawCanary() {
      ownCanaryMs = monotonicMs()
      note(ownCanaryMs)
    },
    tellAccess(read) {
      readAccess = read
    },
    async close() {
      clearInterval(timer)
      // A beat that is under way would make the row anew, and the process seem to have died.
      await beats.close()
      await sql`delete from postern_process where id = ${id}`.catch(() => undefined)
    },
  }
}
