import { chmod, mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres, { type Sql } from 'postgres'
import { generateSignerKey } from '#core/audit/note/signer.ts'
import { answering } from '#test/support/answering.ts'
import { type PostgresServer, startPostgres } from '#test/support/postgres-server.ts'
import { type RedisServer, startRedis } from '#test/support/redis-server.ts'
import { freePort, removeAtExit } from '#test/support/server-process.ts'
import { openWays } from '#test/support/toxiproxy.ts'
import type { StageWay } from '../flags.ts'
import { openAccounts } from './accounts.ts'
import { makeCallers } from './callers.ts'
import { type CpuTimes, cpuTimes } from './cpu-times.ts'
import { type Feeder, startFeeder } from './feeder.ts'
import { type Launched, launch } from './launch.ts'

const readyMsMax = 60_000

/** Where the load is played, and where its books are read. */
export type TradingStage = {
  readonly url: string
  /** Which Postern it is. */
  readonly way: string
  readonly tokensFile: string
  readonly operatorToken: string
  readonly sql: Sql
  readonly feeder: Feeder
  /** What its processes have spent so far. */
  cpu(): Promise<CpuTimes>
  close(): Promise<void>
}

export type LoadStage = TradingStage & {
  readonly postgres: PostgresServer
  readonly redis: RedisServer
  readonly postern: Launched
  /** Each answer of Postgres takes so many milliseconds longer from now on. */
  delayDatabase(ms: number): Promise<void>
}

export type StageOptions = {
  readonly way: StageWay
  readonly accounts: number
  readonly symbols: readonly string[]
  readonly say: (line: string) => void
  /** Whether `limitCpu` will be called. */
  readonly isHeld?: boolean
  /** Whether `delayDatabase` will be called. */
  readonly isDelayed?: boolean
}

/** Postern on a real Redis and Postgres of its own, with accounts and a market that never closes. */
export async function openLoadStage(options: StageOptions): Promise<LoadStage> {
  const { accounts, symbols, say, isDelayed = false } = options
  const stack = new AsyncDisposableStack()
  try {
    const folder = await mkdtemp(join(tmpdir(), 'postern-load-'))
    removeAtExit(folder)
    await chmod(folder, 0o755)
    await mkdir(join(folder, 'audit'))
    say('starting Redis and Postgres')
    const server = stack.adopt(await startPostgres(), (one) => one.stop('immediate'))
    const redis = stack.adopt(await startRedis(), (one) => one.stop('SIGKILL'))
    const callers = await makeCallers(folder, accounts)
    const port = await freePort()
    const databaseUrl = new URL(server.url)
    const ways = isDelayed ? stack.adopt(await openWays(), (one) => one.stop()) : undefined
    const way = await ways?.to('postgres', server.port)
    if (way !== undefined) databaseUrl.port = String(way.port)
    const environment = await settings({ folder, port, redisUrl: redis.url, ...callers })
    const postern = stack.adopt(
      await launch({
        ...options,
        folder,
        isHeld: options.isHeld === true,
        environment: { ...environment, POSTERN_DATABASE_URL: databaseUrl.href },
      }),
      (one) => one.stop(),
    )
    say(`running ${postern.way}, ${accounts} accounts`)
    const sql = stack.adopt(openSql(server.url), (one) => one.end({ timeout: 1 }))
    await openAccounts(sql, accounts)
    const url = `http://127.0.0.1:${port}`
    await answering(`${url}/healthz`)
    const target = { url, token: callers.operatorToken }
    const feeder = stack.adopt(await startFeeder(target, symbols), (one) => one.stop())
    await applied(sql, symbols.length)
    return {
      ...{ url, sql, redis, postern, feeder, way: postern.way, postgres: server },
      ...{ tokensFile: callers.tokensFile, operatorToken: callers.operatorToken },
      async delayDatabase(ms) {
        if (way === undefined) throw new Error('this stage was opened without a way to delay')
        await way.heal()
        if (ms > 0) await way.delay(ms)
      },
      cpu: () => cpuTimes({ postern: [postern.pid], postgres: server.pid }),
      close: () => stack.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

/** Its name tells samplers which connections are ours. */
function openSql(url: string): Sql {
  const connection = { application_name: 'postern-load' }
  return postgres(url, { max: 2, onnotice: () => undefined, connection })
}

async function settings(from: {
  readonly folder: string
  readonly port: number
  readonly redisUrl: string
  readonly accessFile: string
}): Promise<Record<string, string>> {
  const origin = 'log.postern.example/load'
  return {
    POSTERN_MODE: 'development',
    POSTERN_LOG_LEVEL: 'error',
    POSTERN_REDIS_URL: from.redisUrl,
    POSTERN_ACCESS_FILE: from.accessFile,
    POSTERN_LISTEN_ADDRESS: '127.0.0.1',
    POSTERN_LISTEN_PORT: String(from.port),
    POSTERN_PROBE_PORT: String(await freePort()),
    POSTERN_SEQUENCER_PROBE_PORT: String(await freePort()),
    POSTERN_ROTATOR_PROBE_PORT: String(await freePort()),
    POSTERN_DATA_DIRECTORY: from.folder,
    POSTERN_AUDIT_ORIGIN: origin,
    POSTERN_AUDIT_KEYS: generateSignerKey(origin, 'ed25519').signerKey,
    POSTERN_AUDIT_STORE: join(from.folder, 'audit'),
  }
}

/** The workers have taken the market to the desk: before that every order would lack a price. */
export async function applied(sql: Sql, symbols: number): Promise<void> {
  const deadline = Date.now() + readyMsMax
  for (;;) {
    const [row] = await sql<{ known: number }[]>`
      select count(*)::integer as known from postern_instrument
      where statistics ->> 'toldQuoteMs' is not null
        and statistics ->> 'meanBarVolume' is not null`
    if (row?.known === symbols) return
    if (Date.now() > deadline) throw new Error('the market was never applied')
    await Bun.sleep(100)
  }
}
