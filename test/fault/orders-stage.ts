import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres, { type Sql } from 'postgres'
import { developmentIssuer } from '#core/access/access-file.ts'
import { answering } from '#test/support/answering.ts'
import { developerAccess } from '#test/support/developer-access.ts'
import { type PostgresServer, startPostgres } from '#test/support/postgres-server.ts'
import { startRedis } from '#test/support/redis-server.ts'
import { freePort, removeAtExit, runCommand } from '#test/support/server-process.ts'

const scopes = ['orders:write', 'market:write', 'market:read', 'jobs:read']
const subject = 'fault-test'
const mainFile = join(import.meta.dir, '../../main.ts')
const workerFile = join(import.meta.dir, 'order-worker.ts')
const startingCash = '1000000000'
export const accounts = ['alpha', 'bravo', 'charlie', 'delta'] as const

/** Wide enough that an order is denied because it should be, and not because there are many. */
const limits = {
  notional_max: '10000000',
  notional_per_minute_max: '1000000000000',
  open_orders_max: '1000000',
  position_max: '10000000',
  duplicate_window_ms: '0',
  size_by_volatility: '0',
  messages_per_second: '100000',
}

export type OrdersStage = {
  readonly postgres: PostgresServer
  /** Looks at what Postgres holds, from outside. */
  readonly sql: Sql
  readonly url: string
  readonly token: string
  worker(args: readonly string[]): Bun.Subprocess<'ignore', 'pipe', 'inherit'>
  close(): Promise<void>
}

/** Servers and a gateway of its own, four accounts of a replayed market without an index. */
export async function openOrdersStage(): Promise<OrdersStage> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-fault-orders-'))
  removeAtExit(folder)
  const [server, redis] = await Promise.all([startPostgres(), startRedis()])
  const { accessFile, token } = await developerAccess(folder, {
    subject,
    scopes,
    ttlSeconds: 7_200,
  })
  const port = await freePort()
  const env = {
    POSTERN_MODE: 'development',
    POSTERN_LOG_LEVEL: 'silent',
    POSTERN_DATABASE_URL: server.url,
    POSTERN_REDIS_URL: redis.url,
    POSTERN_ACCESS_FILE: accessFile,
    POSTERN_LISTEN_ADDRESS: '127.0.0.1',
    POSTERN_LISTEN_PORT: String(port),
    POSTERN_DATA_DIRECTORY: folder,
  }
  const sides = new Set<Bun.Subprocess>()
  process.once('exit', () => {
    for (const side of sides) side.kill('SIGKILL')
  })
  const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  await runCommand(['env', '-i', ...pairs, process.execPath, mainFile, 'migrate'])
  const sql = postgres(server.url, { max: 4, onnotice: () => undefined, backoff: () => 0.1 })
  await openAccounts(sql)
  const url = `http://127.0.0.1:${port}`
  const serving = [process.execPath, mainFile, 'serve']
  sides.add(Bun.spawn(serving, { env, stdout: 'inherit', stderr: 'inherit' }))
  await answering(`${url}/healthz`)
  return {
    ...{ postgres: server, sql, url, token },
    worker(args) {
      const child = Bun.spawn([process.execPath, workerFile, ...args], {
        env,
        stdin: 'ignore',
        stdout: 'pipe',
        stderr: 'inherit',
      })
      sides.add(child)
      void child.exited.then(() => sides.delete(child))
      return child
    },
    async close() {
      for (const side of sides) side.kill('SIGKILL')
      await sql.end({ timeout: 1 })
      await redis.stop('SIGKILL')
      await server.stop('immediate')
    },
  }
}

async function openAccounts(sql: Sql): Promise<void> {
  await sql`update postern_market set index_symbol = null, volatility_symbol = null`
  for (const id of accounts) {
    await sql`
      insert into postern_account (id, venue, clock, starting_cash, cash, is_short_allowed)
      values (${id}, 'paper', 'replay', ${startingCash}, ${startingCash}, true)`
    await sql`
      insert into postern_account_trader (account, issuer, subject)
      values (${id}, ${developmentIssuer}, ${subject})`
    for (const [name, value] of Object.entries(limits)) {
      await sql`
        insert into postern_limit (scope, key, name, value, changed_by)
        values ('account', ${id}, ${name}, ${value}, 'fault-test')`
    }
  }
}
