import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freshIssuerKeys } from '#core/access/issuer-keys.ts'
import { fileSecretStore, writeFileSecret } from '#core/secret/file-secret-store.ts'
import { fingerprintOf } from '#core/secret/rotation/fingerprint.ts'
import { writeKeyFile } from '../secret/key-file.ts'
import {
  openRotationWorld,
  type RotationWorld,
  secretName,
} from '../secret/rotation/rotation-world.ts'

setDefaultTimeout(60_000)

const script = join(import.meta.dir, '../access/command-line.ts')

let folder: string
let world: RotationWorld
let env: Record<string, string>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-rotate-'))
  world = await openRotationWorld()
  const files = { secretFile: join(folder, 'secrets'), keyFile: join(folder, 'key') }
  await writeKeyFile(files.keyFile)
  const put = (name: string, url: string) => writeFileSecret({ ...files, name, members: { url } })
  await put('postern/rotator', world.url)
  await put(secretName, asUser('cli_a'))
  env = {
    POSTERN_MODE: 'development',
    POSTERN_DATABASE_URL: world.url,
    POSTERN_SECRET_STORE: 'file',
    POSTERN_SECRET_FILE: files.secretFile,
    POSTERN_SECRET_BOOTSTRAP_FILE: files.keyFile,
  }
  const store = fileSecretStore(files)
  await world.sql`drop role if exists cli_a, cli_b`
  await world.sql`create role cli_a login password 'first'`
  await world.adopt('1', await store.read(secretName, '1'))
})
afterAll(async () => {
  await world.sql`drop role if exists cli_a, cli_b`
  await world.close()
  await rm(folder, { recursive: true })
})
beforeEach(async () => {
  await world.sql`truncate postern_secret_rotation, postern_secret_ack`
})

function asUser(user: string): string {
  const url = new URL(world.url)
  ;[url.username, url.password] = [user, 'first']
  return url.href
}

