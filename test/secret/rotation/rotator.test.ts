import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  setDefaultTimeout,
  test,
} from 'bun:test'
import postgres, { type Sql } from 'postgres'
import { silentLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { postgresRevocations } from '#core/revocation/postgres-revocations.ts'
import { checkRotation } from '#core/secret/rotation/check-rotation.ts'
import { fingerprintOf, readFingerprintKey } from '#core/secret/rotation/fingerprint.ts'
import { postgresRoleTarget } from '#core/secret/rotation/postgres-role-target.ts'
import { postgresRotationJournal } from '#core/secret/rotation/postgres-rotation-journal.ts'
import { type Rotator, startRotator } from '#core/secret/rotation/rotator.ts'
import type { SecretMembers } from '#core/secret/secret-store.ts'
import { testJournal } from '#test/support/job-engine.ts'
import { startPasswordPostgres } from '#test/support/password-postgres.ts'
import type { PostgresServer } from '#test/support/postgres-server.ts'
import { eventually } from '../../integration/world.ts'
import { memorySecretStore } from '../memory-secret-store.ts'

setDefaultTimeout(60_000)

const users = ['turn_a', 'turn_b'] as const
const name = 'postern/target'
const now = () => new Date()
let server: PostgresServer
let sql: Sql
let rotatorSql: Sql
let store: ReturnType<typeof memorySecretStore>
let metrics: ReturnType<typeof createMetrics>
const closers: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  server = await startPasswordPostgres(users)
  const connection = { url: server.adminUrl, mode: 'development', applicationName: 'test' } as const
  sql = connectPostgres({ ...connection, max: 4 })
  await migrate({ sql, queue: 'redis' })
  rotatorSql = connectPostgres({ ...connection, max: 4, role: 'postern_rotator' })
})
afterAll(async () => {
  await Promise.all([sql.end({ timeout: 1 }), rotatorSql.end({ timeout: 1 })])
  await server.stop('immediate')
})
beforeEach(async () => {
  store = memorySecretStore()
  metrics = createMetrics()
  await sql.unsafe(`create role ${users[0]} login password 'first'`)
  const first = loginOf(users[0], 'first')
  const version = await store.stage(name, { members: first, rotation: Bun.randomUUIDv7() })
  const key = await readFingerprintKey(sql)
  await sql`
    insert into postern_secret (name, kind, current_version, fingerprint, due_at)
    values (${name}, 'postgres-role', ${version}, decode(${fingerprintOf(key, name, first)}, 'hex'),
      now() + interval '90 days')`
})
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
  await sql.unsafe(`drop role if exists ${users.join()}`)
  await sql`
    truncate postern_secret, postern_secret_rotation, postern_secret_ack, postern_process,
      postern_revocation, postern_audit_intake`
})

function loginOf(user: string, password: string): SecretMembers {
  const url = new URL(server.adminUrl)
  ;[url.username, url.password] = [user, password]
  return { url: url.href }
}

const connect = (url: string) =>
  postgres(url, { max: 1, connect_timeout: 2, backoff: () => 0, onnotice: () => undefined })

async function start(): Promise<Rotator> {
  const rotator = await startRotator({
    ...{ sql: rotatorSql, store, metrics, journal: journal(rotatorSql), log: silentLog() },
    fingerprintKey: await readFingerprintKey(sql),
    async openTarget(_name, _pointer, stack) {
      const admin = stack.adopt(connect(server.adminUrl), (open) => open.end({ timeout: 1 }))
      return postgresRoleTarget({ users, member: 'url', admin, connect })
    },
  })
  closers.push(() => rotator.close())
  return rotator
}

const journal = (of: Sql) => postgresRotationJournal({ sql: of, journal: testJournal(), now })
const revoke = (of: 'secret' | 'credential', value: string) =>
  postgresRevocations({ sql, journal: testJournal(), now }).revoke({
    ...{ class: of, issuer: '', value, reason: 'leaked', until: undefined, by: 'ann' },
  })

/** A thief's session, opened with the credential in force. */
async function steal(user: string = users[0], password = 'first') {
  const thief = connect(loginOf(user, password)['url'] ?? '')
  await thief`select 1`
  closers.push(() => thief.end({ timeout: 1 }).catch(() => undefined))
  const pid = (await thief<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]?.pid ?? 0
  return {
    isIn: async () => (await sql`select from pg_stat_activity where pid = ${pid}`).length > 0,
    canLogIn: async () => {
      const again = connect(loginOf(user, password)['url'] ?? '')
      const isIn = await again`select 1`.then(
        () => true,
        () => false,
      )
      await again.end({ timeout: 1 })
      return isIn
    },
  }
}

/** A process that is alive and never proves a thing. */
async function deafProcess(): Promise<void> {
  const id = Bun.randomUUIDv7()
  await sql`insert into postern_process (id, role, host, version) values (${id}, 'worker', 'h', 'v')`
  await sql`
    insert into postern_secret_ack (process, name, version, fingerprint)
    values (${id}, ${name}, '', '')`
}

const pointer = async () => (await journal(sql).pointer(name))?.current
const lastStep = async () => (await journal(sql).history(name, 1))[0]?.step
const isEffective = async () =>
  (await sql`select from postern_revocation where effective_at is not null`).length === 1
const count = async (metric: string) =>
  Number(new RegExp(`^${metric} (\\d+)$`, 'm').exec(await metrics.registry.metrics())?.[1] ?? 0)

/** A session is told to end and goes a moment later; another one cannot be opened. */
async function isOut(thief: Awaited<ReturnType<typeof steal>>): Promise<void> {
  expect(await thief.canLogIn()).toBe(false)
  await eventually(async () => !(await thief.isIn()))
}

