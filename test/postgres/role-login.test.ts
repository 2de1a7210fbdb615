import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import type { Sql } from 'postgres'
import { openBullWorker } from '#core/job/bullmq-engine.ts'
import { bullJobQueue } from '#core/job/bullmq-job-queue.ts'
import type { Delivery } from '#core/job/job-queue.ts'
import { silentLog } from '#core/log.ts'
import { confirmRole, databaseRoles, insufficientPrivilege } from '#core/postgres/database-role.ts'
import { inspectLogin } from '#core/postgres/inspect-login.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { migrations } from '#core/postgres/migrations.ts'
import { probeKind } from '#test/support/job-engine.ts'
import {
  type PostgresServer,
  sharedPostgres,
  startPostgres,
} from '#test/support/postgres-server.ts'
import { connect, disconnectAll, loggedInAs, makeLogin } from './role-logins.ts'

setDefaultTimeout(30_000)

let server: PostgresServer
let url: string
let owner: Sql

beforeAll(async () => {
  server = await sharedPostgres()
  url = await server.createDatabase()
  owner = connect(url)
  await migrate({ sql: owner, queue: 'postgres', queues: ['probe'] })
})

afterAll(disconnectAll)

test('a login that is no member is refused, and the grant that helps is named', async () => {
  const login = await makeLogin(owner)
  const sql = connect(loggedInAs(login, url), 'postern_gateway')
  await expect(confirmRole({ sql, role: 'postern_gateway', login })).rejects.toMatchObject({
    problems: [expect.stringContaining(`run: grant postern_gateway to ${login}`)],
  })
  expect(await inspectLogin(connect(loggedInAs(login, url)))).toEqual({
    ...{ name: login, isUnbound: false, roles: [], excess: [] },
  })
})

test('one login that is a member of several acts as the role of each process', async () => {
  const login = await makeLogin(owner, 'in role postern_gateway, postern_worker')
  for (const role of ['postern_gateway', 'postern_worker'] as const) {
    const sql = connect(loggedInAs(login, url), role)
    await confirmRole({ sql, role, login })
    const [row] = await sql`select current_user as role, session_user as login`
    expect(row).toEqual({ role, login })
  }
  const worker = connect(loggedInAs(login, url), 'postern_worker')
  await expect(Promise.resolve(worker`select * from postern_revocation`)).rejects.toMatchObject({
    code: insufficientPrivilege,
  })
  const sequencer = connect(loggedInAs(login, url), 'postern_sequencer')
  const refusal = confirmRole({ sql: sequencer, role: 'postern_sequencer', login })
  await expect(refusal).rejects.toMatchObject({ name: 'ConfigError' })
  expect(await inspectLogin(connect(loggedInAs(login, url)))).toMatchObject({
    ...{ isUnbound: false, roles: ['postern_gateway', 'postern_worker'], excess: [] },
  })
})

test('a connection that lost the role on its way is refused', async () => {
  const sql = connect(url)
  await expect(
    confirmRole({ sql, role: 'postern_worker', login: 'postern' }),
  ).rejects.toMatchObject({
    problems: [expect.stringContaining('act as postern and not as postern_worker')],
  })
})

test('an owner is told apart from a login that is bound, and a right too many is named', async () => {
  const database = await server.createDatabase()
  const admin = connect(database)
  await migrate({ sql: admin, queue: 'redis' })
  expect(await inspectLogin(admin)).toMatchObject({ name: 'postern', isUnbound: true, excess: [] })
  const login = await makeLogin(admin, 'in role postern_worker')
  await admin.unsafe(`grant delete on postern_audit_entry to ${login};
    grant truncate on postern_audit_checkpoint to postern_worker`)
  expect(await inspectLogin(connect(loggedInAs(login, database)))).toMatchObject({
    isUnbound: false,
    excess: [
      `${login}: delete on postern_audit_entry`,
      `${login}: truncate on postern_audit_checkpoint`,
      'postern_worker: truncate on postern_audit_checkpoint',
    ],
  })
})

