import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import postgres, { type Sql } from 'postgres'
import { type DenyList, openDenyList, revoke } from '#core/access/deny-list.ts'
import type { Principal } from '#core/access/principal.ts'
import { silentLog } from '#core/log.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { testJournal } from '#test/support/job-engine.ts'
import { type PostgresServer, startPostgres } from '#test/support/postgres-server.ts'
import { eventually } from './world.ts'

setDefaultTimeout(30_000)

let server: PostgresServer
let sql: Sql
/** As the gateway, which may less. */
let gateway: Sql
const lists: DenyList[] = []

beforeAll(async () => {
  server = await startPostgres()
  sql = postgres(server.url, { max: 3, onnotice: () => undefined, connect_timeout: 1 })
  await migrate({ sql, queue: 'redis' })
  gateway = connectPostgres({ ...connection(), role: 'postern_gateway' })
})
afterEach(async () => {
  for (const list of lists.splice(0)) list.close()
  await start()
  await sql`truncate postern_revocation, postern_audit_intake`
})
afterAll(async () => {
  await gateway.end({ timeout: 1 })
  await sql.end({ timeout: 1 })
  await server.stop()
})

function connection() {
  return { url: server.url, mode: 'development', applicationName: 'test', max: 2 } as const
}

/** A pool whose last attempt failed lets nobody through for a moment. */
async function start(): Promise<void> {
  await server.start()
  const isServing = () =>
    gateway`select 1`.then(
      () => true,
      () => false,
    )
  await eventually(isServing)
}

async function open(): Promise<DenyList> {
  const list = await openDenyList({ sql: gateway, log: silentLog() })
  lists.push(list)
  return list
}

const journal = testJournal()
const issuer = 'https://issuer.example'
const principal: Principal = {
  issuer,
  subject: 'service-a',
  tokenId: 'token-1',
  keyId: 'key-1',
  scopes: new Set(),
  expiresAt: 0,
}
const base = { issuer, reason: 'leaked', by: 'operator', at: new Date() }

test.each([
  ['jti', 'token-1'],
  ['sub', 'service-a'],
  ['kid', 'key-1'],
] as const)(
  'a revoked %s is denied at every gateway by itself, and its neighbours are not',
  async (claim, value) => {
    const [here, there] = [await open(), await open()]
    let changes = 0
    there.onChange(() => changes++)
    expect(here.deniedBy(principal)).toBeUndefined()
    await revoke(gateway, journal, { ...base, claim, value })
    await here.nudge()
    expect(here.deniedBy(principal)).toBe(claim)
    expect(here.deniedBy({ ...principal, issuer: 'https://other.example' })).toBeUndefined()
    const other = { ...principal, tokenId: 'token-2', subject: 'service-b', keyId: 'key-2' }
    expect(here.deniedBy(other)).toBeUndefined()
    await eventually(() => there.deniedBy(principal) === claim)
    expect(changes).toBe(1)
  },
)

test('a frozen Postgres ends a reading, never the process', async () => {
  const pool = connectPostgres(connection())
  const unhandled: unknown[] = []
  const keep = (error: unknown) => void unhandled.push(error)
  process.on('unhandledRejection', keep)
  const list = await openDenyList({ sql: pool, log: silentLog() })
  lists.push(list)
  await revoke(gateway, journal, { ...base, claim: 'jti', value: 'token-1' })
  await server.pause()
  try {
    await list.nudge()
    // Whatever the given up reading still does on the network has failed by the time this has.
    const late = connectPostgres(connection())
    await expect(Promise.resolve(late`select 1`)).rejects.toMatchObject({
      code: 'database.unavailable',
    })
  } finally {
    await server.resume()
    process.off('unhandledRejection', keep)
  }
  expect(unhandled).toEqual([])
  await eventually(() => list.deniedBy(principal) === 'jti')
  await pool.end({ timeout: 1 })
})

test('a revocation and its audit record are stored together', async () => {
  await revoke(gateway, journal, { ...base, claim: 'jti', value: 'token-1' })
  const [record] =
    await sql`select convert_from(body, 'UTF8')::json as body from postern_audit_intake`
  expect(record?.['body']).toMatchObject({
    type: 'token.revoked',
    target: 'revocation/jti',
    details: { issuer, claim: 'jti', value: 'token-1', reason: 'leaked', operator: 'operator' },
  })
})

test('a revocation whose record cannot be stored is not stored either', async () => {
  await sql`alter table postern_audit_intake rename to away`
  await expect(
    revoke(gateway, journal, { ...base, claim: 'jti', value: 'token-1' }),
  ).rejects.toThrow()
  await sql`alter table away rename to postern_audit_intake`
  expect(await sql`select 1 from postern_revocation`).toHaveLength(0)
})

test('a token revoked twice stays revoked', async () => {
  const list = await open()
  for (let again = 0; again < 2; again++)
    await revoke(gateway, journal, { ...base, claim: 'jti', value: 'token-1' })
  await list.nudge()
  expect(list.deniedBy(principal)).toBe('jti')
  expect(await sql`select 1 from postern_revocation`).toHaveLength(1)
})

test('an entry that committed late under an early number is seen', async () => {
  const list = await open()
  const committed = Promise.withResolvers<void>()
  const inserted = Promise.withResolvers<void>()
  const late = sql.begin(async (transaction) => {
    await transaction`insert into postern_revocation (issuer, claim, value, reason, revoked_by)
      values (${issuer}, 'sub', 'service-a', 'r', 'o')`
    inserted.resolve()
    await committed.promise
  })
  await inserted.promise
  await revoke(gateway, journal, { ...base, claim: 'sub', value: 'another' })
  await list.nudge()
  expect(list.deniedBy(principal)).toBeUndefined()
  committed.resolve()
  await late
  await list.nudge()
  expect(list.deniedBy(principal)).toBe('sub')
})

test('with Postgres away what was denied stays denied, and what came meanwhile follows', async () => {
  await revoke(gateway, journal, { ...base, claim: 'jti', value: 'token-1' })
  const list = await open()
  await server.stop()
  await list.nudge()
  expect(list.isLoaded()).toBe(true)
  expect(list.deniedBy(principal)).toBe('jti')
  await start()
  await revoke(gateway, journal, { ...base, claim: 'sub', value: 'service-b' })
  await list.nudge()
  expect(list.deniedBy({ ...principal, subject: 'service-b', tokenId: 'other' })).toBe('sub')
})

test('a list that could not be read is not loaded, until it can be', async () => {
  await server.stop()
  const list = await open()
  expect(list.isLoaded()).toBe(false)
  await start()
  await eventually(async () => {
    await list.nudge()
    return list.isLoaded()
  })
})

test('a revocation with Postgres away is an outage, not a success', async () => {
  await server.stop()
  const attempt = revoke(gateway, journal, { ...base, claim: 'jti', value: 'token-1' })
  await expect(attempt).rejects.toMatchObject({ code: 'database.unavailable' })
})
