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
import { type LivePool, livePool } from '#core/postgres/live-pool.ts'
import { isLoginRefused } from '#core/postgres/outage.ts'
import { type PostgresServer, startPostgres } from '#test/support/postgres-server.ts'
import { eventually } from '../integration/world.ts'

setDefaultTimeout(60_000)

let server: PostgresServer
let admin: Sql
let pool: LivePool
beforeAll(async () => {
  server = await startPostgres()
  admin = postgres(server.url, { max: 2, onnotice: () => undefined })
  await admin`create role owner_role nologin`
  for (const user of ['app_a', 'app_b'])
    await admin.unsafe(`create role ${user} login in role owner_role`)
  await admin`create table done (n integer primary key, who text)`
  await admin`grant all on done to owner_role`
})
afterAll(async () => {
  await admin.end()
  await server.stop('immediate')
})
beforeEach(async () => {
  await admin`truncate done`
  for (const user of ['app_a', 'app_b']) await admin.unsafe(`alter role ${user} login`)
  pool = livePool({ url: urlOf('app_a'), mode: 'development', applicationName: 'live', max: 4 })
})
afterEach(() => pool.sql.end({ timeout: 1 }))

function urlOf(user: string): string {
  const url = new URL(server.url)
  url.username = user
  return url.href
}

const whoIs = async ({ sql }: LivePool) => (await sql`select session_user as name`)[0]?.['name']
const sessionsOf = async (user: string) =>
  (await admin`select from pg_stat_activity where usename = ${user}`).length

test('connections are counted by whether they owe an answer, of the pool that is in use', async () => {
  expect(pool.connections()).toEqual({ idle: 0, busy: 0 })
  const holder = await admin.reserve()
  await holder`select pg_advisory_lock(1)`
  const slow = pool.sql`select pg_advisory_xact_lock(1)`.execute()
  await pool.sql`select 1`
  expect(pool.connections()).toEqual({ idle: 1, busy: 1 })
  await holder`select pg_advisory_unlock(1)`
  holder.release()
  await slow
  await pool.replace(urlOf('app_b'))
  await pool.sql`select 1`
  expect(pool.connections()).toEqual({ idle: 1, busy: 0 })
})

test('what is asked after a replacement is asked as the new user, by the same object', async () => {
  const { sql } = pool
  expect((await sql`select session_user as name`)[0]?.['name']).toBe('app_a')
  await pool.replace(urlOf('app_b'))
  expect((await sql`select session_user as name`)[0]?.['name']).toBe('app_b')
  await eventually(async () => (await sessionsOf('app_a')) === 0)
  await pool.replace(urlOf('app_a'))
  expect(await whoIs(pool)).toBe('app_a')
  await eventually(async () => (await sessionsOf('app_b')) === 0)
})

test('a login that is refused changes nothing', async () => {
  await whoIs(pool)
  await expect(pool.replace(urlOf('nobody'))).rejects.toThrow()
  expect(await whoIs(pool)).toBe('app_a')
  expect(await sessionsOf('app_a')).toBeGreaterThan(0)
})

test('through six replacements under load no statement and no transaction fails or is done twice', async () => {
  const { sql } = pool
  let next = 0
  let isOver = false
  const errors: unknown[] = []
  const client = async () => {
    while (!isOver) {
      const n = next++
      const run =
        n % 3 === 0
          ? sql.begin(async (transaction) => {
              await transaction`insert into done values (${n}, session_user)`
              await transaction`select pg_sleep(0.002)`
            })
          : sql`insert into done values (${n}, session_user)`
      await run.catch((error: unknown) => errors.push(error))
    }
  }
  // More than there are connections: some always wait for one.
  const clients = Array.from({ length: 12 }, client)
  for (let round = 0; round < 6; round += 1) {
    const [to, from] = round % 2 === 0 ? ['app_b', 'app_a'] : ['app_a', 'app_b']
    await pool.replace(urlOf(to))
    await eventually(async () => (await sessionsOf(from)) === 0)
  }
  isOver = true
  await Promise.all(clients)
  expect(errors).toEqual([])
  const [row] =
    await admin`select count(*)::integer as n, count(distinct who)::integer as users from done`
  expect(row).toEqual({ n: next, users: 2 })
})

