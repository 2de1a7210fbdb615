import type { Cluster, Redis } from 'ioredis'
import type { Sql } from 'postgres'
import { z } from 'zod'
import { ConfigError } from '../config.ts'
import { liveSeconds } from '../job/process-registry.ts'
import { checkRedis } from '../job/redis-connect.ts'
import { expectedRights } from '../postgres/expected-rights.ts'
import { rethrowAsOutage } from '../postgres/outage.ts'
import { readRights } from '../postgres/read-rights.ts'
import type { BuiltInSchedule } from '../schedule/built-in-schedules.ts'
import { definitionIn } from '../schedule/postgres-schedule-store.ts'
import { readSchedules } from '../schedule/schedule-rows.ts'
import type { DriftReport } from './finding.ts'
import { judgeRuntime, type RuntimeFacts } from './judge-runtime.ts'

/** Minutes that a deployment has until its processes must be alike. */
const rolloutMinutes = 30

export type RuntimeOptions = {
  readonly sql: Sql
  /** Undefined where the queue is Postgres. */
  readonly redis: Redis | Cluster | undefined
  readonly builtIn: readonly BuiltInSchedule[]
  readonly imageDigest: string | undefined
}

/**
 * Compares what is configured with what runs. Throws `database.unavailable` and
 * `queue.unavailable`: what could not be asked is not judged.
 */
export async function lookAtRuntime(options: RuntimeOptions): Promise<DriftReport> {
  const findings = judgeRuntime(await readFacts(options).catch(rethrowAsOutage))
  const verdict = findings.length === 0 ? 'clean' : 'drift'
  return { source: 'runtime', verdict, findings, noise: 0 }
}

async function readFacts(options: RuntimeOptions): Promise<RuntimeFacts> {
  const { sql, redis, builtIn, imageDigest } = options
  const stored = (await readSchedules(sql)).map((row) => ({
    ...{ ...definitionIn(row), name: row.name, isPaused: row.pausedAt !== null },
  }))
  return {
    processes: await readProcesses(sql),
    imageDigest,
    schedules: { builtIn, stored },
    rights: { expected: expectedRights, found: await readRights(sql) },
    redisProblems: redis && (await readRedisProblems(redis)),
    secrets: await readSecrets(sql),
  }
}

const processRows = z.array(
  z.object({
    role: z.string(),
    host: z.string(),
    version: z.string(),
    imageDigest: z.string().nullable(),
    accessInForce: z.string().nullable(),
    accessOnDisk: z.string().nullable(),
    isSettled: z.boolean(),
  }),
)

async function readProcesses(sql: Sql): Promise<RuntimeFacts['processes']> {
  return processRows.parse(
    await sql`
      select role, host, version, image_digest as "imageDigest",
        access_in_force as "accessInForce", access_on_disk as "accessOnDisk",
        started_at < now() - make_interval(mins => ${rolloutMinutes}) as "isSettled"
      from postern_process where seen_at > now() - make_interval(secs => ${liveSeconds})
      order by role, host`,
  )
}

/** What a start would be refused for is a finding; a server that does not answer is none. */
async function readRedisProblems(redis: Redis | Cluster): Promise<readonly string[]> {
  try {
    await checkRedis(redis)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems
  }
}

const secretRows = z.array(
  z.object({ name: z.string(), current: z.string(), process: z.string(), proved: z.string() }),
)

/** While a rotation is under way, who is behind is its own matter. */
async function readSecrets(sql: Sql): Promise<RuntimeFacts['secrets']> {
  return secretRows.parse(
    await sql`
      select s.name, s.current_version as current, p.role || '@' || p.host as process,
        a.version as proved
      from postern_secret s join postern_secret_ack a on a.name = s.name
        join postern_process p on p.id = a.process
      where p.seen_at > now() - make_interval(secs => ${liveSeconds})
        and p.started_at < now() - make_interval(mins => 1)
        and not exists (
          select from postern_secret_rotation r where r.name = s.name and r.ended_at is null)
      order by s.name, process`,
  )
}
