import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { z } from 'zod'
import { freshIssuerKeys } from '#core/access/issuer-keys.ts'
import { writeFileSecret } from '#core/secret/file-secret-store.ts'
import { localDocument, localName } from '#test/access/issuer-world.ts'
import { writeKeyFile } from '#test/secret/key-file.ts'
import { certificates } from '#test/support/certificates.ts'
import {
  type PostgresServer,
  sharedPostgres,
  startPostgres,
} from '#test/support/postgres-server.ts'
import { type RedisServer, startRedis } from '#test/support/redis-server.ts'
import { runPostern } from './run-postern.ts'

/** Each test starts several processes, half a second each where nothing else runs. */
setDefaultTimeout(30_000)

let folder: string
let server: PostgresServer
let redis: RedisServer
let forgetful: RedisServer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-doctor-'))
  server = await sharedPostgres()
  redis = await startRedis({ persistence: true })
  forgetful = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] })
})

afterAll(async () => {
  await Promise.all([redis.stop(), forgetful.stop(), rm(folder, { recursive: true })])
})

function postern(args: readonly string[], settings: Readonly<Record<string, string>> = {}) {
  return runPostern(args, { folder, settings })
}

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

async function diagnose(settings: Readonly<Record<string, string>>) {
  const { code, out } = await postern(['doctor', '--json'], {
    POSTERN_MODE: 'development',
    ...settings,
  })
  const { checks } = report.parse(JSON.parse(out))
  return { code, of: (name: string) => checks.find(({ check }) => check === name) }
}

test('with nothing configured doctor says how to start and exits 78', async () => {
  const { code, out } = await postern(['doctor'])
  expect(code).toBe(78)
  expect(out).toContain('postern up')
})

test('an unknown setting exits 78 and is named', async () => {
  const { code, error } = await postern(['doctor'], { POSTERN_DATABSE_URL: 'x' })
  expect(code).toBe(78)
  expect(error).toContain('POSTERN_DATABSE_URL')
})

test('servers that are down fail their checks and the rest are still made', async () => {
  const { code, of } = await diagnose({
    POSTERN_DATABASE_URL: 'postgres://postern@127.0.0.1:1/postern',
    POSTERN_REDIS_URL: 'redis://127.0.0.1:1',
  })
  expect(code).toBe(1)
  expect(of('postgres')).toMatchObject({ status: 'fail' })
  expect(of('redis')).toMatchObject({ status: 'fail' })
  expect(of('user')).toMatchObject({ status: process.getuid?.() === 0 ? 'warn' : 'ok' })
})

test('a schema behind the binary fails until it is migrated', async () => {
  const settings = {
    POSTERN_DATABASE_URL: await server.createDatabase(),
    POSTERN_REDIS_URL: redis.url,
  }
  const before = await diagnose(settings)
  expect(before.of('schema')).toMatchObject({ status: 'fail', fix: 'run `postern migrate`' })
  expect(before.of('postgres')).toMatchObject({ status: 'ok' })
  expect(before.of('redis')).toMatchObject({ status: 'ok' })

  const development = { ...settings, POSTERN_MODE: 'development' }
  const dry = await postern(['migrate', '--dry-run', '--json'], development)
  const { pending } = z.object({ pending: z.array(z.string()) }).parse(JSON.parse(dry.out))
  expect(pending[0]).toBe('0001-jobs')
  const real = await postern(['migrate'], development)
  expect(real.out).toBe(pending.map((name) => `applied ${name}\n`).join(''))
  const again = await postern(['migrate'], development)
  expect(again).toMatchObject({ code: 0, out: 'The schema is up to date.\n' })

  expect((await diagnose(settings)).of('schema')).toMatchObject({ status: 'ok' })
})

test('a login without a role fails, one with too many rights too, and a fix is named', async () => {
  const url = await server.createDatabase()
  const of = async (login: string) => {
    const settings = { POSTERN_DATABASE_URL: url.replace('//postern@', `//${login}@`) }
    return (await diagnose({ ...settings, POSTERN_REDIS_URL: redis.url })).of('database login')
  }
  const development = { POSTERN_MODE: 'development', POSTERN_DATABASE_URL: url }
  expect((await postern(['migrate'], development)).code).toBe(0)
  expect(await of('postern')).toMatchObject({ status: 'ok' })

  const sql = postgres(url, { max: 1 })
  await sql`create role doctor_login login`
  expect(await of('doctor_login')).toMatchObject({
    status: 'fail',
    fix: expect.stringMatching(/grant postern_gateway, .* to doctor_login$/),
  })
  await sql`grant postern_worker to doctor_login`
  expect(await of('doctor_login')).toMatchObject({
    ...{ status: 'ok', detail: 'doctor_login, which may act as postern_worker' },
  })
  await sql`grant postern_gateway, postern_rotator to doctor_login`
  expect(await of('doctor_login')).toMatchObject({
    status: 'warn',
    detail: expect.stringContaining('the small form, whose role is the union'),
  })
  await sql`grant delete on postern_audit_entry to doctor_login`
  expect(await of('doctor_login')).toMatchObject({
    status: 'fail',
    detail: expect.stringContaining('doctor_login: delete on postern_audit_entry'),
  })
  await sql.end()
})

