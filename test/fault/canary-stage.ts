import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { SignJWT } from 'jose'
import postgres, { type Sql } from 'postgres'
import { scramVerifier } from '#core/secret/rotation/scram-verifier.ts'
import { runPostern } from '#test/commands/run-postern.ts'
import { certificates } from '#test/support/certificates.ts'
import { startPostgres } from '#test/support/postgres-server.ts'
import { startRedis } from '#test/support/redis-server.ts'
import { freePort, removeAtExit } from '#test/support/server-process.ts'
import { auditOrigin, fillStore, type Logins, makeLogins } from './canary-store.ts'

const mainFile = join(import.meta.dir, '../../main.ts')
const readyMsMax = 30_000
const commandMsMax = 40_000
export const sharedIssuer = 'https://id.example'
const localIssuer = 'https://postern.example'
export const users = ['app_a', 'app_b'] as const
export const redisUsers = ['red_a', 'red_b'] as const
export const cloudUsers = ['cloud_a', 'cloud_b'] as const
const everyCommand = '~* &* +@all'

const scopes = [
  ...['jobs:write:scoring', 'jobs:write:batch', 'jobs:read', 'jobs:read:any', 'jobs:cancel'],
  ...['jobs:retry', 'trades:write', 'scores:read', 'queues:read', 'queues:admin', 'audit:read'],
  ...['metrics:read', 'market:read', 'market:write', 'orders:read', 'orders:write'],
  ...['revocations:read', 'revocations:write', 'schedules:read', 'schedules:write'],
  'drift:read',
  ...['secrets:read', 'secrets:write', 'trading:admin', 'trading:halt', 'trading:read'],
  'trading:rearm',
]

export type CanaryStage = Awaited<ReturnType<typeof openCanaryStage>>
/** The last is a worker whose login at Redis is a cloud's. */
export const processNames = [
  'serve',
  'work',
  'audit sequence',
  'rotator',
  'work in a cloud',
] as const
export type ProcessName = (typeof processNames)[number]

/** The four processes on servers that ask for passwords, each of which is to be found nowhere. */
export async function openCanaryStage() {
  const folder = await mkdtemp(join(tmpdir(), 'postern-canaries-'))
  removeAtExit(folder)
  await chmod(folder, 0o755)
  for (const name of ['data', 'logs', 'run']) await mkdir(join(folder, name))
  const outputs: (readonly [string, string])[] = []
  const keep = (name: string, text: string) => void outputs.push([name, text])
  const logins = makeLogins(['app_a', 'own_a', 'rot_a', 'red_a', 'red_admin', 'cloud_a', 'red_w'])
  const { server, redis, statements, setHba } = await startServers(folder, logins)
  const sql = postgres(server.url, { max: 2, onnotice: () => undefined, backoff: () => 0.1 })
  await makeRoles(sql, logins)
  const root = new Redis(redis.url)
  root.on('error', () => undefined)
  const monitored = await monitor(root)
  const servers = { database: server.url.replace('postern@', ''), redis: redis.url }
  const store = await fillStore({ folder, logins, servers })
  const hooks = await freePort()
  const accessFile = join(folder, 'access.json')
  await writeFile(accessFile, JSON.stringify(accessDocument(`http://127.0.0.1:${hooks}/hook/`)))
  const ports = {
    serve: await freePort(),
    work: await freePort(),
    'audit sequence': await freePort(),
    rotator: await freePort(),
    'work in a cloud': await freePort(),
  }
  const settings = settingsOf({ folder, accessFile, ports, files: store.files })
  const children = new Map<ProcessName, Bun.Subprocess>()

  async function postern(
    args: readonly string[],
    changes: Readonly<Record<string, string>> = {},
    msMax = commandMsMax,
  ) {
    const owner = { ...settings, POSTERN_DATABASE_URL: 'secret:postern/owner#url' }
    const options = { folder: join(folder, 'run'), settings: { ...owner, ...changes }, msMax }
    const ended = await runPostern(args, options)
    const named = Object.entries(changes).map(([name, value]) => `${name}=${value} `)
    keep(`${named.join('')}postern ${args.join(' ')}`.slice(0, 200), `${ended.out}\n${ended.error}`)
    return ended
  }

  let starts = 0
  /** As a supervisor would: again, where it has ended because a server was too slow for it. */
  function start(name: ProcessName): void {
    starts += 1
    const log = join(folder, 'logs', `${name.replaceAll(' ', '-')}-${starts}`)
    const isCloud = name === 'work in a cloud'
    const port = String(ports['work in a cloud'])
    const cloud = { POSTERN_REDIS_URL: 'secret:desk/cloud#url', POSTERN_PROBE_PORT: port }
    children.set(
      name,
      Bun.spawn([process.execPath, mainFile, ...(isCloud ? ['work'] : name.split(' '))], {
        cwd: join(folder, 'run'),
        env: { PATH: '/usr/bin:/bin', ...settings, ...(isCloud ? cloud : {}) },
        stdout: Bun.file(`${log}.out`),
        stderr: Bun.file(`${log}.err`),
      }),
    )
  }

  const { caFile } = await certificates()
  const ca = await readFile(caFile, 'utf8')

  /** Of the gateway; what is answered is kept under what was asked. */
  async function ask(
    path: string,
    init: RequestInit = {},
  ): Promise<{ status: number; text: string }> {
    const signal = AbortSignal.timeout(20_000)
    const url = `https://localhost:${ports.serve}${path}`
    const answer = await fetch(url, { ...init, tls: { ca }, signal })
    const text = await answer.text()
    const headers = JSON.stringify(Object.fromEntries(answer.headers))
    keep(`${init.method ?? 'GET'} ${path}`, `${answer.status}\n${headers}\n${text}`)
    return { status: answer.status, text }
  }

  const token = (subject: string, granted = [...scopes, 'tokens:mint']) =>
    sharedToken({ key: store.sharedKey, subject, granted })

  return {
    ...{ folder, server, redis, root, sql, store, logins, hooks, ports, settings, setHba },
    ...{ outputs, keep, postern, start, ask, token, children, accessFile },
    statements,
    monitored,
    isUp: async (name: ProcessName) => {
      const child = children.get(name)
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) start(name)
      if (name === 'serve') return (await ask('/readyz').catch(() => undefined))?.status === 200
      const answer = await fetch(`http://127.0.0.1:${ports[name]}/readyz`).catch(() => undefined)
      return answer?.ok === true
    },
    async close() {
      for (const child of children.values()) child.kill('SIGKILL')
      root.disconnect()
      await sql.end({ timeout: 1 })
      await redis.stop('SIGKILL')
      await server.stop('immediate')
    },
  }
}