test('a transaction that is open during a replacement goes on to its end, and its session after it', async () => {
  const begun = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const transaction = pool.sql.begin(async (inner) => {
    await inner`insert into done values (1, session_user)`
    begun.resolve()
    await go.promise
    await inner`insert into done values (2, session_user)`
  })
  await begun.promise
  let isReplaced = false
  const replaced = pool.replace(urlOf('app_b')).then(() => {
    isReplaced = true
  })
  await eventually(async () => (await whoIs(pool)) === 'app_b')
  // As long as nothing is quiet for as long as a quiet pool is.
  await Bun.sleep(1_500)
  expect(isReplaced).toBe(false)
  go.resolve()
  await transaction
  await replaced
  expect([...(await admin`select n, who from done order by n`)]).toEqual([
    { n: 1, who: 'app_a' },
    { n: 2, who: 'app_a' },
  ])
  await eventually(async () => (await sessionsOf('app_a')) === 0)
})

test('a listener hears every notification through replacements, and none after it is gone', async () => {
  const heard = new Set<string>()
  const { unlisten } = await pool.sql.listen('news', (value) => heard.add(value))
  let sent = 0
  let isOver = false
  const sender = (async () => {
    while (!isOver) {
      sent += 1
      await admin`select pg_notify('news', ${sent}::text)`
    }
  })()
  for (const user of ['app_b', 'app_a', 'app_b']) await pool.replace(urlOf(user))
  isOver = true
  await sender
  await eventually(async () => heard.size === sent)
  await unlisten()
  await pool.replace(urlOf('app_a'))
  await admin`select pg_notify('news', 'late')`
  await admin`select pg_notify('news', 'later')`
  await whoIs(pool)
  expect(heard.has('late')).toBe(false)
})

test('a statement that runs behind another on its connection for seconds is answered', async () => {
  const narrow = livePool({
    url: urlOf('app_a'),
    mode: 'development',
    applicationName: 'live',
    max: 1,
  })
  await whoIs(narrow)
  const answers = Promise.all([
    narrow.sql`select 1 as n`,
    narrow.sql`select 2 as n from pg_sleep(3)`,
    narrow.sql`select 3 as n`,
  ])
  await narrow.sql`select 4 as n`.execute()
  await narrow.replace(urlOf('app_b'))
  expect((await answers).map(([row]) => row?.['n'])).toEqual([1, 2, 3])
  expect(await whoIs(narrow)).toBe('app_b')
  await narrow.sql.end()
})

test('whoever asks by a login that was ended is told so, however many ask at once', async () => {
  await whoIs(pool)
  await admin`alter role app_a nologin`
  await admin`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app_a'`
  await eventually(async () => (await sessionsOf('app_a')) === 0)
  // Statements of sessions that are just being ended learn of that.
  await eventually(async () => {
    const asked = Array.from({ length: 30 }, () => pool.sql`select 1`.catch(isLoginRefused))
    return (await Promise.all(asked)).every((answer) => answer === true)
  })
})

test('a login that is ended with its sessions while it is left holds the replacement up no longer', async () => {
  const { unlisten } = await pool.sql.listen('news', () => undefined)
  let isOver = false
  const client = async () => {
    while (!isOver) await pool.sql`select pg_sleep(0.002)`.catch(() => Bun.sleep(1))
  }
  const clients = Array.from({ length: 12 }, client)
  for (let round = 0; round < 6; round += 1) {
    const [to, from] = round % 2 === 0 ? ['app_b', 'app_a'] : ['app_a', 'app_b']
    const begun = Promise.withResolvers<Promise<void>>()
    const begin = () => begun.resolve(pool.replace(urlOf(to)))
    if (round % 3 === 0) begin()
    await Bun.sleep(round * 180)
    // While it is left, right before, and while it is tried again and again.
    await admin.unsafe(`alter role ${from} nologin`)
    await admin`select pg_terminate_backend(pid) from pg_stat_activity where usename = ${from}`
    if (round % 3 === 1) begin()
    await Bun.sleep(round * 100)
    if (round % 3 === 2) begin()
    await begun.promise
    expect(await whoIs(pool)).toBe(to)
    await admin.unsafe(`alter role ${from} login`)
  }
  isOver = true
  await Promise.all(clients)
  await unlisten()
})
