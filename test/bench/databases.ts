import { Redis } from 'ioredis'
import postgres from 'postgres'
import { migrate } from '#core/postgres/migrate.ts'
import { startPostgres } from '#test/support/postgres-server.ts'
import { startRedis } from '#test/support/redis-server.ts'

const dispatchedMsMax = 10_000

export type Databases = { readonly postgresUrl: string; readonly redisUrl: string }

/** Servers of the bench's own: Postgres syncs every commit, Redis keeps nothing on disk. */
export async function startDatabases(): Promise<Databases & { close(): Promise<void> }> {
  const [postgresServer, redisServer] = await Promise.all([startPostgres(), startRedis()])
  await createTables(postgresServer.url)
  return {
    postgresUrl: postgresServer.url,
    redisUrl: redisServer.url,
    async close() {
      await redisServer.stop('SIGKILL')
      await postgresServer.stop('immediate')
    },
  }
}

/** Between rounds: a backlog slows every side down, and a subject may only have so many jobs. */
export async function emptyDatabases({ postgresUrl, redisUrl }: Databases): Promise<void> {
  const sql = postgres(postgresUrl, { max: 1 })
  await sql`truncate postern_job, postern_outbox, postern_audit_intake`
  await sql.end()
  const redis = new Redis(redisUrl)
  await redis.flushall()
  redis.disconnect()
}

/** What was accepted is with the engine too, and shortly after: else the speed was borrowed. */
export async function untilDispatched({ postgresUrl }: Databases): Promise<void> {
  const sql = postgres(postgresUrl, { max: 1 })
  const startedAt = performance.now()
  for (;;) {
    const [row] = await sql<{ left: number }[]>`
      select count(*)::integer as left from postern_outbox`
    if (row?.left === 0) break
    if (performance.now() - startedAt > dispatchedMsMax) {
      throw new Error(`${row?.left} left in the outbox`)
    }
    await Bun.sleep(20)
  }
  await sql.end()
}

async function createTables(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  await migrate({ sql, queue: 'redis' })
  await sql.end()
}
