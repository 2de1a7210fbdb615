import { expect } from 'bun:test'
import type { Server } from 'node:net'
import type { Sql } from 'postgres'
import { type ConnectOptions, connectPostgres } from '#core/postgres/connect.ts'
import { databaseOutage } from '#core/postgres/outage.ts'
import { type PostgresServer, startPostgres } from '#test/support/postgres-server.ts'

/** Longer than any reconnection takes, shorter than a test may. */
export const recoveryMs = 10_000

const opened: Sql[] = []
const started: PostgresServer[] = []

export async function endPools(): Promise<void> {
  await Promise.all(opened.map((sql) => sql.end({ timeout: 1 })))
  await Promise.all(started.map((server) => server.stop('immediate')))
}

export async function start(
  options: Parameters<typeof startPostgres>[0] = {},
): Promise<PostgresServer> {
  const server = await startPostgres(options)
  started.push(server)
  return server
}

export function connect(options: Partial<ConnectOptions> & { readonly url: string }): Sql {
  const sql = connectPostgres({
    mode: 'development',
    applicationName: 'connect test',
    max: 4,
    ...options,
  })
  opened.push(sql)
  return sql
}

/** What the query was refused with, for the log; undefined when it was answered. */
export async function refusalOf(sql: Sql): Promise<string | undefined> {
  try {
    await sql`select 1`
    return undefined
  } catch (error) {
    const outage = databaseOutage(error)
    if (outage === undefined) throw error
    expect(outage).toMatchObject({ code: 'database.unavailable', retryAfterSeconds: 1 })
    return outage.reason
  }
}

export function portOf(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}

export async function recovered(sql: Sql): Promise<void> {
  const deadline = performance.now() + recoveryMs
  while ((await refusalOf(sql)) !== undefined) {
    if (performance.now() > deadline) throw new Error('the pool did not recover')
    await Bun.sleep(10)
  }
}
