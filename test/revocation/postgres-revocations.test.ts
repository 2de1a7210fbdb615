import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import type { Sql } from 'postgres'
import { connectPostgres } from '#core/postgres/connect.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { pendingRevocations } from '#core/revocation/pending-revocations.ts'
import {
  postgresRevocations,
  type RevocationRequest,
} from '#core/revocation/postgres-revocations.ts'
import { secretOf } from '#core/revocation/revocation.ts'
import { testJournal } from '#test/support/job-engine.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'

setDefaultTimeout(30_000)

let sql: Sql
let gateway: Sql
beforeAll(async () => {
  const url = await (await sharedPostgres()).createDatabase()
  const connection = { url, mode: 'development', applicationName: 'test', max: 4 } as const
  sql = connectPostgres(connection)
  await migrate({ sql, queue: 'redis' })
  gateway = connectPostgres({ ...connection, role: 'postern_gateway' })
})
afterEach(async () => {
  await sql`truncate postern_revocation, postern_audit_intake`
})
afterAll(() => Promise.all([sql.end({ timeout: 1 }), gateway.end({ timeout: 1 })]))

const issuer = 'https://issuer.example'
const leaked: RevocationRequest = {
  ...{ class: 'jti', issuer, value: 'token-1', reason: 'leaked' },
  ...{ until: undefined, by: 'ann' },
}
const key: RevocationRequest = { ...leaked, class: 'kid', value: 'key-1' }

const open = () =>
  postgresRevocations({ sql: gateway, journal: testJournal(), now: () => new Date() })
const revoke = (request: Partial<RevocationRequest> = {}) =>
  open().revoke({ ...leaked, ...request })
const records = async () =>
  (
    await sql`select convert_from(body, 'UTF8')::json as body from postern_audit_intake order by id`
  ).map(({ body }) => body)
const feed = async () =>
  (await sql<{ seq: string }[]>`select seq::text from postern_revocation_feed`)[0]?.seq

test('a revocation, its number and its audit record are stored together', async () => {
  const before = BigInt((await feed()) ?? '')
  const revoked = await revoke()
  expect(revoked).toMatchObject({ state: 'in_force', revoked_by: 'ann', effective_at: null })
  expect(BigInt((await feed()) ?? '')).toBe(before + 1n)
  expect(await records()).toMatchObject([
    {
      ...{ type: 'token.revoked', target: 'revocation/jti' },
      details: { issuer, class: 'jti', value: 'token-1', reason: 'leaked', operator: 'ann' },
    },
  ])
})

test('a revocation whose record cannot be stored is not stored either', async () => {
  await sql`alter table postern_audit_intake rename to away`
  await expect(revoke()).rejects.toThrow()
  await sql`alter table away rename to postern_audit_intake`
  expect(await open().list({ limit: 10 })).toEqual([])
})

test('a token’s row goes with the longest life of a token, a subject’s never', async () => {
  const { until } = await revoke()
  const days = (Date.parse(until ?? '') - Date.now()) / 86_400_000
  expect([Math.round(days), (await revoke({ class: 'sub' })).until]).toEqual([1, null])
})

test.each([
  ['ahead', 24, 2],
  ['behind', -24, 1],
])('a token’s row outlasts it while our clock is %s of Postgres’s', async (_, hours, daysLeft) => {
  const now = () => new Date(Date.now() + hours * 3_600_000)
  const ours = postgresRevocations({ sql: gateway, journal: testJournal(), now })
  const { until } = await ours.revoke(leaked)
  expect(Math.round((Date.parse(until ?? '') - Date.now()) / 86_400_000)).toBe(daysLeft)
})

test('asked again it is never made weaker', async () => {
  const far = new Date(Date.now() + 9e8)
  const near = new Date(Date.now() + 9e5)
  const subject = { class: 'sub', value: 'a' } as const
  expect((await revoke({ ...subject, until: near })).until).toBe(near.toISOString())
  expect((await revoke({ ...subject, until: far })).until).toBe(far.toISOString())
  expect((await revoke({ ...subject, until: near })).until).toBe(far.toISOString())
  expect((await revoke(subject)).until).toBeNull()
  expect((await revoke({ ...subject, until: near })).until).toBeNull()
})

test('a login that leaks again is ended again; a version that is refused stays so', async () => {
  for (const [of, value] of [
    ['credential', 'postern/database:app_a'],
    ['secret', 'postern/database@1'],
  ] as const) {
    const first = await revoke({ class: of, issuer: '', value })
    await sql`update postern_revocation set effective_at = now() where id = ${first.id}::bigint`
    const again = await revoke({ class: of, issuer: '', value })
    expect([again.id, again.effective_at === null]).toEqual([first.id, of === 'credential'])
  }
})

