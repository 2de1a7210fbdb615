import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import postgres from 'postgres'
import { generateSignerKey } from '#core/audit/note/signer.ts'
import { writeFileSecret } from '#core/secret/file-secret-store.ts'
import { runPostern } from '#test/commands/run-postern.ts'
import { databaseText, filesText, processTexts, redisText } from '#test/support/canary-outputs.ts'
import { certificates } from '#test/support/certificates.ts'
import { posternCommand } from '#test/support/postern-command.ts'
import { startPostgres } from '#test/support/postgres-server.ts'
import { startRedis } from '#test/support/redis-server.ts'
import { freePort, removeAtExit } from '#test/support/server-process.ts'
import { eventually } from './world.ts'

const issuer = 'https://id.example'
const origin = 'canary.example/audit'
const scopes = [
  ...['jobs:write:scoring', 'jobs:write:batch', 'jobs:read', 'jobs:read:any', 'jobs:cancel'],
  ...['jobs:retry', 'trades:write', 'scores:read', 'queues:read', 'queues:admin', 'audit:read'],
  'metrics:read',
]

/** A value that stands nowhere else, and that no encoding of a URL or of JSON changes. */
const canary = (name: string) =>
  `canary-${name.replaceAll(' ', '-')}-${randomBytes(12).toString('hex')}`

/**
 * The real `run` (gateway, worker and sequencer) with a secret of its own in every place that takes
 * one. `secrets` names each by where it was given; `outputs` collects what anybody could read.
 */
export async function openCanaryStage() {
  const folder = await mkdtemp(join(tmpdir(), 'postern-canary-'))
  removeAtExit(folder)
  const secrets = new Map<string, string>()
  const secret = (name: string, value = canary(name)): string => {
    secrets.set(name, value)
    return value
  }
  const redisPassword = secret('redis')
  const [server, redis] = await Promise.all([
    startPostgres(),
    startRedis({ args: ['--requirepass', redisPassword] }),
  ])
  const redisUrl = `redis://:${redisPassword}@127.0.0.1:${redis.port}`
  const store = await fillStore({ folder, secret, server: server.url, redis: redisUrl })
  const ports = { main: await freePort(), probe: await freePort(), sequencer: await freePort() }
  const { good, caFile } = await certificates()
  const hooks = await freePort()
  const accessFile = join(folder, 'access.json')
  await writeFile(accessFile, JSON.stringify(accessDocument(`http://127.0.0.1:${hooks}/hook/`)))
  const settings = {
    ...store.settings,
    POSTERN_MODE: 'development',
    POSTERN_LOG_LEVEL: 'debug',
    POSTERN_ACCESS_FILE: accessFile,
    POSTERN_LISTEN_ADDRESS: '127.0.0.1',
    POSTERN_LISTEN_PORT: String(ports.main),
    POSTERN_PROBE_PORT: String(ports.probe),
    POSTERN_SEQUENCER_PROBE_PORT: String(ports.sequencer),
    POSTERN_AUDIT_ORIGIN: origin,
    POSTERN_AUDIT_STORE: join(folder, 'audit'),
    POSTERN_DRAIN_SECONDS: '5',
  }
  const outputs: (readonly [string, string])[] = []
  const keep = (name: string, text: string) => void outputs.push([name, text])

  async function postern(args: readonly string[], changes: Readonly<Record<string, string>> = {}) {
    const ended = await runPostern(args, { folder, settings: { ...settings, ...changes } })
    keep(`postern ${args.join(' ')}`, `${ended.code}\n${ended.out}\n${ended.error}`)
    return ended
  }

  async function token(subject: string, granted: readonly string[] = scopes): Promise<string> {
    const now = Math.floor(Date.now() / 1_000)
    const text = await new SignJWT({ scope: granted.join(' ') })
      .setProtectedHeader({ alg: 'HS256', kid: 'shared', typ: 'JWT' })
      .setIssuer(issuer)
      .setAudience('postern')
      .setSubject(subject)
      .setJti(Bun.randomUUIDv7())
      .setIssuedAt(now)
      .setExpirationTime(now + 600)
      .sign(Buffer.from(store.signingKey, 'base64url'))
    const [, claims = '', signature = ''] = text.split('.')
    secret(`claims of the token of ${subject}`, claims)
    secret(`signature of the token of ${subject}`, signature)
    return text
  }

  const ca = await readFile(caFile, 'utf8')

  async function fetchAt(path: string, init: RequestInit = {}): Promise<Response> {
    const url = `https://localhost:${ports.main}${path}`
    const signal = AbortSignal.timeout(20_000)
    const answer = await fetch(url, { ...init, tls: { ca }, signal })
    const text = await answer.clone().text()
    const headers = JSON.stringify(Object.fromEntries(answer.headers))
    keep(`${init.method ?? 'GET'} ${path.split('?')[0]}`, `${answer.status}\n${headers}\n${text}`)
    return answer
  }

  await postern(['migrate'])
  const child = Bun.spawn([...posternCommand, 'run'], {
    env: { PATH: '/usr/bin:/bin', ...settings },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const output = [new Response(child.stdout).text(), new Response(child.stderr).text()]
  const isReady = () =>
    fetchAt('/readyz').then(
      (answer) => answer.ok,
      () => false,
    )
  await eventually(isReady, 30_000)
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined, backoff: () => 0.1 })

  /** Ends the processes and collects what they wrote; the servers live on. */
  async function stop(): Promise<void> {
    keep('environment and arguments', await processTexts(child.pid))
    child.kill('SIGTERM')
    await child.exited
    const [out = '', error = ''] = await Promise.all(output)
    keep('standard output', out)
    keep('standard error', error)
    keep('Postgres', await databaseText(sql))
    keep('Redis', await redisText(redisUrl))
    keep('the published log', await filesText(settings.POSTERN_AUDIT_STORE))
  }

  return {
    ...{
      server,
      redis,
      sql,
      secret,
      secrets,
      outputs,
      hooks,
      settings,
      verifierKey: store.verifierKey,
    },
    ...{ postern, token, fetchAt, keep, stop, isReady, certificateKeyFile: good.keyFile, ports },
    redisPassword,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await child.exited
      await sql.end({ timeout: 1 })
      await redis.stop('SIGKILL')
      await server.stop('immediate')
    },
  }
}

