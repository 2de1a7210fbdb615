import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair } from 'jose'
import postgres from 'postgres'
import { z } from 'zod'
import { certificates } from '#test/support/certificates.ts'
import { posternCommand } from '#test/support/postern-command.ts'
import { sharedPostgres, startPostgres } from '#test/support/postgres-server.ts'
import { type RedisServer, startRedis } from '#test/support/redis-server.ts'
import { freePort } from '#test/support/server-process.ts'
import { runPostern } from './run-postern.ts'

/** Each test starts several processes, seconds on a busy machine. */
setDefaultTimeout(120_000)

const root = join(import.meta.dir, '../..')

let folder: string
let redis: RedisServer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-init-'))
  redis = await startRedis({ persistence: true })
})
afterAll(() => Promise.all([redis.stop(), rm(folder, { recursive: true })]))

const call = (args: readonly string[], settings: Readonly<Record<string, string>> = {}) =>
  runPostern(args, { folder, settings })

const issuer = [
  ...['--issuer', 'https://id.example', '--audience', 'postern', '--algorithm', 'EdDSA'],
  ...['--jwks-url', 'https://id.example/jwks.json'],
]
const cidr = ['--cidr', '10.0.3.0/24']
const origin = ['--audit-origin', 'postern.example/prod/audit']

