import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair } from 'jose'
import { z } from 'zod'
import { generateSignerKey } from '#core/audit/note/signer.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { writeFileSecret } from '#core/secret/file-secret-store.ts'
import { writeKeyFile } from '#test/secret/key-file.ts'
import { posternCommand } from '#test/support/postern-command.ts'
import { sharedPostgres, startPostgres } from '#test/support/postgres-server.ts'
import { startRedis } from '#test/support/redis-server.ts'
import { freePort } from '#test/support/server-process.ts'

const main = join(import.meta.dir, '../../main.ts')
const origin = 'localhost/postern/audit'

export type Settings = Readonly<Record<string, string>>

/** An access file but for its issuers. */
export const access = {
  zones: { v1: ['10.0.0.0/8'], internal: ['127.0.0.1/32'], probe: ['127.0.0.1/32'] },
  trustedProxies: { header: 'x-forwarded-for', proxies: [] },
  limits: { default: { perSecond: 1, burst: 1 } },
  callbackPrefixes: [],
}

export const issuerAt = (jwksUrl: string, algorithm = 'EdDSA') => ({
  ...{ issuer: 'https://id.example', audiences: ['postern'], algorithms: [algorithm] },
  ...{ keys: { jwksUrl }, scopes: ['jobs:read'] },
})

const report = z.object({
  checks: z.array(
    z.object({
      check: z.string(),
      status: z.enum(['ok', 'warn', 'fail', 'skip']),
      detail: z.string(),
      fix: z.string().optional(),
    }),
  ),
})

export type DoctorWorld = Awaited<ReturnType<typeof openDoctorWorld>>

/** A good set-up on real servers, and neighbours of all kinds to break it with. */
export async function openDoctorWorld() {
  const stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'postern-broken-'))
  stack.defer(() => rm(folder, { recursive: true }))

  async function put(name: string, text: string): Promise<string> {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
  const accessFile = (name: string, changes: object) =>
    put(`${name}.json`, JSON.stringify({ ...access, issuers: [], ...changes }))

  const [redis, locked, evicting, forgetful] = await Promise.all([
    startRedis({ persistence: true }),
    startRedis({ args: ['--requirepass', 'the-right-one'] }),
    startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] }),
    startPostgres({ settings: ['fsync=off'] }),
  ])
  for (const each of [redis, locked, evicting, forgetful]) stack.defer(() => each.stop())
  const neighbours = await openNeighbours(stack)
  const databases = await makeDatabases()
  const good = {
    ...(await storeSettings(folder, databases.migrated)),
    ...{ PATH: '/usr/bin:/bin', POSTERN_MODE: 'development' },
    POSTERN_ACCESS_FILE: await accessFile('access', { issuers: [issuerAt(neighbours.keys)] }),
    POSTERN_REDIS_URL: redis.url,
    ...{ POSTERN_AUDIT_ORIGIN: origin, POSTERN_AUDIT_STORE: join(folder, 'audit') },
    POSTERN_AUDIT_KEYS: generateSignerKey(origin, 'ed25519').signerKey,
    ...(await freePorts()),
  }

  async function diagnose(changes: Readonly<Record<string, string | undefined>>, preload?: string) {
    const given = Object.entries({ ...good, ...changes }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    )
    const self =
      preload === undefined ? posternCommand : [process.execPath, '--preload', preload, main]
    const child = Bun.spawn([...self, 'doctor', '--json'], {
      ...{ cwd: folder, env: Object.fromEntries(given) },
      ...{ stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
    })
    const [code, out, error] = await Promise.all([
      child.exited,
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ])
    if (error !== '') throw new Error(error)
    return { code, checks: report.parse(JSON.parse(out)).checks }
  }

  return {
    ...{ folder, put, accessFile, redis, locked, evicting, fsyncOff: forgetful.url },
    ...{ ...neighbours, ...databases, diagnose, close: () => stack.disposeAsync() },
  }
}

/** An issuer, a port that somebody has, and one that takes connections and says nothing. */
async function openNeighbours(stack: AsyncDisposableStack) {
  const { publicKey } = await generateKeyPair('EdDSA', { extractable: true })
  const set = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k' }] })
  const here = { port: 0, hostname: '127.0.0.1' }
  const absent = () => new Response('', { status: 404 })
  const issuer = Bun.serve({
    ...here,
    fetch: ({ url }) => (url.endsWith('/jwks.json') ? new Response(set) : absent()),
  })
  const other = Bun.serve({ ...here, fetch: absent })
  const mute = Bun.listen({ ...here, socket: { data: () => undefined } })
  stack.defer(() => issuer.stop(true))
  stack.defer(() => other.stop(true))
  stack.defer(() => mute.stop(true))
  return { keys: new URL('/jwks.json', issuer.url).href, taken: other.port, silent: mute.port }
}

async function makeDatabases() {
  const server = await sharedPostgres()
  const [migrated, unmigrated, newer] = [
    await server.createDatabase(),
    await server.createDatabase(),
    await server.createDatabase(),
  ]
  for (const url of [migrated, newer]) {
    const sql = connectPostgres({ url, mode: 'development', applicationName: 'test', max: 1 })
    await migrate({ sql, queue: 'redis' })
    if (url === newer) {
      await sql`insert into postern_migration (number, name, sha256) values (9999, 'later', 'x')`
    }
    await sql.end()
  }
  return { migrated, unmigrated, newer }
}

async function storeSettings(folder: string, databaseUrl: string) {
  const store = { secretFile: join(folder, 'secrets'), keyFile: join(folder, 'key') }
  await writeKeyFile(store.keyFile)
  await writeFileSecret({ ...store, name: 'postern/database', members: { url: databaseUrl } })
  return {
    POSTERN_DATABASE_URL: 'secret:postern/database#url',
    ...{ POSTERN_SECRET_STORE: 'file', POSTERN_SECRET_FILE: store.secretFile },
    POSTERN_SECRET_BOOTSTRAP_FILE: store.keyFile,
  }
}

async function freePorts(): Promise<Settings> {
  const settings: Record<string, string> = {}
  for (const name of ['LISTEN', 'PROBE', 'SEQUENCER_PROBE', 'ROTATOR_PROBE']) {
    settings[`POSTERN_${name}_PORT`] = String(await freePort())
  }
  return settings
}
