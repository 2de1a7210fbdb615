import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { certificates } from '#test/support/certificates.ts'
import { type PostgresServer, sharedPostgres } from '#test/support/postgres-server.ts'
import { runPostern } from './run-postern.ts'

/** Each test starts several processes, half a second each where nothing else runs. */
setDefaultTimeout(30_000)

const access = {
  zones: { v1: ['127.0.0.1/32'], internal: [], probe: [] },
  trustedProxies: { header: 'x-forwarded-for', proxies: [] },
  issuers: [],
  limits: { default: { perSecond: 1, burst: 1 } },
  callbackPrefixes: [],
}

let folder: string
let server: PostgresServer
let taken: ReturnType<typeof Bun.serve>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-start-'))
  await writeFile(join(folder, 'access.json'), JSON.stringify(access))
  server = await sharedPostgres()
  const fetch = () => new Response('')
  taken = Bun.serve({ hostname: '127.0.0.1', port: 0, development: false, fetch })
})

afterAll(async () => {
  await taken.stop(true)
  await rm(folder, { recursive: true })
})

async function postern(args: readonly string[], settings: Readonly<Record<string, string>> = {}) {
  const silent = { POSTERN_LOG_LEVEL: 'silent', ...settings }
  const { code, error } = await runPostern(args, { folder, settings: silent })
  return { code, lines: error.trimEnd().split('\n') }
}

const postgresOnly = (url: string) => ({
  POSTERN_MODE: 'development',
  POSTERN_QUEUE: 'postgres',
  POSTERN_DATABASE_URL: url,
  POSTERN_ACCESS_FILE: 'access.json',
  POSTERN_LISTEN_ADDRESS: '127.0.0.1',
})

async function migrated(): Promise<Record<string, string>> {
  const settings = postgresOnly(await server.createDatabase())
  expect((await postern(['migrate'], settings)).code).toBe(0)
  return settings
}

test.each([
  ['serve', ['POSTERN_ACCESS_FILE', 'POSTERN_DATABASE_URL', 'POSTERN_REDIS_URL']],
  ['work', ['POSTERN_DATABASE_URL', 'POSTERN_REDIS_URL']],
  [
    'run',
    [
      ...['POSTERN_ACCESS_FILE', 'POSTERN_DATABASE_URL', 'POSTERN_REDIS_URL'],
      ...['POSTERN_AUDIT_ORIGIN', 'POSTERN_AUDIT_KEYS', 'POSTERN_AUDIT_STORE'],
    ],
  ],
])('%s names all that is missing at once', async (command, names) => {
  const lines = names.map((name) => `${name}: required by this command and not set`)
  expect(await postern([command])).toEqual({ code: 78, lines })
})

test.each([
  ['is not there', undefined],
  ['holds no key', '# the log of the tests\n'],
  ['holds something else', 'log.example.com/audit\n'],
])('work refuses a file of verifier keys that %s', async (_name, text) => {
  const name = `keys-${crypto.randomUUID()}`
  if (text !== undefined) await writeFile(join(folder, name), text)
  const published = { POSTERN_AUDIT_STORE: 'audit', POSTERN_AUDIT_VERIFIER_KEYS: name }
  const nowhere = postgresOnly('postgres://127.0.0.1:1/nowhere')
  const { code, lines } = await postern(['work'], { ...nowhere, ...published })
  expect(code).toBe(78)
  expect(lines).toEqual([expect.stringMatching(/^POSTERN_AUDIT_VERIFIER_KEYS: /)])
})

test.each(['serve', 'work'])('%s refuses a schema that was not migrated', async (command) => {
  // Roles are the server's: another database has made them.
  await migrated()
  const { code, lines } = await postern([command], postgresOnly(await server.createDatabase()))
  expect(code).toBe(1)
  expect(lines).toEqual([
    expect.stringMatching(/^database\.schema_refused: .*0001-jobs.*run `postern migrate`\.$/),
  ])
})

test.each([
  ['serve', 'postern_gateway'],
  ['work', 'postern_worker'],
  ['run', '(?:postern_gateway|postern_worker)'],
])('%s with a login that may not act as %s exits 78 and names the grant', async (command, role) => {
  const settings = await migrated()
  const sql = postgres(server.adminUrl, { max: 1 })
  const login = `login_${command}`
  await sql.unsafe(`create role ${login} login`)
  await sql.end()
  const url = settings['POSTERN_DATABASE_URL']?.replace('//postern@', `//${login}@`) ?? ''
  const { code, lines } = await postern([command], { ...settings, POSTERN_DATABASE_URL: url })
  expect(code).toBe(78)
  expect(lines.join('\n')).toMatch(new RegExp(`run: grant ${role} to ${login}$`, 'm'))
})

test.each([
  ['serve', 'POSTERN_LISTEN_PORT'],
  ['work', 'POSTERN_PROBE_PORT'],
])('%s on a port that is taken names the setting', async (command, setting) => {
  const settings = { ...(await migrated()), [setting]: String(taken.port) }
  expect(await postern([command], settings)).toEqual({
    code: 78,
    lines: [
      `${setting}: 127.0.0.1:${taken.port} is in use; stop what listens there, or choose another port`,
    ],
  })
})

test('serve refuses a certificate, a key or a client CA that is none', async () => {
  const { good, foreign } = await certificates()
  const [certificate, key, otherKey] = await Promise.all(
    [good.certificateFile, good.keyFile, foreign.keyFile].map((path) => readFile(path, 'utf8')),
  )
  if (certificate === undefined || key === undefined || otherKey === undefined) {
    throw new Error('no files')
  }
  const fits = { POSTERN_TLS_CERTIFICATE: certificate, POSTERN_TLS_KEY: key }
  const settings = await migrated()
  const refusal = async (tls: Record<string, string>) => {
    const { code, lines } = await postern(['serve'], { ...settings, ...fits, ...tls })
    return [code, ...lines]
  }
  expect(await refusal({ POSTERN_TLS_CERTIFICATE: key })).toEqual([
    78,
    'POSTERN_TLS_CERTIFICATE: refers to no PEM of its kind',
  ])
  expect(await refusal({ POSTERN_TLS_CLIENT_CA: 'none' })).toEqual([
    78,
    'POSTERN_TLS_CLIENT_CA: refers to no PEM of its kind',
  ])
  expect(await refusal({ POSTERN_TLS_KEY: otherKey })).toEqual([
    78,
    'POSTERN_TLS_KEY: is not the key of POSTERN_TLS_CERTIFICATE',
  ])
})
