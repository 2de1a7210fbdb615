import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { createPostgresBackend, Queue } from 'bullmq'
import postgres, { type Sql } from 'postgres'
import { migrate, pendingMigrations } from '#core/postgres/migrate.ts'
import { migrations } from '#core/postgres/migrations.ts'
import { type PostgresServer, sharedPostgres } from '#test/support/postgres-server.ts'

let server: PostgresServer
let url: string
let sql: Sql

const ownTitles = migrations.map(({ number, name }) => `${String(number).padStart(4, '0')}-${name}`)

beforeAll(async () => {
  server = await sharedPostgres()
})

beforeEach(async () => {
  await sql?.end()
  url = await server.createDatabase()
  sql = postgres(url, { max: 4, onnotice: () => undefined })
})

afterAll(() => sql.end())

test('a schema from a newer release is refused and nothing is applied', async () => {
  await migrate({ sql, queue: 'redis' })
  await sql`insert into postern_migration ${sql({ number: 9999, name: 'later', sha256: '' })}`
  const next = { number: 9998, name: 'next', sql: 'create table postern_next ()' }
  const attempt = migrate({ sql, queue: 'redis', migrations: [...migrations, next] })
  await expect(attempt).rejects.toMatchObject({
    code: 'database.schema_refused',
    detail: expect.stringContaining('9999-later, which this binary does not know'),
  })
  const [row] = await sql`select to_regclass('postern_next') as next`
  expect(row?.['next']).toBeNull()
})

test('a migration that was edited after it was applied is refused', async () => {
  await migrate({ sql, queue: 'redis' })
  const edited = migrations.map((each) => ({ ...each, sql: `${each.sql}-- edited\n` }))
  const attempt = migrate({ sql, queue: 'redis', migrations: edited })
  await expect(attempt).rejects.toMatchObject({
    code: 'database.schema_refused',
    detail: expect.stringContaining('0001-jobs was applied with other contents'),
  })
  await expect(
    pendingMigrations({ sql, queue: 'redis', migrations: edited }),
  ).rejects.toMatchObject({
    code: 'database.schema_refused',
  })
})

test('what orders at the paper venue have filled is what accounts hold there', async () => {
  const before = migrations.filter(({ number }) => number < 17)
  await migrate({ sql, queue: 'redis', migrations: before })
  await sql`
    insert into postern_paper_order (account, client_order_id, venue_order_id, symbol, side, type, tif,
      quantity, is_triggered, active_at_ms, carried, cum, trades, status, version)
    select 'a', n::text, gen_random_uuid(), symbol, side, 'market', 'day', 9, false, 0, carried, cum, 1,
      'filled', 1
    from (values (1, 'AAPL', 'buy', 0, 9), (2, 'AAPL', 'buy', 9, 11), (3, 'AAPL', 'sell', 0, 4),
      (4, 'MSFT', 'sell', 0, 1.5), (5, 'TSLA', 'buy', 0, 0)) as o(n, symbol, side, carried, cum)`
  await migrate({ sql, queue: 'redis' })
  await sql`update postern_paper_order set cum = cum + 1 where client_order_id in ('2', '4')`
  const held = await sql`
    select symbol, quantity::float8 as quantity from postern_paper_position order by symbol`
  expect([...held]).toEqual([
    { symbol: 'AAPL', quantity: 8 },
    { symbol: 'MSFT', quantity: -2.5 },
  ])
})

test('a migration that fails leaves neither its tables nor those before it', async () => {
  const broken = { number: 9999, name: 'broken', sql: 'create table postern_half (); select 1/0' }
  const attempt = migrate({ sql, queue: 'postgres', migrations: [...migrations, broken] })
  await expect(attempt).rejects.toMatchObject({ code: '22012' })
  const tables = await sql`select tablename from pg_tables where schemaname = 'public'`
  expect(tables).toHaveLength(0)
})

test('the second run applies nothing', async () => {
  const titles = [...ownTitles, 'bullmq schema 11']
  expect(await pendingMigrations({ sql, queue: 'postgres' })).toEqual(titles)
  expect(await migrate({ sql, queue: 'postgres' })).toEqual(titles)
  expect(await migrate({ sql, queue: 'postgres' })).toEqual([])
  expect(await pendingMigrations({ sql, queue: 'postgres' })).toEqual([])
})

test('a database that served Redis queues gets the tables of Postgres queues later', async () => {
  await migrate({ sql, queue: 'redis' })
  expect(await migrate({ sql, queue: 'postgres' })).toEqual(['bullmq schema 11'])
})

test('of migrators that start together one applies and the others find it done', async () => {
  const others = [1, 2, 3].map(() => postgres(url, { max: 1, onnotice: () => undefined }))
  const runs = await Promise.all(
    [sql, ...others].map((each) => migrate({ sql: each, queue: 'postgres' })),
  )
  expect(runs.map((applied) => applied.length).sort()).toEqual([0, 0, 0, ownTitles.length + 1])
  await Promise.all(others.map((each) => each.end()))
})

test('each queue on Postgres is numbered when it is migrated, also one that is new', async () => {
  await migrate({ sql, queue: 'postgres', queues: ['one'] })
  const target = { sql, queue: 'postgres', queues: ['one', 'two'] } as const
  expect(await pendingMigrations(target)).toEqual(['bullmq queue two'])
  expect(await migrate(target)).toEqual(['bullmq queue two'])
  expect(await pendingMigrations(target)).toEqual([])
  const rows =
    await sql`select job_id_seq_name(name) as name, to_regclass(job_id_seq_name(name))::text as found
    from unnest(array['one', 'two']) as name`
  for (const row of rows) expect(row['found']).toBe(row['name'])
})

test('BullMQ takes a job in the migrated schema', async () => {
  await migrate({ sql, queue: 'postgres' })
  const connection = { connectionString: url, schema: 'public' }
  const queue = new Queue('migrated', { connection }, createPostgresBackend)
  const job = await queue.add('any', { wallet: 'w' })
  expect((await queue.getJob(job.id ?? ''))?.data).toEqual({ wallet: 'w' })
  await queue.close()
})
