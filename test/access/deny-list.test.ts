import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import postgres, { type Sql } from 'postgres'
import { type DenyList, type Effect, openDenyList } from '#core/access/deny-list.ts'
import type { Principal } from '#core/access/principal.ts'
import { silentLog } from '#core/log.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { postgresRevocations } from '#core/revocation/postgres-revocations.ts'
import type { TokenClass } from '#core/revocation/revocation.ts'
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
  await start()
  for (const list of lists.splice(0)) await list.close()
  await sql`truncate postern_revocation, postern_revocation_ack, postern_process, postern_audit_intake`
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

type Opening = {
  readonly monotonicMs?: () => number
  readonly now?: () => Date
  readonly sql?: Sql
}

async function open(options: Opening = {}): Promise<DenyList> {
  const process = Bun.randomUUIDv7()
  const list = await openDenyList({ sql: gateway, log: silentLog(), process, ...options })
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
function revoke(of: TokenClass, value: string) {
  const request = { class: of, issuer, value, reason: 'leaked', until: undefined }
  const revocations = postgresRevocations({ sql: gateway, journal, now: () => new Date() })
  return revocations.revoke({ ...request, by: 'operator' })
}

test.each([
  ['jti', 'token-1'],
  ['sub', 'service-a'],
] as const)(
  'a revoked %s is denied at every gateway by itself, and its neighbours are not',
  async (claim, value) => {
    const [here, there] = [await open(), await open()]
    let changes = 0
    there.onChange(() => changes++)
    expect(here.deniedBy(principal)).toBeUndefined()
    await revoke(claim, value)
    await here.nudge()
    expect(here.deniedBy(principal)).toBe(claim)
    expect(here.deniedBy({ ...principal, issuer: 'https://other.example' })).toBeUndefined()
    const other = { ...principal, tokenId: 'token-2', subject: 'service-b', keyId: 'key-2' }
    expect(here.deniedBy(other)).toBeUndefined()
    await eventually(() => there.deniedBy(principal) === claim)
    expect(changes).toBe(1)
  },
)

test('a change is acknowledged when open sessions have been told, and not before', async () => {
  const list = await open()
  const lag = async () => {
    const [row] = await sql<{ lag: number }[]>`
      select (f.seq - coalesce(max(a.seq), 0))::integer as lag
      from postern_revocation_feed f left join postern_revocation_ack a on true group by f.seq`
    return row?.lag
  }
  let lagWhenTold: number | undefined
  list.onChange(async () => {
    lagWhenTold = await lag()
  })
  await revoke('jti', 'token-1')
  await list.nudge()
  expect([lagWhenTold, await lag()]).toEqual([1, 0])
})

test('a frozen Postgres ends a reading, never the process', async () => {
  const pool = connectPostgres(connection())
  const unhandled: unknown[] = []
  const keep = (error: unknown) => void unhandled.push(error)
  process.on('unhandledRejection', keep)
  const list = await open({ sql: pool })
  await revoke('jti', 'token-1')
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

test('a token revoked twice stays revoked', async () => {
  const list = await open()
  for (let again = 0; again < 2; again++) await revoke('jti', 'token-1')
  await list.nudge()
  expect(list.deniedBy(principal)).toBe('jti')
  expect(await sql`select 1 from postern_revocation`).toHaveLength(1)
})

test('nobody sees a number of the feed before the one below it is committed', async () => {
  const list = await open()
  const committed = Promise.withResolvers<void>()
  const numbered = Promise.withResolvers<void>()
  const late = sql.begin(async (transaction) => {
    await transaction`update postern_revocation_feed set seq = seq + 1`
    numbered.resolve()
    await committed.promise
    await transaction`
      insert into postern_revocation (issuer, class, value, reason, revoked_by)
      values (${issuer}, 'sub', 'service-a', 'r', 'o')`
  })
  await numbered.promise
  const behind = revoke('sub', 'another')
  await list.nudge()
  expect(list.deniedBy(principal)).toBeUndefined()
  committed.resolve()
  await Promise.all([late, behind])
  await list.nudge()
  expect(list.deniedBy(principal)).toBe('sub')
})

test('a list that was not read for 15 s is not heard, and is again once it is read', async () => {
  let ms = 0
  const list = await open({ monotonicMs: () => ms })
  ms = 14_999
  expect(list.isHeard()).toBe(true)
  await server.pause()
  try {
    ms = 45_000
    expect(list.isHeard()).toBe(false)
  } finally {
    await server.resume()
  }
  await eventually(() => list.isHeard())
})

test('what ends by itself is admitted again', async () => {
  const list = await open()
  await revoke('sub', 'service-a')
  await list.nudge()
  expect(list.deniedBy(principal)).toBe('sub')
  await sql`update postern_revocation set until = now() - interval '1 second'`
  await list.nudge()
  expect(list.deniedBy(principal)).toBeUndefined()
})

test.each([
  ['ended by Postgres’s clock alone', -60, '-1 minute', 'jti'],
  ['ended by the gateway’s clock alone', 60, '1 minute', 'jti'],
  ['ended by both clocks', 60, '-1 minute', undefined],
] as const)(
  '%s: with ours %d minutes off and its end in %s it is %p',
  async (_, off, end, denied) => {
    const list = await open({ now: () => new Date(Date.now() + off * 60_000) })
    await revoke('jti', 'token-1')
    await sql`update postern_revocation set until = now() + ${end}::interval`
    await list.nudge()
    expect(list.deniedBy(principal)).toBe(denied)
  },
)

test('a revocation is effective once every live gateway has heard of it, and that is told once', async () => {
  const effects: Effect[] = []
  const onEffect = (effect: Effect) => void effects.push(effect)
  const [here, there, gone] = [Bun.randomUUIDv7(), Bun.randomUUIDv7(), Bun.randomUUIDv7()]
  for (const id of [here, there, gone]) {
    await sql`insert into postern_process (id, role, host, version) values (${id}, 'gateway', 'h', 'v')`
  }
  await sql`update postern_process set seen_at = now() - interval '23 seconds' where id = ${gone}`
  const mine = await openDenyList({ sql: gateway, log: silentLog(), process: here, onEffect })
  lists.push(mine)
  await revoke('jti', 'token-1')
  await mine.nudge()
  await mine.nudge()
  const effectiveAt = async () =>
    (await sql`select effective_at from postern_revocation`)[0]?.['effective_at']
  expect([effects, await effectiveAt()]).toEqual([[], null])
  const other = await openDenyList({ sql: gateway, log: silentLog(), process: there, onEffect })
  lists.push(other)
  await eventually(() => effects.length > 0)
  await Promise.all([mine.nudge(), other.nudge()])
  expect(effects).toEqual([{ class: 'jti', seconds: expect.any(Number) }])
})

test('with Postgres away what was denied stays denied, and what came meanwhile follows', async () => {
  await revoke('jti', 'token-1')
  const list = await open()
  await server.stop()
  await list.nudge()
  expect(list.isLoaded()).toBe(true)
  expect(list.deniedBy(principal)).toBe('jti')
  await start()
  await revoke('sub', 'service-b')
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
  const attempt = revoke('jti', 'token-1')
  await expect(attempt).rejects.toMatchObject({ code: 'database.unavailable' })
})
