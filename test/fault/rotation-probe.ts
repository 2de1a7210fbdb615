import { Redis } from 'ioredis'
import postgres from 'postgres'
import { connectUnproved } from '#core/job/redis-connect.ts'
import { databaseSecret, type RotationStage, redisSecret } from './rotation-stage.ts'

const probeMs = 100

/** Every 100 ms: of each secret one of the versions that may be in force lets its holder in. */
export function startProbe(
  stage: Pick<RotationStage, 'sql' | 'store'>,
  names: readonly string[] = [databaseSecret, redisSecret],
) {
  let probes = 0
  const locked: string[] = []
  let isOver = false

  async function logsIn(name: string, version: string | null): Promise<boolean> {
    const members = await stage.store.read(name, version ?? '').catch(() => undefined)
    const url = members?.['url']
    if (url === undefined) return false
    return await (name === redisSecret ? isLetInAtRedis(url) : isLetInAtPostgres(url))
  }

  async function look(name: string): Promise<void> {
    const [pointer] = await stage.sql<{ current: string; previous: string | null }[]>`
      select current_version as current, previous_version as previous from postern_secret
      where name = ${name}`
    const versions = [pointer?.current ?? '', pointer?.previous ?? '']
    const lets = await Promise.all(versions.map((version) => logsIn(name, version)))
    probes += 1
    if (!lets.includes(true)) locked.push(`neither credential of ${name} was let in`)
  }

  async function run(): Promise<void> {
    while (!isOver) {
      await Promise.all([...names.map(look), Bun.sleep(probeMs)])
    }
  }

  const running = run().catch((error: unknown) => void locked.push(String(error)))
  return {
    async stop() {
      isOver = true
      await running
      return { probes, locked }
    },
  }
}

async function isLetInAtPostgres(url: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    await sql`select 1`
    return true
  } catch {
    return false
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function isLetInAtRedis(url: string): Promise<boolean> {
  const { username, password } = new URL(url)
  const connection = connectUnproved({ url, mode: 'development' })
  try {
    await connection.connect()
    await connection.auth(username, password)
    return true
  } catch {
    return false
  } finally {
    connection.disconnect()
  }
}

/** Connections that a user has open. */
export async function redisSessions(url: string, user: string): Promise<number> {
  const admin = new Redis(url)
  try {
    const list = String(await admin.call('CLIENT', 'LIST'))
    return list.split('\n').filter((line) => line.includes(` user=${user} `)).length
  } finally {
    admin.disconnect()
  }
}
