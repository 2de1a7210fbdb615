import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import type { Sql } from 'postgres'
import { z } from 'zod'
import { connectPostgres } from '#core/postgres/connect.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { postgresRevocations } from '#core/revocation/postgres-revocations.ts'
import { revocationRoutes } from '#gateway/routes/revocations.ts'
import { testJournal } from '#test/support/job-engine.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'
import { memoryGateway, problemIn } from './memory-gateway.ts'

setDefaultTimeout(30_000)

let sql: Sql
let gateway: ReturnType<typeof memoryGateway>
beforeAll(async () => {
  const url = await (await sharedPostgres()).createDatabase()
  sql = connectPostgres({ url, mode: 'development', applicationName: 'test', max: 2 })
  await migrate({ sql, queue: 'redis' })
  const now = () => new Date()
  const revocations = postgresRevocations({ sql, journal: testJournal(), now })
  gateway = memoryGateway({ overrides: { routes: revocationRoutes({ revocations, now }) } })
})
afterEach(async () => {
  await sql`truncate postern_revocation`
})
afterAll(() => sql.end({ timeout: 1 }))

const path = '/internal/revocations'
const issuer = 'https://issuer.example'
const leaked = { class: 'jti', issuer, value: 'token-1', reason: 'leaked' }
const documentOf = async (answer: Response) =>
  z
    .object({ id: z.string(), state: z.string() })
    .loose()
    .parse(await answer.json())
const pageOf = async (answer: Response) =>
  z
    .object({ revocations: z.array(z.unknown()), next: z.string().optional() })
    .parse(await answer.json())
const post = (body: unknown, as = 'all') => gateway.post(path, body, { as })

test('without the scope nothing is revoked, listed or lifted', async () => {
  const calls = [
    gateway.post(path, leaked, { as: 'none' }),
    gateway.request(path, { as: 'none' }),
    gateway.request(`${path}/1?reason=x`, { as: 'none', method: 'DELETE' }),
  ]
  for (const answer of await Promise.all(calls)) {
    expect((await problemIn(answer)).code).toBe('access.scope_missing')
  }
})

test.each([
  ['/class', { ...leaked, class: 'all' }],
  ['/issuer', { ...leaked, issuer: undefined }],
  ['/issuer', { ...leaked, issuer: 'two words' }],
  ['/value', { ...leaked, value: undefined }],
  ['/value', { ...leaked, value: '' }],
  ['/value', { ...leaked, value: 'x'.repeat(257) }],
  ['/value', { ...leaked, class: 'iss' }],
  ['/until', { ...leaked, until: '2020-01-01T00:00:00Z' }],
  ['/until', { ...leaked, until: 'soon' }],
  ['/reason', { ...leaked, reason: ' ' }],
  ['/reason', { ...leaked, reason: undefined }],
  ['/by', { ...leaked, by: 'root' }],
  ['/issuer', { class: 'secret', issuer, value: 'a@1', reason: 'x' }],
  ['/value', { class: 'secret', value: 'postern/database', reason: 'x' }],
  ['/value', { class: 'secret', value: 'Über@1', reason: 'x' }],
  ['/value', { class: 'credential', value: 'a@1', reason: 'x' }],
  ['/until', { class: 'secret', value: 'a@1', reason: 'x', until: '2999-01-01T00:00:00Z' }],
  ['/value', { ...leaked, class: 'sub', value: 'all' }],
])('a revocation is refused at %s', async (pointer, body) => {
  const problem = await problemIn(await post(body))
  expect([problem.status, problem.errors?.map((error) => error.pointer)]).toEqual([422, [pointer]])
  expect(await sql`select 1 from postern_revocation`).toHaveLength(0)
})

test('a token is revoked at once, read, listed and lifted by two', async () => {
  const answer = await post(leaked)
  const revoked = await documentOf(answer)
  expect(answer.status).toBe(200)
  expect(revoked).toMatchObject({ class: 'jti', state: 'in_force', revoked_by: `${issuer} all` })
  const one = `${path}/${revoked.id}`
  expect(await (await gateway.request(one)).json()).toEqual(revoked)
  expect(await (await gateway.request(`${path}?class=jti`)).json()).toEqual({
    revocations: [revoked],
  })
  const lift = (as: string) => gateway.request(`${one}?reason=found`, { method: 'DELETE', as })
  expect((await problemIn(await gateway.request(one, { method: 'DELETE' }))).status).toBe(400)
  expect((await lift('all')).status).toBe(202)
  expect((await problemIn(await lift('all'))).code).toBe('access.second_principal_needed')
  const lifted = await lift('operator')
  expect([lifted.status, (await documentOf(lifted)).state]).toEqual([200, 'lifted'])
})

test('a signing key waits for the second principal', async () => {
  const key = { ...leaked, class: 'kid' }
  expect((await post(key)).status).toBe(202)
  expect((await problemIn(await post(key))).status).toBe(409)
  expect((await post(key, 'operator')).status).toBe(200)
})

test('a page names the next', async () => {
  for (const value of ['a', 'b', 'c']) await post({ ...leaked, value })
  const page = await pageOf(await gateway.request(`${path}?limit=2`))
  expect(page.revocations).toHaveLength(2)
  const rest = await pageOf(await gateway.request(`${path}?limit=2&cursor=${page.next}`))
  expect([rest.revocations.length, rest.next]).toEqual([1, undefined])
  expect((await problemIn(await gateway.request(`${path}?cursor=x`))).status).toBe(400)
  expect((await problemIn(await gateway.request(`${path}/9999`))).code).toBe('revocation.not_found')
})
