import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sql } from 'postgres'
import { connectPostgres } from '#core/postgres/connect.ts'
import { openEmbeddedEngine } from '#core/postgres/embedded-engine.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'

/** A first start of the embedded engine takes some seconds where something else runs. */
setDefaultTimeout(30_000)

type Engine = { readonly url: string; close(): Promise<void> }

const engines: readonly (readonly [string, () => Promise<Engine>])[] = [
  ['Postgres', production],
  ['the embedded engine', embedded],
]

async function production(): Promise<Engine> {
  const server = await sharedPostgres()
  return { url: await server.createDatabase(), close: () => Promise.resolve() }
}

async function embedded(): Promise<Engine> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-engine-'))
  const engine = await openEmbeddedEngine({ directory })
  return {
    url: engine.url,
    async close() {
      await engine.close()
      await rm(directory, { recursive: true })
    },
  }
}

describe.each(engines)('%s', (_name, open) => {
  let engine: Engine
  let sql: Sql
  let other: Sql

  const connect = () =>
    connectPostgres({
      url: engine.url,
      mode: 'development',
      applicationName: 'engine test',
      max: 4,
    })

  beforeAll(async () => {
    engine = await open()
    sql = connect()
    other = connect()
    await migrate({ sql, queue: 'postgres' })
    await sql`create table ledger (id integer primary key, note text, body jsonb, raw bytea)`
  })

  afterAll(async () => {
    await sql.end({ timeout: 1 })
    await other.end({ timeout: 1 })
    await engine.close()
  })

  test('a transaction that throws leaves nothing', async () => {
    const attempt = sql.begin(async (transaction) => {
      await transaction`insert into ledger (id) values (1)`
      throw new Error('changed my mind')
    })
    await expect(attempt).rejects.toThrow('changed my mind')
    expect(await other`select id from ledger where id = 1`).toHaveLength(0)
  })

  test('a statement that fails inside a transaction fails the transaction only', async () => {
    const attempt = sql.begin(async (transaction) => {
      await transaction`insert into ledger (id) values (2)`
      await transaction`select ${1}::integer / 0`
    })
    await expect(attempt).rejects.toMatchObject({ code: '22012' })
    expect(await sql`select id from ledger where id = 2`).toHaveLength(0)
    expect(await other`select 1 as one`).toMatchObject([{ one: 1 }])
  })

  test.each([
    ['in its syntax', (db: Sql) => db`selec 1`, '42601'],
    ['in a type', (db: Sql) => db`select ${'x'}::uuid`, '22P02'],
    ['in a table', (db: Sql) => db`select * from nowhere where id = ${1}`, '42P01'],
    ['in a simple query', (db: Sql) => db.unsafe('select 1; select 1/0; select 2'), '22012'],
  ])('a statement wrong %s is rejected and the next is served', async (_where, run, code) => {
    for (let turn = 0; turn < 5; turn += 1) {
      await expect(run(sql)).rejects.toMatchObject({ code })
    }
    const rows = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => sql`select ${n}::integer as n`))
    expect(rows.map(([row]) => row?.['n'])).toEqual([1, 2, 3, 4, 5, 6])
  })

  test('transactions on several connections keep to themselves', async () => {
    await sql`create table counter (id integer primary key, n integer not null)`
    await sql`insert into counter values (1, 0)`
    const add = (db: Sql) =>
      db.begin(async (transaction) => {
        const [row] = await transaction`select n from counter where id = 1 for update`
        await transaction`update counter set n = ${Number(row?.['n']) + 1} where id = 1`
      })
    await Promise.all(Array.from({ length: 40 }, (_, turn) => add(turn % 2 === 0 ? sql : other)))
    expect(await sql`select n from counter`).toMatchObject([{ n: 40 }])
  })

  test('one statement text means the same on every connection', async () => {
    const text = (db: Sql, n: number) => db`select ${n}::integer * 2 as twice`
    const many = Array.from({ length: 60 }, (_, n) => text(n % 3 === 0 ? sql : other, n))
    const answers = await Promise.all(many)
    expect(answers.map(([row]) => row?.['twice'])).toEqual(many.map((_, n) => n * 2))
  })

  test('a notification reaches all who listen, at commit, and nobody after a rollback', async () => {
    const heard: string[] = []
    const first = Promise.withResolvers<void>()
    const second = Promise.withResolvers<void>()
    const one = await sql.listen('engine_news', (payload) => {
      heard.push(`one ${payload}`)
      if (payload === 'kept') first.resolve()
    })
    const two = await other.listen('engine_news', (payload) => {
      heard.push(`two ${payload}`)
      if (payload === 'kept') second.resolve()
    })
    await sql
      .begin(async (transaction) => {
        await transaction`select pg_notify('engine_news', 'lost')`
        throw new Error('rolled back')
      })
      .catch(() => undefined)
    await other.begin((transaction) => transaction`select pg_notify('engine_news', 'kept')`)
    await Promise.all([first.promise, second.promise])
    expect(heard.sort()).toEqual(['one kept', 'two kept'])
    await one.unlisten()
    const again = Promise.withResolvers<void>()
    const three = await other.listen('engine_news', () => again.resolve())
    await sql.notify('engine_news', 'still heard')
    await again.promise
    await two.unlisten()
    await three.unlisten()
  })

  test('jsonb, bytea, arrays and exact numbers come back as they went in', async () => {
    const body = { text: 'ü "quoted" \\ \n', list: [1, null, { deep: true }], n: 0.1 }
    const raw = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    await sql`insert into ledger (id, body, raw)
      values (10, ${JSON.stringify(body)}::text::jsonb, ${raw})`
    const [row] = await other`select body, raw, array['a', 'b'] as list,
      12345678901234567890.123456789012345678::numeric(38, 18) as exact
      from ledger where id = 10`
    expect(row).toMatchObject({
      body,
      list: ['a', 'b'],
      exact: '12345678901234567890.123456789012345678',
    })
    expect(Buffer.from(row?.['raw'])).toEqual(raw)
  })

  test('snapshots order commits: what is below xmin is complete', async () => {
    const [before] = await sql`select pg_current_xact_id()::text as id`
    const [after] =
      await sql`select (pg_current_xact_id() > ${before?.['id']}::text::xid8) as later,
      (${before?.['id']}::text::xid8 < pg_snapshot_xmin(pg_current_snapshot())) as complete`
    expect(after).toMatchObject({ later: true, complete: true })
  })

  test('a large value passes in both directions', async () => {
    const text = 'x'.repeat(3_000_000)
    const [row] = await sql`select ${text}::text as text, length(${text}::text) as length`
    expect(row?.['length']).toBe(3_000_000)
    expect(row?.['text']).toBe(text)
  })
})