async function startServers(folder: string, logins: Logins) {
  const hbaFile = join(folder, 'pg_hba.conf')
  /** `refused` has a password and is let in nowhere all the same. */
  const setHba = (refused?: string) =>
    writeFile(
      hbaFile,
      `${refused === undefined ? '' : `host all ${refused} all reject\n`}host all postern 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
`,
    )
  await setHba()
  const aclFile = join(folder, 'users.acl')
  const hash = (name: string) =>
    createHash('sha256')
      .update(logins[name]?.password ?? '')
      .digest('hex')
  const lines = ['red_a', 'red_admin', 'cloud_a'].map(
    (name) => `user ${name} on #${hash(name)} ${everyCommand}`,
  )
  await writeFile(aclFile, `user default on nopass ${everyCommand}\n${lines.join('\n')}\n`)
  const statements = new Map<string, number>()
  // Each once, without its time, process and duration: a poll repeats itself a thousand times.
  const onLine = (line: string) => {
    const text = line.replace(/^\S+ \S+ \S+ \[\d+\] /, '').replace(/duration: [\d.]+/, 'duration:')
    statements.set(text, (statements.get(text) ?? 0) + 1)
  }
  const logged = ['log_statement=all', 'log_min_duration_statement=0', 'log_connections=on']
  const [server, redis] = await Promise.all([
    startPostgres({
      settings: [`hba_file=${hbaFile}`, 'log_min_messages=info', ...logged],
      onLine,
    }),
    startRedis({ args: ['--aclfile', aclFile, '--slowlog-log-slower-than', '0'] }),
  ])
  return { server, redis, statements, setHba }
}

async function makeRoles(sql: Sql, logins: Logins): Promise<void> {
  const make = async (user: string, rights: string) => {
    const verifier = scramVerifier(logins[user]?.password ?? '')
    await sql.unsafe(`create role ${user} login ${rights} password '${verifier}'`)
  }
  await make('own_a', 'superuser')
  await make('rot_a', 'superuser')
  await make('app_a', '')
}

