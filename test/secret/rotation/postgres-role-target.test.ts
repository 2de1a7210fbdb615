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
import { postgresRoleTarget } from '#core/secret/rotation/postgres-role-target.ts'
import type { SecretMembers } from '#core/secret/secret-store.ts'
import { startPasswordPostgres } from '#test/support/password-postgres.ts'
import type { PostgresServer } from '#test/support/postgres-server.ts'
import { eventually } from '../../integration/world.ts'

setDefaultTimeout(60_000)

const users = ['app_a', 'app_b'] as const
let server: PostgresServer
let admin: Sql
let base: URL
beforeAll(async () => {
  server = await startPasswordPostgres(users)
  base = new URL(server.url)
  const owner = postgres(server.adminUrl, { max: 1, onnotice: () => undefined })
  await owner`create role rotator login superuser password 'r'`
  await owner.end()
  const url = new URL(server.url)
  ;[url.username, url.password] = ['rotator', 'r']
  admin = postgres(url.href, { max: 2, onnotice: () => undefined })
  await admin`create role app_owner nologin`
  await admin`create table kept (n integer)`
  await admin`grant select on kept to app_owner`
})
afterAll(async () => {
  await admin.end()
  await server.stop('immediate')
})

let opened: Sql[] = []
beforeEach(async () => {
  await admin`create role app_a login password 'first'`
  await admin`grant app_owner to app_a`
})
afterEach(async () => {
  await Promise.all(opened.map((sql) => sql.end({ timeout: 1 }).catch(() => undefined)))
  opened = []
  await admin`drop role if exists app_a, app_b`
})

function connect(url: string): Sql {
  const sql = postgres(url, {
    max: 1,
    connect_timeout: 2,
    backoff: () => 0,
    onnotice: () => undefined,
  })
  opened.push(sql)
  return sql
}

const target = (over: { readonly users?: readonly [string, string] } = {}) =>
  postgresRoleTarget({ admin, users, member: 'url', connect, ...over })

function loginOf(user: string, password: string): SecretMembers {
  const url = new URL(base)
  ;[url.username, url.password] = [user, password]
  return { url: url.href, note: 'kept' }
}
const first = () => loginOf('app_a', 'first')
const urlIn = (members: SecretMembers) => members['url'] ?? ''
const refusal = { code: 'secret.target_refused' }

test('the two users take turns, with a new password of 256 bits each', () => {
  const next = target().generate(first())
  expect(next['note']).toBe('kept')
  const { username, password, host, pathname } = new URL(urlIn(next))
  expect({ username, host, pathname }).toEqual({
    username: 'app_b',
    host: base.host,
    pathname: base.pathname,
  })
  expect(Buffer.from(password, 'base64url')).toHaveLength(32)
  const after = target().generate(next)
  expect(new URL(urlIn(after)).username).toBe('app_a')
  expect(new URL(urlIn(after)).password).not.toBe(password)
})

test.each([
  ['a login that is neither of the two', () => loginOf('postgres', 'x')],
  ['a member that is no URL', () => ({ url: 'nowhere' })],
  ['no such member', () => ({ password: 'x' })],
])('%s is refused before anything is made', (_, members) => {
  expect(() => target().generate(members())).toThrow(expect.objectContaining(refusal))
})

test('set lets the pending login in beside the one in force, with its rights, any number of times', async () => {
  const succession = { current: first(), pending: target().generate(first()) }
  for (const _ of [1, 2]) await target().set(succession)
  await target().test(succession)
  for (const members of [succession.current, succession.pending]) {
    expect([...(await connect(urlIn(members))`select count(*)::integer as n from kept`)]).toEqual([
      { n: 0 },
    ])
  }
})

test('without proof of the login in force nothing is set', async () => {
  const current = loginOf('app_a', 'wrong')
  const pending = target().generate(first())
  await expect(target().set({ current, pending })).rejects.toMatchObject(refusal)
  expect(await admin`select from pg_roles where rolname = 'app_b'`).toHaveLength(0)
})

test('a login whose password a thief has changed is replaced with its rights, and the thief is out', async () => {
  const thief = connect(urlIn(first()))
  await thief`alter role app_a password 'mine'`
  expect(await target().isRefused(first())).toBe(true)
  const succession = { current: first(), pending: target().generate(first()) }
  await expect(target().set(succession)).rejects.toMatchObject(refusal)
  await target().set({ ...succession, isUrgent: true })
  await target().test(succession)
  expect([...(await connect(urlIn(succession.pending))`select n from kept`)]).toEqual([])
  await target().retire({ kept: succession.pending, retired: first() })
  expect(await sessions('app_a')).toBe(0)
  expect(await target().isRefused(loginOf('app_a', 'mine'))).toBe(true)
})

