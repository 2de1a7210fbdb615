import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres, { type Sql } from 'postgres'
import { swap } from '#test/score/swaps.ts'
import { base58, randomNumbers } from '#test/score/synthetic-wallets.ts'
import { answering } from '#test/support/answering.ts'
import { developerAccess } from '#test/support/developer-access.ts'
import { type PostgresServer, startPostgres } from '#test/support/postgres-server.ts'
import { type RedisServer, startRedis } from '#test/support/redis-server.ts'
import { freePort, removeAtExit, runCommand } from '#test/support/server-process.ts'

const scopes = [
  ...['jobs:write:scoring', 'jobs:read', 'jobs:cancel', 'jobs:retry'],
  ...['queues:read', 'queues:admin', 'metrics:read', 'incidents:read'],
]
const mainFile = join(import.meta.dir, '../../main.ts')

export type Side = {
  readonly pid: number
  kill(): Promise<void>
  /** SIGTERM; the exit code. */
  end(): Promise<number>
}

export type Stage = {
  readonly postgres: PostgresServer
  readonly redis: RedisServer
  /** Looks at what Postgres holds, from outside. */
  readonly sql: Sql
  readonly url: string
  readonly token: string
  /** So many gateways on one port; the side is their supervisor, if they are several. */
  serve(processes?: number): Promise<Side>
  /** As `serve` in another terminal: the exit code, and what it said. */
  serveInVain(): Promise<{ readonly code: number; readonly said: string }>
  work(): Promise<Side>
  close(): Promise<void>
}

/** Servers of its own and the real commands as processes, each to be killed at will. */
export async function openStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-fault-'))
  removeAtExit(folder)
  const [server, redis] = await Promise.all([startPostgres(), startRedis()])
  const caller = { subject: 'fault-test', scopes, ttlSeconds: 3_600 }
  const { accessFile, token } = await developerAccess(folder, caller)
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
  const start = async (command: readonly string[], probe: string, more = {}) => {
    const child = Bun.spawn([process.execPath, mainFile, ...command], {
      env: { ...env, ...more },
      stdout: 'inherit',
      stderr: 'inherit',
    })
    sides.add(child)
    await answering(`${probe}/healthz`)
    return {
      pid: child.pid,
      async kill() {
        child.kill('SIGKILL')
        await child.exited
        sides.delete(child)
      },
      async end() {
        child.kill('SIGTERM')
        const code = await child.exited
        sides.delete(child)
        return code
      },
    }
  }
  await migrated(env)
  const sql = postgres(server.url, { max: 2, onnotice: () => undefined, backoff: () => 0.1 })
  const url = `http://127.0.0.1:${port}`
  return {
    postgres: server,
    redis,
    sql,
    url,
    token,
    serve: (processes = 1) => start(['serve', '--processes', String(processes)], url),
    async serveInVain() {
      const command = [process.execPath, mainFile, 'serve', '--processes', '2']
      const child = Bun.spawn(command, { env, stdout: 'ignore', stderr: 'pipe' })
      const said = await new Response(child.stderr).text()
      return { code: await child.exited, said }
    },
    async work() {
      const probePort = await freePort()
      return await start(['work'], `http://127.0.0.1:${probePort}`, {
        POSTERN_PROBE_PORT: String(probePort),
      })
    },
    async close() {
      for (const side of sides) side.kill('SIGKILL')
      await sql.end({ timeout: 1 })
      await redis.stop('SIGKILL')
      await server.stop('immediate')
    },
  }
}

async function migrated(env: Record<string, string>): Promise<void> {
  const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  await runCommand(['env', '-i', ...pairs, process.execPath, mainFile, 'migrate'])
}

/** Requests that each score a wallet of its own, the same ones for the same seed. */
export function scoreRequests(seed: number, swapsEach: number): () => string {
  const random = randomNumbers(seed)
  return () => {
    const swaps = Array.from({ length: swapsEach }, () => swap({ signature: base58(random, 64) }))
    return JSON.stringify({ payload: { wallet: base58(random, 32), swaps, endDate: '2025-06-01' } })
  }
}

/** Posts once; undefined when nobody answered. */
export async function post(
  stage: Pick<Stage, 'url' | 'token'>,
  path: string,
  options: { readonly body?: string; readonly key?: string } = {},
): Promise<Response | undefined> {
  const { body, key } = options
  return await fetch(`${stage.url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${stage.token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    ...(body === undefined ? {} : { body }),
    signal: AbortSignal.timeout(10_000),
  }).catch(() => undefined)
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