test.each([
  ['no range', [...issuer, ...origin]],
  ['a range that is none', ['--cidr', '10.0.3.0/33', ...issuer, ...origin]],
  ['no issuer', [...cidr, ...origin]],
  ['an issuer without keys', [...cidr, ...origin, ...issuer.slice(0, 6)]],
  ['keys over plain http', [...cidr, ...origin, ...issuer, '--jwks-url', 'http://id.example/k']],
  ['an algorithm of shared keys', [...cidr, ...origin, ...issuer, '--algorithm', 'HS256']],
  ['a scope that is none', [...cidr, ...origin, ...issuer, '--scope', 'jobs read']],
  ['no name of the log', [...cidr, ...issuer]],
  ['a name of the log with a scheme', [...cidr, ...issuer, '--audit-origin', 'https://x/y/']],
  ['half an issuer on a laptop', [...cidr, '--mode', 'development', '--audience', 'postern']],
  ['a mode that is none', [...cidr, '--mode', 'staging']],
  ['a --force', ['--force', '--mode', 'development', ...cidr]],
])('asked with %s it explains its use, exits with 64 and makes nothing', async (name, args) => {
  const directory = join(folder, name)
  const { code, out, error } = await call(['init', directory, ...args])
  expect({ code, out }).toEqual({ code: 64, out: '' })
  expect(error).toContain('error: ')
  await expect(stat(directory)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('nothing is written over: what is in the way is named, and nothing is made', async () => {
  const directory = join(folder, 'taken')
  await mkdir(join(directory, 'access'), { recursive: true })
  await writeFile(join(directory, 'postern.env'), 'mine')
  await writeFile(join(directory, 'access/access.json'), 'mine')
  const { code, out, error } = await call(['init', 'taken', '--mode', 'development', ...cidr])
  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(error).toBe(
    [
      'taken/access/access.json: is there already; nothing was made\n',
      'taken/postern.env: is there already; nothing was made\n',
    ].join(''),
  )
  expect((await readdir(directory)).toSorted()).toEqual(['access', 'postern.env'])
  expect(await readFile(join(directory, 'postern.env'), 'utf8')).toBe('mine')
})

/** The shell's blocks of a page, as somebody pastes them. */
async function blocksOf(page: string): Promise<readonly string[]> {
  const text = await readFile(page, 'utf8')
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block)
}

/** `sh` in a directory, where `postern` is this one. */
async function paste(
  directory: string,
  script: string,
  environment: Readonly<Record<string, string>>,
) {
  const bin = join(folder, 'bin')
  await mkdir(bin, { recursive: true })
  await writeFile(join(bin, 'postern'), `#!/bin/sh\nexec ${posternCommand.join(' ')} "$@"\n`)
  await chmod(join(bin, 'postern'), 0o755)
  const child = Bun.spawn(['sh', '-e', '-c', script], {
    ...{ cwd: directory, env: { PATH: `${bin}:/usr/bin:/bin`, ...environment } },
    ...{ stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
  })
  const [code, out, error] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { code, said: out + error }
}

async function freePorts(): Promise<Record<string, string>> {
  const ports: Record<string, string> = {}
  for (const name of ['LISTEN', 'PROBE', 'SEQUENCER_PROBE', 'ROTATOR_PROBE']) {
    ports[`POSTERN_${name}_PORT`] = String(await freePort())
  }
  return ports
}

test('on a laptop what it writes is good at once, and green with Postgres and Redis', async () => {
  const made = await call(['init', 'laptop', '--mode', 'development', '--cidr', '127.0.0.0/8'])
  expect(made).toMatchObject({ code: 0, error: '' })
  const directory = join(folder, 'laptop')
  const { mode } = await stat(join(directory, 'postern.env'))
  expect(mode & 0o777).toBe(0o600)
  const [block = ''] = await blocksOf(join(directory, 'README.md'))
  const url = await (await sharedPostgres()).createDatabase()
  // As somebody puts the servers into the file.
  const env = await readFile(join(directory, 'postern.env'), 'utf8')
  await writeFile(
    join(directory, 'postern.env'),
    env
      .replace(/^POSTERN_DATABASE_URL=.*$/m, `POSTERN_DATABASE_URL=${url}`)
      .replace(/^POSTERN_REDIS_URL=.*$/m, `POSTERN_REDIS_URL=${redis.url}`),
  )
  const { code, said } = await paste(
    directory,
    block.replace('postern run\n', ''),
    await freePorts(),
  )
  expect(said).toContain('good: v1 1 range, internal 0 ranges, probe 2 ranges; 1 issuer')
  expect(said).toContain('All well')
  expect(code).toBe(0)
  const token = await paste(directory, 'postern token mint --scope jobs:read', {})
  const verdict = await paste(
    directory,
    `set -a; . ./postern.env; set +a
    postern access explain --ip 127.0.0.1 --token ${token.said.trim()}`,
    {},
  )
  expect(verdict).toMatchObject({ code: 0, said: expect.stringContaining('verdict  admitted') })
})

test('in production the steps of its page, word for word, end in a green doctor', async () => {
  const { good, caFile } = await certificates()
  const { publicKey } = await generateKeyPair('EdDSA', { extractable: true })
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k' }] }
  using keyServer = Bun.serve({
    ...{ port: 0, hostname: '127.0.0.1', fetch: () => Response.json(keys) },
    tls: { cert: Bun.file(good.certificateFile), key: Bun.file(good.keyFile) },
  })
  const [server, secure] = await Promise.all([
    startPostgres({ tls: good }),
    startRedis({ tls: { ...good, caFile }, persistence: true }),
  ])
  const jwks = ['--jwks-url', new URL('/jwks.json', keyServer.url).href]
  const made = await call(['init', 'prod', ...cidr, ...issuer, ...jwks, ...origin])
  expect(made).toMatchObject({ code: 0, error: '' })
  const directory = join(folder, 'prod')
  const url = `${await server.createDatabase()}?sslmode=verify-full`
  const login = url.replace('//postern@', '//prod_login@')
  const put = (name: string, value: string) =>
    writeFile(join(directory, name), JSON.stringify({ url: value }))
  await put('database.json', login)
  await put('owner.json', url)
  await put('redis.json', secure.url)
  const environment = {
    ...{ POSTERN_DATABASE_CA_FILE: caFile, POSTERN_REDIS_CA_FILE: caFile },
    ...{ NODE_EXTRA_CA_CERTS: caFile, ...(await freePorts()) },
  }
  const [secrets = '', schema = '', look = ''] = await blocksOf(join(directory, 'README.md'))
  const prepared = await paste(directory, secrets + schema, environment)
  expect(prepared).toMatchObject({ code: 0, said: expect.stringContaining('applied 0001-jobs') })
  const sql = postgres(server.adminUrl, { max: 1, ssl: { rejectUnauthorized: false } })
  await sql`create role prod_login login`
  await sql`grant postern_gateway, postern_worker, postern_sequencer, postern_rotator to prod_login`
  await sql.end()
  const { code, said } = await paste(directory, look, environment)
  expect(said).toContain('All well')
  expect(code).toBe(0)
  for (const name of ['postern.env', 'state/key', 'state/store/secrets', 'state/migrate/key']) {
    const { mode } = await stat(join(directory, name))
    expect([name, mode & 0o077]).toEqual([name, 0])
  }
  await Promise.all([server.stop(), secure.stop()])
})

const service = z.looseObject({ user: z.string().optional(), healthcheck: z.unknown() })
const composeFile = z.looseObject({
  'x-hardened': z.record(z.string(), z.unknown()),
  services: z.record(z.string(), service),
})

test('its compose file is as hardened as the one that is tested, and publishes nothing', async () => {
  const read = async (path: string) =>
    composeFile.parse(Bun.YAML.parse(await readFile(join(root, path), 'utf8')))
  const ours = await read('commands/init/compose.yaml')
  const tested = await read('deploy/compose.yaml')
  expect(ours['x-hardened']).toEqual(tested['x-hardened'])
  expect(ours['x-hardened']).toMatchObject({
    ...{ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] },
  })
  for (const [name, given] of Object.entries(ours.services)) {
    const { restart: _, ...hardened } = tested['x-hardened']
    expect(given).toMatchObject(hardened)
    expect(given.user).toBe('65532:65532')
    for (const opened of ['ports', 'privileged', 'network_mode', 'cap_add', 'devices']) {
      expect(given).not.toHaveProperty(opened)
    }
    expect(given.healthcheck).toEqual(tested.services[name]?.healthcheck)
  }
})

test('its page on the access file explains each member that it writes', async () => {
  const page = await readFile(join(root, 'commands/init/access.md'), 'utf8')
  const made = await call(['init', 'explained', ...cidr, ...issuer, ...origin])
  expect(made.code).toBe(0)
  const text = await readFile(join(folder, 'explained/access/access.json'), 'utf8')
  const members = [...text.matchAll(/"(\w+)":/g)].map(([, name = '']) => name)
  const inLimits = new Set(['perSecond', 'burst', 'limits', 'default', 'zones', 'trustedProxies'])
  expect(members.filter((name) => !inLimits.has(name) && !page.includes(name))).toEqual([])
  for (const name of ['zones.v1', 'trustedProxies.proxies', 'limits.default', 'routes', 'typ']) {
    expect(page).toContain(name)
  }
})