const rotated = 'secrets_rotated_total\\{backend="memory"\\}'

test('what is planned is taken to its end, and counted once', async () => {
  await Promise.all([start(), start()])
  await journal(sql).plan(name, 'test')
  await eventually(async () => (await lastStep()) === 'done')
  expect(await pointer()).toBe('2')
  await eventually(async () => (await count(rotated)) > 0)
  expect(await count(rotated)).toBe(1)
})

test('what is due is opened by the check, rotated, and due again 90 days later', async () => {
  await start()
  const check = (isDryRun = false) =>
    checkRotation({
      ...{ sql, journal: testJournal(), rotations: journal(sql), now, by: 'test', isDryRun },
    })
  expect(await check()).toEqual({ opened: [], under_way: [], reminded: [] })
  await sql`update postern_secret set due_at = now()`
  expect(await check(true)).toEqual({ opened: [name], under_way: [], reminded: [] })
  expect(await check()).toEqual({ opened: [name], under_way: [], reminded: [] })
  await eventually(async () => (await lastStep()) === 'done')
  expect(await check()).toEqual({ opened: [], under_way: [], reminded: [] })
  const [row] = await sql<{ days: number }[]>`
    select round(extract(epoch from due_at - now()) / 86400)::integer as days from postern_secret`
  expect(row?.days).toBe(90)
})

test('what only a person can rotate raises a reminder from 14 days before, and no rotation', async () => {
  const check = () =>
    checkRotation({ sql, journal: testJournal(), rotations: journal(sql), now, by: 'test' })
  await sql`update postern_secret set kind = null, due_at = now() + interval '14 days 1 hour'`
  expect((await check()).reminded).toEqual([])
  await sql`update postern_secret set due_at = now() + interval '14 days'`
  expect(await check()).toEqual({ opened: [], under_way: [], reminded: [name] })
  const [record] = await sql`
    select convert_from(body, 'UTF8')::json ->> 'type' as type from postern_audit_intake`
  expect(record?.['type']).toBe('secret.reminder')
  expect(await lastStep()).toBeUndefined()
})

test('the version in force is revoked: rotated away from, its sessions ended, whoever still uses it', async () => {
  await deafProcess()
  const thief = await steal()
  await start()
  await revoke('secret', `${name}@1`)
  await eventually(isEffective)
  await isOut(thief)
  await eventually(async () => (await lastStep()) === 'done')
  expect(await pointer()).toBe('2')
  await expect(store.read(name, '1')).rejects.toMatchObject({ code: 'secret.disabled' })
  expect(await count('postern_revocation_effective_seconds_count\\{class="secret"\\}')).toBe(1)
})

test('a rotation that waits for a process waits no longer when its version is revoked', async () => {
  await deafProcess()
  const thief = await steal()
  await start()
  await journal(sql).plan(name, 'test')
  await eventually(async () => (await lastStep()) === 'settle')
  expect(await thief.isIn()).toBe(true)
  await revoke('secret', `${name}@1`)
  await eventually(isEffective)
  await isOut(thief)
  expect(await pointer()).toBe('2')
})

test('the version that was to follow is revoked: the one in force stays', async () => {
  await deafProcess()
  await start()
  await journal(sql).plan(name, 'test')
  await eventually(async () => (await lastStep()) === 'settle')
  await revoke('secret', `${name}@2`)
  await eventually(isEffective)
  await eventually(async () => (await lastStep()) === 'undone')
  expect(await pointer()).toBe('1')
  expect(await (await steal()).canLogIn()).toBe(true)
})

test('a login in force is revoked by its name', async () => {
  const thief = await steal()
  await start()
  await revoke('credential', `${name}:${users[0]}`)
  await eventually(isEffective)
  await isOut(thief)
  expect(await pointer()).toBe('2')
})

test('the login that is not in force is ended where it is, and nothing is rotated', async () => {
  await sql.unsafe(`create role ${users[1]} login password 'old'`)
  const thief = await steal(users[1], 'old')
  await start()
  await revoke('credential', `${name}:${users[1]}`)
  await eventually(isEffective)
  await isOut(thief)
  expect([await pointer(), await lastStep()]).toEqual(['1', undefined])
})

test('a version retired long ago is refused already; the login in force is left alone', async () => {
  await start()
  for (const _ of [1, 2]) {
    await journal(sql).plan(name, 'test')
    await eventually(async () => (await lastStep()) === 'done')
  }
  await revoke('secret', `${name}@1`)
  await eventually(isEffective)
  expect(await pointer()).toBe('3')
  const { url = '' } = await store.read(name, '3')
  const owner = connect(url)
  closers.push(() => owner.end({ timeout: 1 }))
  expect(await owner`select 1 as one`).toHaveLength(1)
})

test.each([
  ['secret', 'postern/nobody@1'],
  ['credential', `${name}:postgres`],
] as const)(
  'of what is not ours (%s %s) the reason is shown, and it stays open',
  async (of, value) => {
    await start()
    await revoke(of, value)
    await eventually(
      async () => (await sql`select from postern_revocation where error is not null`).length > 0,
    )
    expect(await isEffective()).toBe(false)
    expect(await pointer()).toBe('1')
  },
)

test('whoever asks for the version before gets it, as long as it is not settled', async () => {
  await deafProcess()
  await start()
  await journal(sql).plan(name, 'test')
  await eventually(async () => (await lastStep()) === 'settle')
  const [open] = await journal(sql).history(name, 1)
  if (open === undefined) throw new Error('it is open')
  await journal(sql).askRollBack(open, { reason: 'wrong hour', by: 'ann' })
  await sql`update postern_secret_ack set version = '1', fingerprint = (select previous_fingerprint from postern_secret)`
  await eventually(async () => (await pointer()) === '1')
})