async function monitor(root: Redis): Promise<readonly string[]> {
  const commands: string[] = []
  const watch = await root.monitor()
  watch.on(
    'monitor',
    (_time: string, args: readonly string[]) => void commands.push(args.join(' ')),
  )
  watch.on('error', () => undefined)
  return commands
}

function settingsOf(options: {
  readonly folder: string
  readonly accessFile: string
  readonly ports: Readonly<Record<ProcessName, number>>
  readonly files: { readonly secretFile: string; readonly keyFile: string }
}) {
  const { folder, accessFile, ports, files } = options
  return {
    POSTERN_MODE: 'development',
    POSTERN_LOG_LEVEL: 'debug',
    POSTERN_ACCESS_FILE: accessFile,
    POSTERN_SECRET_STORE: 'file',
    POSTERN_SECRET_FILE: files.secretFile,
    POSTERN_SECRET_BOOTSTRAP_FILE: files.keyFile,
    POSTERN_DATABASE_URL: 'secret:postern/database#url',
    POSTERN_REDIS_URL: 'secret:postern/redis#url',
    POSTERN_WEBHOOK_KEY: 'secret:postern/webhook#key',
    POSTERN_ALPACA_KEYS: 'secret:postern/alpaca#keys',
    POSTERN_TLS_CERTIFICATE: 'secret:postern/tls#certificate',
    POSTERN_TLS_KEY: 'secret:postern/tls#key',
    POSTERN_ISSUER: localIssuer,
    POSTERN_ISSUER_KEYS: 'secret:postern/issuer#current',
    POSTERN_ISSUER_TTL_SECONDS: '5',
    POSTERN_JWKS_MAX_AGE_SECONDS: '2',
    POSTERN_AUDIT_ORIGIN: auditOrigin,
    POSTERN_AUDIT_KEYS: 'secret:postern/log#keys',
    POSTERN_AUDIT_STORE: join(folder, 'published'),
    POSTERN_LISTEN_ADDRESS: '127.0.0.1',
    POSTERN_LISTEN_PORT: String(ports.serve),
    POSTERN_PROBE_PORT: String(ports.work),
    POSTERN_SEQUENCER_PROBE_PORT: String(ports['audit sequence']),
    POSTERN_ROTATOR_PROBE_PORT: String(ports.rotator),
    POSTERN_DRAIN_SECONDS: '5',
    POSTERN_DATA_DIRECTORY: join(folder, 'data'),
  }
}

function accessDocument(callbackPrefix: string) {
  const loopback = ['127.0.0.0/8', '::1/128']
  const shared = {
    ...{ issuer: sharedIssuer, audiences: ['postern'], algorithms: ['HS256'] },
    ...{ scopes: [...scopes, 'tokens:mint'] },
    keys: { secret: 'secret:shared/issuer#key', kid: 'shared' },
  }
  const local = {
    ...{ issuer: localIssuer, audiences: ['postern'], algorithms: ['EdDSA'], scopes },
    keys: { local: true },
  }
  return {
    zones: { v1: loopback, internal: loopback, probe: loopback },
    trustedProxies: { header: 'x-forwarded-for', proxies: [] },
    issuers: [shared, local],
    limits: {
      default: { perSecond: 10_000, burst: 10_000 },
      subjects: [{ issuer: sharedIssuer, subject: 'limited', perSecond: 0.001, burst: 1 }],
    },
    callbackPrefixes: [callbackPrefix],
  }
}

async function sharedToken(options: {
  readonly key: string
  readonly subject: string
  readonly granted: readonly string[]
}): Promise<string> {
  const { key, subject, granted } = options
  const now = Math.floor(Date.now() / 1_000)
  return await new SignJWT({ scope: granted.join(' ') })
    .setProtectedHeader({ alg: 'HS256', kid: 'shared', typ: 'JWT' })
    .setIssuer(sharedIssuer)
    .setAudience('postern')
    .setSubject(subject)
    .setJti(Bun.randomUUIDv7())
    .setIssuedAt(now)
    .setExpirationTime(now + 900)
    .sign(Buffer.from(key, 'base64url'))
}

/** Waits for it; throws with its words when it is too late. */
export async function until(
  what: string,
  ask: () => Promise<boolean> | boolean,
  withinMs = readyMsMax,
): Promise<void> {
  const giveUpAt = performance.now() + withinMs
  while (!(await ask())) {
    if (performance.now() > giveUpAt) throw new Error(`${what}: not within ${withinMs} ms`)
    await Bun.sleep(100)
  }
}
