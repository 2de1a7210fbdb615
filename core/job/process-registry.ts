import type { Sql } from 'postgres'
import type { Log } from '../log.ts'

/** Between two heartbeats; a process that missed three is no longer counted. */
const heartbeatMs = 5_000
const liveSeconds = 20
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
  close(): Promise<void>
}

export type ProcessRole = 'gateway' | 'worker' | 'sequencer' | 'rotator'

/** Tells the other processes that this one is alive and learns the same of them. */
export async function startProcessRegistry(options: {
  readonly sql: Sql
  readonly log: Log
  readonly roles: readonly ProcessRole[]
  readonly version: string
  readonly host: string
}): Promise<ProcessRegistry> {
  const { sql, log, roles, version, host } = options
  const id = Bun.randomUUIDv7()
  const role = roles.join('+')
  let counts = new Map<ProcessRole, number>()
  let canaryAt: Date | undefined

  async function beat(): Promise<void> {
    await sql`
      insert into postern_process (id, role, host, version, canary_at)
      values (${id}, ${role}, ${host}, ${version}, ${canaryAt ?? null})
      on conflict (id) do update
        set seen_at = now(), canary_at = greatest(postern_process.canary_at, excluded.canary_at)`
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
    async close() {
      clearInterval(timer)
      await sql`delete from postern_process where id = ${id}`.catch(() => undefined)
    },
  }
}
