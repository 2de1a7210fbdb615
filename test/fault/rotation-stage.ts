import { chmod, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres, { type Sql } from 'postgres'
import type { AccessDocument } from '#core/access/access-file.ts'
import { freshIssuerKeys } from '#core/access/issuer-keys.ts'
import { fileSecretStore, writeFileSecret } from '#core/secret/file-secret-store.ts'
import type { SecretStore } from '#core/secret/secret-store.ts'
import { writeKeyFile } from '#test/secret/key-file.ts'
import { startPostgres } from '#test/support/postgres-server.ts'
import { startRedis } from '#test/support/redis-server.ts'
import { freePort, removeAtExit, runCommand } from '#test/support/server-process.ts'
import { benchAccess } from '../bench/bench-access.ts'
import { untilAnswered } from '../bench/http-load.ts'

const mainFile = join(import.meta.dir, '../../main.ts')
export const users = ['app_a', 'app_b'] as const
export const redisUsers = ['red_a', 'red_b'] as const
export const databaseSecret = 'postern/database'
export const redisSecret = 'postern/redis'
export const issuerSecret = 'postern/issuer'
export const localIssuer = 'https://postern.example'
/** Seconds, so short that a rotation of the issuer's key waits for the leeway and little more. */
export const issuerTimes = { ttlSeconds: 5, jwksMaxAgeSeconds: 2 }

/** The first of the two users; the second is made by its first turn. */
const acl = `user default on nopass ~* &* +@all
user ${redisUsers[0]} on >first ~* &* +@all
`

/** Only those who are rotated need their passwords. */
const hba = `host all ${users.join()} 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
`

function issuerEnv(ttlSeconds: number) {
  return {
    POSTERN_ISSUER: localIssuer,
    POSTERN_ISSUER_KEYS: `secret:${issuerSecret}#current`,
    POSTERN_ISSUER_TTL_SECONDS: String(ttlSeconds),
    POSTERN_JWKS_MAX_AGE_SECONDS: String(issuerTimes.jwksMaxAgeSeconds),
  }
}

export type RotationStageOptions = {
  /** Who may call; without it one caller of a bench. */
  readonly access?: { readonly document: AccessDocument; readonly token: string }
  /** Of tokens of the local issuer. */
  readonly ttlSeconds?: number
  /** What the processes reach Postgres through, by its own port. */
  readonly through?: (port: number) => Promise<number>
}

type Side = 'serve' | 'work' | 'rotator'
export type RotationStage = Awaited<ReturnType<typeof openRotationStage>>

/** Gateways and workers on servers of their own; their logins are secrets in a file store. */
export async function openRotationStage(options: RotationStageOptions = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'postern-rotation-'))
  removeAtExit(folder)
  await chmod(folder, 0o755)
  await writeFile(join(folder, 'pg_hba.conf'), hba)
  const aclFile = join(folder, 'users.acl')
  await writeFile(aclFile, acl)
  const [server, redis] = await Promise.all([
    startPostgres({ settings: [`hba_file=${join(folder, 'pg_hba.conf')}`] }),
    startRedis({ args: ['--aclfile', aclFile] }),
  ])
  const sql = postgres(server.url, { max: 4, onnotice: () => undefined })
  const access = options.access ?? (await benchAccess(localIssuer))
  const accessFile = join(folder, 'access.json')
  await writeFile(accessFile, JSON.stringify(access.document))
  const database = withPort(server.url, (await options.through?.(server.port)) ?? server.port)
  const { store, storeEnv } = await fileStore(folder, { database, redis: redis.url })
  const base = {
    POSTERN_MODE: 'development',
    POSTERN_LOG_LEVEL: 'warn',
    POSTERN_ACCESS_FILE: accessFile,
    POSTERN_LISTEN_ADDRESS: '127.0.0.1',
    POSTERN_DATA_DIRECTORY: folder,
    ...issuerEnv(options.ttlSeconds ?? issuerTimes.ttlSeconds),
    ...storeEnv,
  }
  const owner = { ...base, POSTERN_DATABASE_URL: server.url, POSTERN_REDIS_URL: redis.url }
  await command(owner, ['migrate'])
  await makeLogins(sql)

  const sides: Bun.Subprocess[] = []
  async function start(name: Side, more: Record<string, string> = {}) {
    const [port, probePort] = await Promise.all([freePort(), freePort()])
    const login = name === 'rotator' ? 'postern/rotator' : databaseSecret
    const child = Bun.spawn([process.execPath, mainFile, name], {
      env: {
        ...{ ...base, POSTERN_DATABASE_URL: `secret:${login}#url` },
        POSTERN_REDIS_URL: `secret:${redisSecret}#url`,
        ...{ POSTERN_LISTEN_PORT: String(port), POSTERN_PROBE_PORT: String(probePort) },
        ...{ POSTERN_ROTATOR_PROBE_PORT: String(probePort), ...more },
      },
      stdout: 'inherit',
      stderr: 'inherit',
    })
    sides.push(child)
    const url = `http://127.0.0.1:${name === 'serve' ? port : probePort}`
    await untilAnswered(`${url}/healthz`)
    return { url, signal: (signal: NodeJS.Signals) => child.kill(signal) }
  }

  return {
    ...{
      sql,
      redisUrl: redis.url,
      databaseUrl: server.url,
      store,
      token: access.token,
      start,
      pids: () => sides.map(({ pid }) => pid),
    },
    postern: (args: readonly string[]) => command(owner, args),
    tryPostern: (args: readonly string[]) => outcome(owner, args),
    async close() {
      for (const side of sides) side.kill('SIGKILL')
      await sql.end({ timeout: 1 })
      await redis.stop('SIGKILL')
      await server.stop('immediate')
    },
  }
}