test('an issuer or a venue that cannot be reached from here is named, and one that can is not', async () => {
  using keys = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => new Response('', { status: 404 }),
  })
  const [issuer] = localDocument.issuers
  const access = async (name: string, origin: string) => {
    const file = join(folder, `${name}.json`)
    const outside = { ...issuer, keys: { jwksUrl: `${origin}/jwks.json` } }
    await writeFile(file, JSON.stringify({ ...localDocument, issuers: [outside] }))
    return { POSTERN_ACCESS_FILE: file }
  }
  const here = await access('here', keys.url.origin)
  expect((await diagnose(here)).of('hosts')).toEqual({
    ...{ check: 'hosts', status: 'ok', detail: `${keys.url.origin} answer` },
  })
  expect((await diagnose(await access('away', 'http://127.0.0.1:1'))).of('hosts')).toMatchObject({
    ...{
      status: 'fail',
      detail: expect.stringContaining('http://127.0.0.1:1 (ECONNREFUSED)'),
    },
  })
  const venue = { POSTERN_ALPACA_URL: 'http://127.0.0.1:2', POSTERN_ALPACA_KEYS: '{}' }
  const { of } = await diagnose({ ...here, ...venue })
  expect(of('hosts')?.detail).toContain('http://127.0.0.1:2')
  expect(of('hosts')?.detail).not.toContain(keys.url.origin)
  expect((await diagnose({})).of('hosts')).toMatchObject({ status: 'ok' })
})

test('a Redis that would drop jobs fails and the fix is named', async () => {
  const { of } = await diagnose({
    POSTERN_DATABASE_URL: await server.createDatabase(),
    POSTERN_REDIS_URL: forgetful.url,
  })
  expect(of('redis')).toMatchObject({
    status: 'fail',
    detail: expect.stringContaining('set maxmemory-policy noeviction'),
  })
})

test('servers that nobody vouches for fail, and the setting that helps is named', async () => {
  const { good, caFile } = await certificates()
  const [postgres, secure] = await Promise.all([
    startPostgres({ tls: good }),
    startRedis({ tls: { ...good, caFile } }),
  ])
  const urls = {
    POSTERN_DATABASE_URL: `${postgres.url}?sslmode=verify-full`,
    POSTERN_REDIS_URL: secure.url,
  }
  const { of } = await diagnose(urls)
  for (const name of ['postgres', 'redis']) {
    expect(of(name)).toMatchObject({ status: 'fail', fix: expect.stringContaining('_CA_FILE') })
  }
  await Promise.all([postgres.stop(), secure.stop()])
})

test('without a store no reference is looked at, and the setting that helps is named', async () => {
  const { of } = await diagnose({ POSTERN_DATABASE_URL: 'secret:postern/database#url' })
  expect(of('secret store')).toMatchObject({ status: 'fail', fix: 'set POSTERN_SECRET_STORE' })
  expect(of('POSTERN_DATABASE_URL')).toMatchObject({ status: 'skip' })
  expect(of('postgres')).toMatchObject({ status: 'fail', fix: 'set POSTERN_SECRET_STORE' })
})

test('a database that cannot be reached makes migrate fail and say so', async () => {
  const { code, error } = await postern(['migrate'], {
    POSTERN_MODE: 'development',
    POSTERN_DATABASE_URL: 'postgres://postern@127.0.0.1:1/postern',
  })
  expect(code).toBe(1)
  expect(error).toContain('database.unavailable')
})

test('the local issuer is read, and held against the access file', async () => {
  const files = { secretFile: join(folder, 'secrets'), keyFile: join(folder, 'key') }
  await writeKeyFile(files.keyFile)
  const put = (members: Record<string, string>) =>
    writeFileSecret({ ...files, name: 'postern/issuer', members })
  await put(await freshIssuerKeys())
  const trusting = join(folder, 'local.json')
  const silent = join(folder, 'silent.json')
  await writeFile(trusting, JSON.stringify(localDocument))
  await writeFile(silent, JSON.stringify({ ...localDocument, issuers: [] }))
  const store = {
    ...{ POSTERN_SECRET_STORE: 'file', POSTERN_SECRET_FILE: files.secretFile },
    POSTERN_SECRET_BOOTSTRAP_FILE: files.keyFile,
  }
  const on = { POSTERN_ISSUER: localName, POSTERN_ISSUER_KEYS: 'secret:postern/issuer#current' }
  const of = async (settings: Record<string, string>) =>
    (await diagnose({ ...store, ...settings })).of('local issuer')
  expect(await of({})).toEqual({ check: 'local issuer', status: 'ok', detail: 'off' })
  expect(await of({ POSTERN_ACCESS_FILE: trusting })).toMatchObject({ status: 'fail' })
  expect(await of({ ...on, POSTERN_ACCESS_FILE: trusting })).toMatchObject({
    ...{ status: 'ok', detail: expect.stringContaining('signs with version 1 of postern/issuer') },
  })
  expect(await of({ ...on, POSTERN_ACCESS_FILE: silent })).toMatchObject({
    ...{ status: 'warn', fix: expect.stringContaining('"keys": {"local": true}') },
  })
  const other = { ...on, POSTERN_ISSUER: 'https://other.example', POSTERN_ACCESS_FILE: trusting }
  expect(await of(other)).toMatchObject({ status: 'fail' })
  await put({ current: 'x', next: 'y' })
  expect(await of({ ...on, POSTERN_ACCESS_FILE: trusting })).toMatchObject({
    ...{ status: 'fail', detail: expect.stringContaining('postern token issuer-keys') },
  })
})
