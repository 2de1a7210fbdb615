import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres, { type Sql } from 'postgres'
import type { AccessDocument } from '#core/access/access-file.ts'
import { freshIssuerKeys } from '#core/access/issuer-keys.ts'
import { generateSignerKey } from '#core/audit/note/signer.ts'
import { fileSecretStore, writeFileSecret } from '#core/secret/file-secret-store.ts'
import type { SecretMembers } from '#core/secret/secret-store.ts'
import { writeKeyFile } from '#test/secret/key-file.ts'
import { startPostgres } from '#test/support/postgres-server.ts'
import { startRedis } from '#test/support/redis-server.ts'
import { freePort, removeAtExit, runCommand } from '#test/support/server-process.ts'
import { benchAccess } from '../bench/bench-access.ts'

const mainFile = join(import.meta.dir, '../../main.ts')
export const users = ['app_a', 'app_b'] as const
export const redisUsers = ['red_a', 'red_b'] as const
export const databaseSecret = 'postern/database'
export const redisSecret = 'postern/redis'
export const issuerSecret = 'postern/issuer'
export const webhookSecret = 'postern/webhook'
export const auditSecret = 'postern/audit'
export const hookSecret = 'desk/hook'
export const hookToken = 'of-the-hook'
/** Keys that nobody here uses, without a hook and with one. */
export const apiSecrets = ['desk/feed', 'desk/hooked'] as const
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

const logName = 'log.postern.example/rotation'

type SideName = 'serve' | 'work' | 'rotator' | 'sequence'