async function call(args: readonly string[], more: Record<string, string> = {}) {
  const child = Bun.spawn([process.execPath, script, 'secrets', ...args], {
    env: { ...env, ...more },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [code, out, err] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { code, out, err }
}

const kind = ['--kind', 'postgres-role', '--admin', 'secret:postern/rotator#url']

const pair = ['--users', 'cli_a,cli_b']
const hook = 'https://keys.test/rotate'
const grace = ['--grace-seconds', '60']
const apiKey = ['--kind', 'api-key']
const cloud = ['--kind', 'elasticache-user', '--region', 'eu-central-1']

test.each([
  ['without a name', ['rotate']],
  ['with one user', ['set-rotation', secretName, ...kind, '--users', 'cli_a']],
  ['with the same user twice', ['set-rotation', secretName, ...kind, '--users', 'a,a']],
  ['with three users', ['set-rotation', secretName, ...kind, '--users', 'a,b,c']],
  ['with half a day', ['set-rotation', secretName, ...kind, '--users', 'a,b', '--days', '0.5']],
  ['of no kind', ['set-rotation', secretName, '--users', 'a,b', '--admin', 'secret:x#url']],
  ['of an unknown kind', ['set-rotation', secretName, '--kind', 'oracle', '--users', 'a,b']],
  ['of a login without its users', ['set-rotation', secretName, ...kind]],
  ['of a log key with a grace', ['set-rotation', secretName, '--kind', 'audit-key', ...grace]],
  ['of a member that is none', ['set-rotation', secretName, ...apiKey, '--member', 'a b']],
  ['with less than no grace', ['set-rotation', secretName, ...apiKey, '--grace-seconds', '-1']],
  ['with years of grace', ['set-rotation', secretName, ...apiKey, '--grace-seconds', '99999999']],
  [
    'with a token and no hook',
    ['set-rotation', secretName, ...apiKey, '--hook-token', 'secret:a#b'],
  ],
  ['of an issuer with users', ['set-rotation', secretName, '--kind', 'issuer-key', ...pair]],
  ['with an endless wait', ['rotate', secretName, '--wait', 'for ever']],
  ['rolled back without a reason', ['rollback', secretName]],
])('asked for a rotation %s it explains its use and exits with 64', async (_, args) => {
  expect(await call(args)).toMatchObject({ code: 64, out: '' })
})

test('a secret that nobody uses, or whose rotation nobody has described, is named with what to do', async () => {
  const unknown = await call(['rotate', 'postern/nobody'])
  expect(unknown.code).toBe(1)
  expect(unknown.err).toContain('set-rotation')
  const set = ['set-rotation', 'postern/nobody', ...kind, '--users', 'a,b']
  expect((await call(set)).err).toContain('No process has used postern/nobody')
})

test('a rotation is described, waits for a process that has not followed, goes on, and is listed', async () => {
  const waiting = await world.startProcess()
  const set = await call([
    'set-rotation',
    secretName,
    ...kind,
    '--users',
    'cli_a,cli_b',
    '--days',
    '30',
  ])
  expect(set).toMatchObject({
    code: 0,
    out: `${secretName}: cli_a and cli_b take turns every 30 days\n`,
  })
  const first = await call(['rotate', secretName, '--json', '--wait', '1'])
  expect(first.code).toBe(75)
  expect(JSON.parse(first.out)).toMatchObject({ step: 'settle', base: '1', pending: '2' })
  expect(first.out).toContain(waiting)
  expect(first.err).toContain('waiting until every process has logged in')
  await world.sql`delete from postern_process where id = ${waiting}`
  const second = await call(['rotate', secretName])
  expect(second.code).toBe(0)
  expect(second.out).toContain(`${secretName} 1 → 2 done`)
  expect(await world.journal.pointer(secretName)).toMatchObject({ current: '2', previous: '1' })
  expect((await call(['history', secretName])).out).toBe(second.out)
  const late = await call(['rollback', secretName, '--reason', 'too late'])
  expect(late.code).toBe(1)
  expect(late.err).toContain('rotate forward instead')
})

test('a command that came in with the login it rotates comes in again with the next one', async () => {
  const roles = ['postern_gateway', 'postern_worker', 'postern_sequencer', 'postern_rotator']
  for (const user of ['cli_a', 'cli_b']) await world.sql.unsafe(`grant ${roles} to ${user}`)
  const before = await world.journal.pointer(secretName)
  const own = { POSTERN_DATABASE_URL: `secret:${secretName}#url` }
  const rotated = await call(['rotate', secretName, '--json'], own)
  expect(rotated).toMatchObject({ code: 0 })
  expect(JSON.parse(rotated.out)).toMatchObject({ step: 'done', base: before?.current })
  const count = await world.sql`select from postern_secret_rotation where name = ${secretName}`
  expect(count).toHaveLength(1)
  expect((await call(['history', secretName], own)).code).toBe(0)
})

test.each([
  ['takes no --hook', [...kind, ...pair, '--hook', hook]],
  ['needs --admin', ['--kind', 'redis-user', ...pair]],
  ['takes no --users', ['--kind', 'webhook-key', ...pair]],
  ['needs --user-ids', [...cloud, ...pair]],
  ['--hook is an https URL', [...apiKey, '--hook', 'http://keys.test']],
  ['--hook-token is of the form', [...apiKey, '--hook', hook, '--hook-token', 'literal']],
])('what is wrong with the description of a kind is said: %s', async (says, args) => {
  const refused = await call(['set-rotation', secretName, ...args])
  expect(refused).toMatchObject({ code: 64, out: '', err: expect.stringContaining(says) })
})

test.each([
  ['webhook-key', [], { member: 'key' }, 'a new key, which signs beside the one before it,'],
  ['audit-key', [], { member: 'keys' }, 'a new key, which signs beside the one before it,'],
  [
    'api-key',
    ['--hook', hook, '--hook-token', 'secret:desk/hook#token'],
    {
      ...{ member: 'key', grace_seconds: 3_600 },
      hook: { url: hook, token: 'secret:desk/hook#token' },
    },
    'a new key, 3600 s before the old one ends,',
  ],
  [
    'elasticache-user',
    [...pair, '--user-ids', 'id-a,id-b', '--region', 'eu-central-1'],
    {
      ...{ users: ['cli_a', 'cli_b'], user_ids: ['id-a', 'id-b'], member: 'url' },
      region: 'eu-central-1',
    },
    'cli_a and cli_b take turns',
  ],
])(
  'a %s is described by what belongs to it, in words and in the pointer',
  async (of, args, settings, saying) => {
    const set = await call(['set-rotation', secretName, '--kind', of, ...args])
    expect(set).toMatchObject({ code: 0, out: `${secretName}: ${saying} every 90 days\n` })
    expect(await world.journal.pointer(secretName)).toMatchObject({ kind: of, settings })
  },
)

test('an API key that no process uses gets its pointer when it is described, and its time of grace', async () => {
  const files = {
    secretFile: env['POSTERN_SECRET_FILE'] ?? '',
    keyFile: env['POSTERN_SECRET_BOOTSTRAP_FILE'] ?? '',
  }
  const name = 'desk/feed'
  const missing = await call(['set-rotation', name, ...apiKey])
  expect(missing).toMatchObject({ code: 1, err: expect.stringContaining('secret.not_found') })
  await writeFileSecret({ ...files, name, members: { key: 'put there by hand' } })
  for (const _ of [1, 2]) {
    expect((await call(['set-rotation', name, ...apiKey, ...grace])).code).toBe(0)
  }
  const draining = await call(['rotate', name, '--json'])
  expect(draining.code).toBe(75)
  expect(JSON.parse(draining.out)).toMatchObject({ step: 'retire', isDrained: false })
  const store = fileSecretStore(files)
  expect(await store.currentVersion(name)).toBe('2')
  const { key } = await store.read(name, '2')
  expect(key).toMatch(/^pk_/)
  expect(await store.read(name, '1')).toEqual({ key: 'put there by hand' })
  expect((await call(['rotate', name])).out).toContain('retire, once the time of grace')
  await world.sql`update postern_secret_rotation set retire_after = now()`
  const done = await call(['rotate', name])
  expect(done.code).toBe(0)
  expect(done.out).toContain('1 → 2 done')
  await expect(store.read(name, '1')).rejects.toMatchObject({ code: 'secret.disabled' })
  expect(draining.out + draining.err + done.out + done.err).not.toContain(key ?? '')
})

test('an issuer’s key is rotated with the settings of its gateways, and stays open as long as they say', async () => {
  const name = 'postern/issuer'
  const files = { secretFile: join(folder, 'secrets'), keyFile: join(folder, 'key') }
  const first = await freshIssuerKeys()
  await writeFileSecret({ ...files, name, members: first })
  const print = fingerprintOf(world.fingerprintKey, name, first)
  await world.sql`
    insert into postern_secret (name, current_version, fingerprint, due_at)
    values (${name}, '1', decode(${print}, 'hex'), now())`
  const set = await call(['set-rotation', name, '--kind', 'issuer-key', '--days', '30'])
  expect(set).toMatchObject({
    code: 0,
    out: `${name}: the key that was published before it signs every 30 days\n`,
  })
  const without = await call(['rotate', name])
  expect(without).toMatchObject({ code: 78, err: expect.stringContaining('POSTERN_ISSUER') })
  const issuer = {
    ...{ POSTERN_ISSUER: 'https://postern.example', POSTERN_ISSUER_TTL_SECONDS: '5' },
    ...{ POSTERN_ISSUER_KEYS: `secret:${name}#current`, POSTERN_JWKS_MAX_AGE_SECONDS: '2' },
  }
  const started = await call(['rotate', name, '--json'], issuer)
  expect(started.code).toBe(75)
  expect(JSON.parse(started.out)).toMatchObject({ step: 'retire', isDrained: false })
  const [row] = await world.sql<{ seconds: number }[]>`
    select round(extract(epoch from retire_after - now()))::integer as seconds
    from postern_secret_rotation where name = ${name}`
  expect(row?.seconds).toBeWithin(25, 36)
  await world.sql`update postern_secret_rotation set retire_after = now() where name = ${name}`
  expect(await call(['rotate', name], issuer)).toMatchObject({ code: 0 })
  const kept = await fileSecretStore(files).read(name, '2')
  expect([kept['current'], kept['previous']]).toEqual([first['next'], first['current']])
})