export function withPort(text: string, port: number): string {
  const url = new URL(text)
  url.port = String(port)
  return url.href
}

/** How each of the three secrets is rotated; known only once a process uses them. */
export async function describeSecrets({ postern }: Pick<RotationStage, 'postern'>): Promise<void> {
  await postern(['secrets', 'set-rotation', issuerSecret, '--kind', 'issuer-key'])
  await postern([
    ...['secrets', 'set-rotation', databaseSecret, '--kind', 'postgres-role'],
    ...['--users', users.join(), '--admin', 'secret:postern/rotator#url'],
  ])
  await postern([
    ...['secrets', 'set-rotation', redisSecret, '--kind', 'redis-user'],
    ...['--users', redisUsers.join(), '--admin', 'secret:postern/redis-admin#url'],
  ])
}

async function fileStore(
  folder: string,
  servers: { readonly database: string; readonly redis: string },
): Promise<{ readonly store: SecretStore; readonly storeEnv: Record<string, string> }> {
  const files = { secretFile: join(folder, 'secrets'), keyFile: join(folder, 'key') }
  await writeKeyFile(files.keyFile)
  await writeFileSecret({ ...files, name: issuerSecret, members: await freshIssuerKeys() })
  const put = (name: string, value: string) =>
    writeFileSecret({ ...files, name, members: { url: value } })
  await put(databaseSecret, asUser(servers.database, users[0]))
  await put('postern/rotator', servers.database)
  await put(redisSecret, asUser(servers.redis, redisUsers[0]))
  await put('postern/redis-admin', servers.redis)
  return {
    store: fileSecretStore(files),
    storeEnv: {
      POSTERN_SECRET_STORE: 'file',
      POSTERN_SECRET_FILE: files.secretFile,
      POSTERN_SECRET_BOOTSTRAP_FILE: files.keyFile,
    },
  }
}

function asUser(server: string, user: string): string {
  const url = new URL(server)
  ;[url.username, url.password] = [user, 'first']
  return url.href
}

async function makeLogins(sql: Sql): Promise<void> {
  await sql.unsafe(`create role ${users[0]} login password 'first'`)
  await sql.unsafe(`grant postern_gateway, postern_worker to ${users[0]}`)
}

/** For a command that may have to be asked again. */
async function outcome(env: Record<string, string>, args: readonly string[]) {
  const child = Bun.spawn([process.execPath, mainFile, ...args], {
    ...{ env, stdin: 'ignore', stdout: 'pipe', stderr: 'ignore' },
  })
  const [code, out] = await Promise.all([child.exited, new Response(child.stdout).text()])
  return { code, out }
}

async function command(env: Record<string, string>, args: readonly string[]): Promise<string> {
  const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  return await runCommand(['env', '-i', ...pairs, process.execPath, mainFile, ...args])
}
