import { readdir, readFile } from 'node:fs/promises'
import { Redis } from 'ioredis'
import { type Sampled, sampleEverySeconds } from '../soak-verdicts.ts'
import { familyOf, nameOf } from './processes.ts'
import type { LoadStage } from './stage.ts'

const everyMs = sampleEverySeconds * 1_000
/** The kernel adds up pages for it: not with each look. */
const looksPerShare = 5
const bytesPerMib = 1_048_576
const kibPerMib = 1_024

export type Sampler = {
  readonly samples: () => readonly Sampled[]
  stop(): Promise<void>
}

type Series = Omit<Sampled, 'points'> & { readonly points: [number, number][] }

/** Memory, descriptors and connections of everything on a stage, each second. */
export function startSampler(stage: LoadStage): Sampler {
  const startedAt = performance.now()
  const series = new Map<string, Series>()
  const stop = Promise.withResolvers<'stopped'>()
  const redis = new Redis(stage.redis.url)
  let looks = 0

  function note(name: string, unit: Sampled['unit'], value: number, isJudged: boolean): void {
    const key = `${name} ${unit}`
    const line = series.get(key) ?? { name, unit, isJudged, points: [] }
    line.points.push([(performance.now() - startedAt) / 1_000, value])
    series.set(key, line)
  }

  async function look(): Promise<void> {
    for (const pid of await familyOf(stage.postern.pid)) {
      const name = await nameOf(pid)
      if (name === undefined) continue
      note(name, 'MiB', await rssMib(pid), true)
      note(name, 'descriptors', await descriptors(pid), true)
    }
    if (looks % looksPerShare === 0) {
      const backends = await familyOf(stage.postgres.pid)
      const shares = await Promise.all(backends.map(pssMib))
      const all = shares.reduce((sum, one) => sum + one, 0)
      note('postgres', 'MiB', all, false)
    }
    looks += 1
    note('redis', 'MiB', await redisMib(redis), false)
    note('postgres', 'connections', await postgresConnections(stage), true)
    note('redis', 'connections', await redisConnections(redis), true)
  }

  const sampling = (async () => {
    for (let next = everyMs; ; next += everyMs) {
      await look().catch(() => undefined)
      const pauseMs = Math.max(0, next - (performance.now() - startedAt))
      if ((await Promise.race([stop.promise, Bun.sleep(pauseMs)])) === 'stopped') return
    }
  })()

  return {
    samples: () => [...series.values()],
    async stop() {
      stop.resolve('stopped')
      await sampling
      redis.disconnect()
    },
  }
}

async function rssMib(pid: number): Promise<number> {
  return await kibIn(`/proc/${pid}/status`, 'VmRSS')
}

/** Its part of what it shares: the buffers of Postgres are counted once. */
async function pssMib(pid: number): Promise<number> {
  return await kibIn(`/proc/${pid}/smaps_rollup`, 'Pss').catch(() => 0)
}

async function kibIn(file: string, name: string): Promise<number> {
  const text = await readFile(file, 'utf8')
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / kibPerMib
}

async function descriptors(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length
}

/** But for our own two. */
async function postgresConnections({ sql }: LoadStage): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::integer as count from pg_stat_activity
    where backend_type = 'client backend' and usename is not null
      and application_name <> 'postern-load'`
  return row?.count ?? 0
}

async function redisMib(redis: Redis): Promise<number> {
  return numberIn(await redis.info('memory'), 'used_memory_rss') / bytesPerMib
}

/** But for our own. */
async function redisConnections(redis: Redis): Promise<number> {
  return numberIn(await redis.info('clients'), 'connected_clients') - 1
}

function numberIn(text: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1] ?? 0)
}