test('a login that was ended and has its turn again is revoked again, one under way is not begun anew', async () => {
  const login = { class: 'credential', issuer: '', value: 'postern/database:app_a' } as const
  const { id } = await revoke(login)
  const inForceAt = async () => {
    const [row] = await sql<
      { at: string }[]
    >`select in_force_at::text as at from postern_revocation`
    return row?.at
  }
  const first = await inForceAt()
  await revoke(login)
  expect(await inForceAt()).toBe(first)
  await pendingRevocations(sql).settle(id)
  expect(await revoke(login)).toMatchObject({ state: 'in_force', effective_at: null })
  expect((await pendingRevocations(sql).list()).map((one) => one.id)).toEqual([id])
  expect(await inForceAt()).not.toBe(first)
})

test.each(['kid', 'iss'] as const)('%s takes two persons who differ', async (of) => {
  const request = { ...key, class: of }
  const first = await revoke(request)
  expect(first).toMatchObject({ state: 'awaiting_second', second_by: null })
  const again = { code: 'access.second_principal_needed', status: 409 }
  await expect(revoke(request)).rejects.toMatchObject(again)
  const second = await revoke({ ...request, by: 'bob' })
  expect(second).toMatchObject({ state: 'in_force', revoked_by: 'ann', second_by: 'bob' })
  // What is in force is no matter of two any more.
  expect(await revoke(request)).toMatchObject({ state: 'in_force' })
})

test('of two who ask at once one is the first and the other the second', async () => {
  const states = await Promise.all(['ann', 'bob'].map((by) => revoke({ ...key, by })))
  expect(states.map(({ state }) => state).sort()).toEqual(['awaiting_second', 'in_force'])
})

test('the word of the first is forgotten after 15 minutes', async () => {
  await revoke(key)
  await sql`update postern_revocation set revoked_at = now() - interval '15 minutes'`
  expect(await revoke({ ...key, by: 'bob' })).toMatchObject({
    ...{ state: 'awaiting_second', revoked_by: 'bob' },
  })
})

test('lifting takes two persons who differ, and stays in force until then', async () => {
  const { id } = await revoke()
  const lift = (by: string) => open().lift({ id, reason: 'found', by })
  expect(await lift('ann')).toMatchObject({ state: 'in_force', lift_asked_by: 'ann' })
  await expect(lift('ann')).rejects.toMatchObject({ code: 'access.second_principal_needed' })
  expect(await lift('bob')).toMatchObject({ state: 'lifted', lifted_by: 'bob' })
  await expect(lift('eve')).rejects.toMatchObject({ code: 'revocation.not_liftable' })
  expect((await records()).map(({ type }) => type)).toEqual([
    ...['token.revoked', 'revocation.lift_requested', 'revocation.lifted'],
  ])
  const anew = await revoke({ by: 'eve' })
  expect(anew).toMatchObject({ id, state: 'in_force', lifted_by: null, revoked_by: 'eve' })
})

test('what is unknown, waits for a second or is of a secret cannot be lifted', async () => {
  const lift = (id: string) => open().lift({ id, reason: 'found', by: 'ann' })
  await expect(lift('4711')).rejects.toMatchObject({ code: 'revocation.not_found' })
  const { id } = await revoke(key)
  await expect(lift(id)).rejects.toMatchObject({ code: 'revocation.not_liftable' })
  const secret = await revoke({ class: 'secret', issuer: '', value: 'postern/database@7' })
  await expect(lift(secret.id)).rejects.toMatchObject({ code: 'revocation.not_liftable' })
  await expect(open().read('4711')).rejects.toMatchObject({ code: 'revocation.not_found' })
})

test('pages follow each other, by class and state', async () => {
  for (const value of ['a', 'b', 'c']) await revoke({ class: 'sub', value })
  await revoke(key)
  const page = await open().list({ class: 'sub', state: 'in_force', limit: 2 })
  expect(page.map(({ value }) => value)).toEqual(['c', 'b'])
  const rest = await open().list({ class: 'sub', limit: 2, cursor: page.at(-1)?.id })
  expect(rest.map(({ value }) => value)).toEqual(['a'])
  expect(await open().list({ state: 'awaiting_second', limit: 9 })).toHaveLength(1)
})

test('the newest comes first, and the oldest that is pending, past the ninth too', async () => {
  await sql`truncate postern_revocation restart identity`
  const values = Array.from({ length: 12 }, (_, at) => `login-${at}`)
  for (const value of values) await revoke({ class: 'credential', issuer: '', value })
  const listed = await open().list({ limit: 12 })
  expect(listed.map(({ value }) => value)).toEqual(values.toReversed())
  const pending = await pendingRevocations(sql).list()
  expect(pending.map(({ value }) => value)).toEqual(values)
})

test.each([
  ['secret', 'postern/database@7', { name: 'postern/database', version: '7' }],
  ['secret', 'a@b@c', { name: 'a', version: 'b@c' }],
  ['secret', 'postern/database', undefined],
  ['secret', 'postern/database:app', undefined],
  ['secret', '@7', undefined],
  ['secret', 'a@', undefined],
  ['credential', 'postern/database:app_a', { name: 'postern/database', user: 'app_a' }],
  ['credential', 'a@7', undefined],
] as const)('of %s %p names %p', (of, value, named) => {
  expect(secretOf({ class: of, issuer: '', value })).toEqual(named)
})