/** A process, and where it answers: its own port, and the one of its probes. */
export type RotationSide = {
  readonly child: Bun.Subprocess
  /** The gateway's requests; the probes of the others. */
  readonly url: string
  readonly probeUrl: string
  signal(signal: NodeJS.Signals): void
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

export type RotationStageOptions = {
  /** Who may call; without it one caller of a bench. */
  readonly access?: { readonly document: AccessDocument; readonly token: string }
  /** Of tokens of the local issuer. */
  readonly ttlSeconds?: number
  /** Where every process finds Postgres; by itself, where the server is. */
  readonly throughDatabase?: (serverUrl: string) => Promise<string>
  /** Where a rotator finds a server. */
  readonly through?: (serverUrl: string) => Promise<string>
  readonly rotatorEnv?: Readonly<Record<string, string>>
  readonly postgresEnvironment?: Readonly<Record<string, string>>
  readonly logLevel?: 'warn' | 'error' | 'silent'
}

const startsMax = 3

/** Milliseconds to start in, on a machine that does much else. */
const startMsMax = 120_000
const lookMs = 50

async function answering(url: string): Promise<'answers' | 'too late'> {
  const giveUpAt = performance.now() + startMsMax
  while (performance.now() < giveUpAt) {
    const answer = await fetch(url).catch(() => undefined)
    await answer?.arrayBuffer()
    if (answer?.ok === true) return 'answers'
    await Bun.sleep(lookMs)
  }
  return 'too late'
}

const straight = (serverUrl: string) => Promise.resolve(serverUrl)

export type RotationStage = Awaited<ReturnType<typeof openRotationStage>>

/** Processes on servers of their own; their logins are secrets in a file store. */
export async function openRotationStage(options: RotationStageOptions = {}) {
  const { through = straight, throughDatabase = straight, rotatorEnv = {} } = options
  const { ttlSeconds = issuerTimes.ttlSeconds, postgresEnvironment = {} } = options
  const folder = await mkdtemp(join(tmpdir(), 'postern-rotation-'))
  removeAtExit(folder)
  await chmod(folder, 0o755)
  await writeFile(join(folder, 'pg_hba.conf'), hba)
  const aclFile = join(folder, 'users.acl')
  await writeFile(aclFile, acl)
  const [server, redis] = await Promise.all([
    startPostgres({
      settings: [`hba_file=${join(folder, 'pg_hba.conf')}`],
      environment: postgresEnvironment,
    }),
    startRedis({ args: ['--aclfile', aclFile] }),
  ])
  const sql = postgres(server.url, { max: 4, onnotice: () => undefined })
  const access = options.access ?? (await benchAccess(localIssuer))
  const accessFile = join(folder, 'access.json')
  await writeFile(accessFile, JSON.stringify(access.document))
  const database = await throughDatabase(server.url)
  const rotatorUrl = await through(database)
  const { files, put, store, storeEnv } = await fileStore(folder, {
    ...{ database, redis: redis.url },
    ...{ databaseAdmin: await through(database), redisAdmin: await through(redis.url) },
  })
  const base = {
    POSTERN_MODE: 'development',
    POSTERN_LOG_LEVEL: options.logLevel ?? 'warn',
    POSTERN_ACCESS_FILE: accessFile,
    POSTERN_LISTEN_ADDRESS: '127.0.0.1',
    POSTERN_DATA_DIRECTORY: folder,
    ...issuerEnv(ttlSeconds),
    ...storeEnv,
  }
  const owner = {
    ...{ ...base, ...rotatorEnv, POSTERN_DATABASE_URL: server.url },
    POSTERN_REDIS_URL: redis.url,
  }
  const follower = {
    POSTERN_DATABASE_URL: `secret:${databaseSecret}#url`,
    POSTERN_REDIS_URL: `secret:${redisSecret}#url`,
  }
  await command(owner, ['migrate'])
  await makeLogins(sql)

  const sides: Bun.Subprocess[] = []
  const envs: Record<SideName, Record<string, string>> = {
    serve: follower,
    work: { ...follower, POSTERN_WEBHOOK_KEY: `secret:${webhookSecret}#key` },
    rotator: { POSTERN_DATABASE_URL: rotatorUrl, ...rotatorEnv },
    sequence: {
      POSTERN_DATABASE_URL: server.url,
      POSTERN_AUDIT_ORIGIN: logName,
      POSTERN_AUDIT_KEYS: `secret:${auditSecret}#keys`,
      POSTERN_AUDIT_STORE: join(folder, 'audit'),
    },
  }

  async function spawn(name: SideName, more: Record<string, string> = {}): Promise<RotationSide> {
    const [port, probePort] = await Promise.all([freePort(), freePort()])
    const child = Bun.spawn([process.execPath, mainFile, ...commands[name]], {
      env: {
        ...{ ...base, ...envs[name], POSTERN_LISTEN_PORT: String(port) },
        ...{ [probePorts[name]]: String(probePort), ...more },
      },
      stdout: 'inherit',
      stderr: 'inherit',
    })
    sides.push(child)
    const probeUrl = `http://127.0.0.1:${probePort}`
    return {
      ...{ child, probeUrl, url: name === 'serve' ? `http://127.0.0.1:${port}` : probeUrl },
      signal: (signal) => child.kill(signal),
      async stop(signal) {
        child.kill(signal)
        await child.exited
      },
    }
  }

  async function start(name: SideName, more?: Record<string, string>): Promise<RotationSide> {
    for (let attempt = 1; ; attempt += 1) {
      const side = await spawn(name, more)
      const end = await Promise.race([
        answering(`${side.url}/healthz`),
        side.child.exited.then((code) => ({ code })),
      ])
      if (end === 'answers') return side
      // On a busy machine a first record may come too late; a supervisor starts it anew.
      if (attempt === startsMax) throw new Error(`${name} ended with ${JSON.stringify(end)}`)
    }
  }

  return {
    ...{
      sql,
      server,
      redisUrl: redis.url,
      store,
      files,
      put,
      token: access.token,
      databaseUrl: server.url,
      spawn,
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

const commands = {
  ...{ serve: ['serve'], work: ['work'], rotator: ['rotator'] },
  sequence: ['audit', 'sequence'],
} as const satisfies Record<SideName, readonly string[]>

const probePorts = {
  ...{ serve: 'POSTERN_PROBE_PORT', work: 'POSTERN_PROBE_PORT' },
  rotator: 'POSTERN_ROTATOR_PROBE_PORT',
  sequence: 'POSTERN_SEQUENCER_PROBE_PORT',
} as const satisfies Record<SideName, string>

async function fileStore(
  folder: string,
  servers: Readonly<Record<'database' | 'redis' | 'databaseAdmin' | 'redisAdmin', string>>,
) {
  const files = { secretFile: join(folder, 'secrets'), keyFile: join(folder, 'key') }
  await writeKeyFile(files.keyFile)
  const write = (name: string, members: SecretMembers) =>
    writeFileSecret({ ...files, name, members })
  const putUrl = (name: string, value: string) => write(name, { url: value })
  await write(issuerSecret, await freshIssuerKeys())
  await putUrl(databaseSecret, asUser(servers.database, users[0]))
  await putUrl('postern/rotator', servers.databaseAdmin)
  await putUrl(redisSecret, asUser(servers.redis, redisUsers[0]))
  await putUrl('postern/redis-admin', servers.redisAdmin)
  await write(webhookSecret, { key: randomBytes(32).toString('base64url') })
  await write(auditSecret, { keys: generateSignerKey(logName, 'ed25519').signerKey })
  await write(hookSecret, { token: hookToken })
  for (const name of apiSecrets) await write(name, { id: 'id-0', key: 'first' })
  return {
    files,
    put: write,
    store: fileSecretStore(files),
    storeEnv: {
      POSTERN_SECRET_STORE: 'file',
      POSTERN_SECRET_FILE: files.secretFile,
      POSTERN_SECRET_BOOTSTRAP_FILE: files.keyFile,
    },
  }
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

export function withPort(text: string, port: number): string {
  const url = new URL(text)
  url.port = String(port)
  return url.href
}

function asUser(server: string, user: string): string {
  const url = new URL(server)
  ;[url.username, url.password] = [user, 'first']
  return url.href
}

async function makeLogins(sql: Sql): Promise<void> {
  await sql.unsafe(`create role ${users[0]} login password 'first'`)
  await sql.unsafe(`grant postern_gateway, postern_worker, postern_rotator to ${users[0]}`)
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