async function fillStore(options: {
  readonly folder: string
  readonly secret: (name: string, value?: string) => string
  readonly server: string
  readonly redis: string
}) {
  const { folder, secret } = options
  const files = { secretFile: join(folder, 'secrets'), keyFile: join(folder, 'key') }
  const key = secret('key of the store', randomBytes(32).toString('base64url'))
  await writeFile(files.keyFile, `${key}\n`, { mode: 0o400 })
  const { good } = await certificates()
  const tlsKey = await readFile(good.keyFile, 'utf8')
  secret('TLS key', tlsKey.split('\n')[1])
  const log = generateSignerKey(origin, 'ed25519')
  secret('log key', log.signerKey.split('+').at(-1))
  const signingKey = secret('issuer key', randomBytes(48).toString('base64url'))
  const database = options.server.replace('//postern@', `//postern:${secret('database')}@`)
  const secrets = {
    database: { url: database },
    redis: { url: options.redis },
    webhook: { key: secret('webhook') },
    tls: { certificate: await readFile(good.certificateFile, 'utf8'), key: tlsKey },
    log: { keys: log.signerKey },
    issuer: { key: signingKey },
    unused: { value: secret('unused member') },
  }
  for (const [name, members] of Object.entries(secrets)) {
    await writeFileSecret({ ...files, name, members })
  }
  const settings = {
    POSTERN_SECRET_STORE: 'file',
    POSTERN_SECRET_FILE: files.secretFile,
    POSTERN_SECRET_BOOTSTRAP_FILE: files.keyFile,
    POSTERN_DATABASE_URL: 'secret:database#url',
    POSTERN_REDIS_URL: 'secret:redis#url',
    POSTERN_WEBHOOK_KEY: 'secret:webhook#key',
    POSTERN_TLS_CERTIFICATE: 'secret:tls#certificate',
    POSTERN_TLS_KEY: 'secret:tls#key',
    POSTERN_AUDIT_KEYS: 'secret:log#keys',
  }
  return { settings, signingKey, verifierKey: log.verifierKey }
}

function accessDocument(callbackPrefix: string) {
  const loopback = ['127.0.0.0/8', '::1/128']
  return {
    zones: { v1: loopback, internal: loopback, probe: loopback },
    trustedProxies: { header: 'x-forwarded-for', proxies: [] },
    issuers: [
      {
        ...{ issuer, audiences: ['postern'], algorithms: ['HS256'], scopes },
        keys: { secret: 'secret:issuer#key', kid: 'shared' },
      },
    ],
    limits: {
      default: { perSecond: 1_000, burst: 1_000 },
      subjects: [{ issuer, subject: 'limited', perSecond: 0.001, burst: 1 }],
    },
    callbackPrefixes: [callbackPrefix],
  }
}