test('a user that the server does not have is no model for another', async () => {
  const current = loginOf('app_b', 'never')
  const pending = target().generate(current)
  await expect(target().set({ current, pending, isUrgent: true })).rejects.toMatchObject({
    ...refusal,
    message: expect.stringContaining('no user app_b'),
  })
})

test.each([
  ['another host', (url: URL) => (url.hostname = 'localhost')],
  ['another database', (url: URL) => (url.pathname = '/postgres')],
  ['the user in force', (url: URL) => (url.username = 'app_a')],
])('a pending version of %s is refused', async (_, change) => {
  const url = new URL(urlIn(target().generate(first())))
  change(url)
  await expect(
    target().set({ current: first(), pending: { url: url.href } }),
  ).rejects.toMatchObject(refusal)
  expect(await admin`select from pg_roles where rolname = 'app_b'`).toHaveLength(0)
})

test('a pending login that lacks a right of the one in force is refused', async () => {
  const succession = { current: first(), pending: target().generate(first()) }
  await target().set(succession)
  await admin`revoke app_owner from app_b`
  await expect(target().test(succession)).rejects.toMatchObject({
    ...refusal,
    message: expect.stringContaining('app_owner'),
  })
})

test('retired, a login is refused and every session of it has ended, whatever it was doing', async () => {
  const succession = { current: first(), pending: target().generate(first()) }
  await target().set(succession)
  const idle = connect(urlIn(first()))
  await idle`select 1`
  const busy = connect(urlIn(first()))
  const sleeping = busy`select pg_sleep(60)`.catch((error: unknown) => error)
  const open = connect(urlIn(first()))
  const reserved = await open.reserve()
  await reserved`begin`
  await reserved`select 1`
  const other = connect(urlIn(succession.pending))
  await other`select 1`
  await eventually(async () => (await sessions('app_a')) >= 3)

  await target().retire({ kept: succession.pending, retired: first() })
  expect(await sessions('app_a')).toBe(0)
  expect(await sleeping).toMatchObject({ code: expect.stringMatching(/57P01|CONNECTION/) })
  expect(await target().isRefused(first())).toBe(true)
  expect(await target().isRefused(succession.pending)).toBe(false)
  expect([...(await other`select session_user as name`)]).toEqual([{ name: 'app_b' }])
  // Once more, as after a crash.
  await target().retire({ kept: succession.pending, retired: first() })
})

test('a user that was retired may log in again by its next turn', async () => {
  const second = target().generate(first())
  await target().set({ current: first(), pending: second })
  await target().retire({ kept: second, retired: first() })
  const third = target().generate(second)
  await target().set({ current: second, pending: third })
  await target().test({ current: second, pending: third })
  expect(await target().isRefused(first())).toBe(true)
  expect(await target().isRefused(third)).toBe(false)
})

test('what has never been set is retired without an error', async () => {
  await target().retire({ kept: first(), retired: loginOf('app_b', 'never') })
  expect(await target().isRefused(loginOf('app_b', 'never'))).toBe(true)
})

test('a server out of reach is an outage and no refusal', async () => {
  const gone = postgresRoleTarget({
    ...{ admin, users, member: 'url' },
    connect: () => connect('postgres://app_a@127.0.0.1:1/postern'),
  })
  await expect(gone.isRefused(first())).rejects.toMatchObject({ code: 'secret.target_unavailable' })
  await expect(
    gone.set({ current: first(), pending: target().generate(first()) }),
  ).rejects.toMatchObject({ code: 'secret.target_unavailable' })
})

test('no statement that the server has seen holds a password', async () => {
  const pending = target().generate(first())
  await target().set({ current: first(), pending })
  const { password } = new URL(urlIn(pending))
  const [row] = await admin<{ stored: string; seen: number }[]>`
    select (select rolpassword from pg_authid where rolname = 'app_b') as stored,
      (select count(*)::integer from pg_stat_activity where query like ${`%${password}%`}
        and pid <> pg_backend_pid()) as seen`
  expect(row?.stored).toStartWith('SCRAM-SHA-256$4096:')
  expect(row?.seen).toBe(0)
})

async function sessions(user: string): Promise<number> {
  return (await admin`select from pg_stat_activity where usename = ${user}`).length
}
