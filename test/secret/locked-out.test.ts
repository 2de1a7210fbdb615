import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import postgres, { type Sql } from 'postgres'
import { PosternError } from '#core/errors.ts'
import { silentLog } from '#core/log.ts'
import { livePool } from '#core/postgres/live-pool.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { fingerprintOf, readFingerprintKey } from '#core/secret/rotation/fingerprint.ts'
import { secretFollower } from '#core/secret/secret-follower.ts'
import { testJournal } from '#test/support/job-engine.ts'
import { startPasswordPostgres } from '#test/support/password-postgres.ts'
import type { PostgresServer } from '#test/support/postgres-server.ts'
import { databaseUse } from '../../commands/follow-logins.ts'
import { eventually } from '../integration/world.ts'
import { memorySecretStore } from './memory-secret-store.ts'

setDefaultTimeout(60_000)

const name = 'postern/database'
const rotation = Bun.randomUUIDv7()
let server: PostgresServer
let admin: Sql

beforeAll(async () => {
  server = await startPasswordPostgres(['app_a', 'app_b'])
  admin = postgres(server.url, { max: 1, onnotice: () => undefined })
  await migrate({ sql: admin, queue: 'redis' })
  for (const user of ['app_a', 'app_b']) {
    await admin.unsafe(
      `create role ${user} login password 'first'; grant postern_worker to ${user}`,
    )
  }
})
afterAll(async () => {
  await admin.end({ timeout: 1 })
  await server.stop('immediate')
})

function urlOf(user: string, port = server.port): string {
  const url = new URL(server.url)
  ;[url.username, url.password, url.port] = [user, 'first', String(port)]
  return url.href
}

/** A process whose login has died before it could hear of the next one. */
async function lockedOut(next: string) {
  const store = memorySecretStore()
  const members = { url: urlOf('app_a') }
  const version = await store.stage(name, { members, rotation: 'first' })
  await admin`delete from postern_secret_ack`
  await admin`delete from postern_secret`
  await admin.unsafe(`alter role app_a login password 'first'`)
  const pool = livePool({ url: members.url, mode: 'development', applicationName: 'test', max: 2 })
  const process = Bun.randomUUIDv7()
  await admin`
    insert into postern_process (id, role, host, version) values (${process}, 'worker', 'here', '1')`
  const follower = await secretFollower({
    ...{ sql: pool.sql, journal: testJournal(), store, process, pollMs: 50 },
    ...{ log: silentLog(), now: () => new Date() },
  })
  await follower.follow(databaseUse({ name, member: 'url', version, members }, [pool]))
  await admin.unsafe(`alter role app_a nologin password null`)
  await admin`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app_a'`
  const pending = await store.stage(name, { members: { url: next }, rotation })
  await store.promote(name, { version: pending, previous: version })
  const fingerprint = fingerprintOf(await readFingerprintKey(admin), name, { url: next })
  await admin`
    update postern_secret set current_version = ${pending}, epoch = epoch + 1,
      fingerprint = decode(${fingerprint}, 'hex')`
  return {
    pool,
    pending,
    proved: async () => (await admin`select version from postern_secret_ack`)[0]?.['version'],
    async close() {
      await follower.close()
      await pool.sql.end({ timeout: 1 })
    },
  }
}

test('a process whose login was ended before it heard of the next one takes that from the store', async () => {
  const one = await lockedOut(urlOf('app_b'))
  await eventually(async () => (await one.proved()) === one.pending)
  const [row] = await one.pool.sql<{ name: string }[]>`select session_user as name`
  expect(row?.name).toBe('app_b')
  await one.close()
})

test('it does not follow the store to another server', async () => {
  const one = await lockedOut(urlOf('app_b', 1))
  await Bun.sleep(2_500)
  expect(await one.proved()).not.toBe(one.pending)
  // A statement behind the follower's, which opened the connection, has the refusal as its cause.
  const refusal = await one.pool.sql`select 1`.then(
    () => undefined,
    (error: unknown) => (error instanceof PosternError ? error.cause : error),
  )
  expect(refusal).toMatchObject({ code: '28P01' })
  await one.close()
})