test('a server that was never migrated is told apart from a login that may not', async () => {
  const fresh = await startPostgres()
  const sql = connect(fresh.url, 'postern_worker')
  const refusal = confirmRole({ sql, role: 'postern_worker', login: 'postern' })
  await expect(refusal).rejects.toMatchObject({
    code: 'database.schema_refused',
    detail: 'The server has no role postern_worker; run `postern migrate`.',
  })
  await fresh.stop('immediate')
})

test('databases of one server are migrated at the same time, the roles being made once', async () => {
  const fresh = await startPostgres()
  const databases = await Promise.all([1, 2, 3, 4, 5, 6].map(() => fresh.createDatabase()))
  const pools = databases.map((at) => connect(at))
  await Promise.all(pools.map((sql) => migrate({ sql, queue: 'redis' })))
  const [row] = await connect(fresh.adminUrl)`
    select count(*)::integer as roles, bool_or(rolcanlogin or rolsuper) as "areStrong"
    from pg_roles where rolname like 'postern\\_%'`
  expect(row).toEqual({ roles: databaseRoles.length, areStrong: false })
  await Promise.all(pools.map((sql) => sql.end({ timeout: 1 })))
  await fresh.stop('immediate')
})

test('a login that may not make roles is told what to run, and migrates once they are there', async () => {
  const fresh = await startPostgres()
  const admin = connect(fresh.adminUrl)
  const login = await makeLogin(admin)
  const database = await fresh.createDatabase()
  await admin.unsafe(`alter database ${new URL(database).pathname.slice(1)} owner to ${login}`)
  await connect(database).unsafe(`alter schema public owner to ${login}`)
  const sql = connect(loggedInAs(login, database))
  const refusal = await migrate({ sql, queue: 'redis' }).catch((error: unknown) => error)
  expect(refusal).toMatchObject({ code: 'database.schema_refused' })
  const statements = `${refusal}`.match(/create role \w+/g) ?? []
  expect(statements).toHaveLength(databaseRoles.length)
  await admin.unsafe(statements.join(';'))
  expect(await migrate({ sql, queue: 'redis' })).toHaveLength(migrations.length)
  await fresh.stop('immediate')
})

test('on Postgres queues the gateway adds what a worker takes, with nothing but their roles', async () => {
  const login = await makeLogin(owner, 'in role postern_gateway, postern_worker')
  const at = {
    backend: 'postgres',
    connectionString: loggedInAs(login, url),
    schema: 'public',
  } as const
  const [adding, working] = (['postern_gateway', 'postern_worker'] as const).map((role) => ({
    sql: connect(loggedInAs(login, url), role),
    engine: { ...at, role },
  }))
  if (adding === undefined || working === undefined) throw new Error('two are made')
  const queues = [adding, working].map((side) => bullJobQueue({ ...side, log: silentLog() }))
  const received = new Set<string>()
  const done = Promise.withResolvers<void>()
  const worker = openBullWorker(
    working.engine,
    probeKind.name,
    (job) => {
      received.add(job.id ?? '')
      if (received.size === queues.length) done.resolve()
      return Promise.resolve()
    },
    { concurrency: 2 },
  )
  const ids: string[] = []
  for (const queue of queues) {
    const id = Bun.randomUUIDv7()
    ids.push(id)
    await queue.setPaused(probeKind, true)
    await queue.add([deliveryOf(id)])
    expect(await queue.missing(probeKind, [id])).toEqual([])
    const dropped = Bun.randomUUIDv7()
    await queue.add([deliveryOf(dropped)])
    expect(await queue.remove(probeKind, dropped)).toBe(true)
    await queue.counts(probeKind)
    await queue.setPaused(probeKind, false)
  }
  await done.promise
  expect([...received].sort()).toEqual(ids.sort())
  await worker.close()
  await Promise.all(queues.map((queue) => queue.close()))
})

function deliveryOf(id: string): Delivery {
  const { attemptsMax, timeoutMs } = probeKind
  const kind = probeKind
  const rest = { payload: {}, priority: 0, delayMs: 0, dispatch: 1, requestId: 'r' }
  return { id, kind, attemptsMax, timeoutMs, traceparent: undefined, ...rest }
}
