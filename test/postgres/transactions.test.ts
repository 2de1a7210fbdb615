import { afterAll, describe, expect, test } from 'bun:test'
import { createConnection, createServer } from 'node:net'
import type { TransactionSql } from 'postgres'
import { earlyBegin } from '#core/postgres/early-begin.ts'
import { databaseOutage } from '#core/postgres/outage.ts'
import { eventually } from '../integration/world.ts'
import { connect, endPools, portOf, recovered, recoveryMs, refusalOf, start } from './pools.ts'

afterAll(endPools)

test.each<[string, (within: TransactionSql) => Promise<unknown>]>([
  ['asks for more', (within) => within`select 1`],
  ['commits', () => Promise.resolve()],
  ['gives up', () => Promise.reject(new Error('given up'))],
])(
  'a transaction that waits for something else while its connection ends, and then %s, is refused',
  async (_, goOn) => {
    const server = await start()
    const [sql, other] = [
      connect({ url: server.url, max: 1 }),
      connect({ url: server.url, max: 1 }),
    ]
    for (let round = 0; round < 5; round += 1) {
      const transaction = sql.begin(async (within) => {
        await within`select 1`
        await other`select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'connect test' and pid <> pg_backend_pid()`
        await Bun.sleep(20)
        await goOn(within)
      })
      await expect(transaction).rejects.toThrow()
      await eventually(async () => (await refusalOf(sql)) === undefined, recoveryMs)
    }
  },
)

test('a connection that ends while a commit hangs behind what it stores is opened again', async () => {
  const server = await start()
  const [sql, other] = [connect({ url: server.url, max: 1 }), connect({ url: server.url, max: 1 })]
  await other`create table stored (number integer)`
  await other.unsafe(`create function hang() returns trigger language plpgsql as $$
    begin perform pg_sleep(60); return null; end $$;
    create constraint trigger hang after insert on stored deferrable initially deferred
    for each row execute function hang()`)
  const transaction = sql.begin(async (within) => {
    await within`select 1`
    // Its answer comes at once, that of the commit behind it never.
    within`insert into stored values (1)`.execute().catch(() => undefined)
  })
  transaction.catch(() => undefined)
  await eventually(async () => {
    const waiting = await other`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'connect test' and query = 'commit' and wait_event = 'PgSleep'`
    return waiting.length > 0
  })
  await expect(transaction).rejects.toThrow()
  await eventually(async () => (await refusalOf(sql)) === undefined, recoveryMs)
})

test('a transaction whose connection has been opened again for somebody else asks nothing there', async () => {
  const server = await start()
  const [sql, other] = [connect({ url: server.url, max: 1 }), connect({ url: server.url, max: 1 })]
  const isOpen = Promise.withResolvers<void>()
  const isGone = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<unknown>()
  const transaction = sql.begin(async (within) => {
    await within`select 1`
    isOpen.resolve()
    await isGone.promise
    asked.resolve(await within`create table stray ()`.catch((error: unknown) => error))
  })
  transaction.catch(() => undefined)
  await isOpen.promise
  await other`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'connect test' and pid <> pg_backend_pid()`
  await eventually(async () => (await refusalOf(sql)) === undefined, recoveryMs)
  isGone.resolve()
  expect(databaseOutage(await asked.promise)).toBeDefined()
  await expect(transaction).rejects.toThrow()
  expect(await other`select to_regclass('stray') as stray`).toMatchObject([{ stray: null }])
})

describe('a transaction that is begun early', () => {
  /** Counts what comes from the client: startup, and one write a turn. */
  async function countedServer() {
    const server = await start()
    const writes: string[] = []
    const proxy = createServer((socket) => {
      const upstream = createConnection({ host: '127.0.0.1', port: server.port })
      socket.on('data', (bytes) => {
        writes.push(bytes.toString('latin1'))
        upstream.write(bytes)
      })
      upstream.on('data', (bytes) => socket.write(bytes))
      for (const end of [socket, upstream]) end.on('error', () => undefined)
      socket.on('close', () => upstream.destroy())
      upstream.on('close', () => socket.destroy())
    })
    const url = `postgres://postern@127.0.0.1:${await portOf(proxy)}/postern`
    return { sql: connect({ url, max: 1 }), writes, server, proxy }
  }

  test('sends its first statements along with its begin, and its others inside of it', async () => {
    const { sql, writes, proxy } = await countedServer()
    const read = (within: TransactionSql) =>
      Promise.all([
        within`select ${1}::int as one`,
        within`select pg_current_xact_id_if_assigned()`,
      ])
    const run = () =>
      sql.begin(`${earlyBegin} isolation level repeatable read`, async (within) => {
        await read(within)
        const [level] = await within`select current_setting('transaction_isolation') as level`
        await within`create temp table gone () on commit drop`
        return level?.['level']
      })
    expect(await run()).toBe('repeatable read')
    writes.length = 0
    expect(await run()).toBe('repeatable read')
    expect(writes[0]).toContain('begin  isolation level repeatable read')
    expect(writes[0]).toContain('B\0')
    expect(writes).toHaveLength(4)
    proxy.close()
  })

  test('keeps everybody else off its connection until it ends', async () => {
    const { sql, proxy } = await countedServer()
    let isOver = false
    const transaction = sql.begin(earlyBegin, async (within) => {
      await within`select pg_advisory_xact_lock(1)`
      await Bun.sleep(50)
      await within`select 1`
      isOver = true
    })
    const others = Array.from({ length: 5 }, async () => {
      await sql`select 1`
      return isOver
    })
    expect(await Promise.all(others)).toEqual([true, true, true, true, true])
    await transaction
    proxy.close()
  })

  test('whose begin fails stores nothing, and its connection serves whoever comes next', async () => {
    const sql = connect({ url: (await start()).url, max: 1 })
    await sql`create table stored (number integer)`
    const failing = sql.begin(`${earlyBegin} nonsense`, async (within) => {
      await within`select 1`
      await within`insert into stored values (1)`
    })
    await expect(failing).rejects.toMatchObject({ code: '42601' })
    const next = sql.begin(earlyBegin, async (within) => {
      await within`insert into stored values (2)`
      return await within`select number from stored`
    })
    expect(await next).toMatchObject([{ number: 2 }])
    expect(await sql`select number from stored`).toMatchObject([{ number: 2 }])
  })

  test('whose begin fails is refused, whatever it still waits for', async () => {
    const sql = connect({ url: (await start()).url, max: 1 })
    const failing = sql.begin(`${earlyBegin} nonsense`, (within) =>
      // Unknown to the server, the first is described before the second may be sent.
      Promise.all([within`select ${1}::int as one`, within`select ${2}::int as two`]),
    )
    await expect(failing).rejects.toMatchObject({ code: '42601' })
    expect(await sql`select ${3}::int as three`).toMatchObject([{ three: 3 }])
  })

  test('is rolled back where a statement that was sent along fails', async () => {
    const sql = connect({ url: (await start()).url, max: 1 })
    await sql`create table stored (number integer)`
    const failing = sql.begin(earlyBegin, async (within) => {
      await Promise.all([within`select 1 / 0`, within`insert into stored values (1)`])
    })
    await expect(failing).rejects.toMatchObject({ code: '22012' })
    expect(await sql`select number from stored`).toHaveLength(0)
  })

  test('is refused while the server is down, and its connection comes back with it', async () => {
    const server = await start()
    const sql = connect({ url: server.url, max: 1 })
    expect(await refusalOf(sql)).toBeUndefined()
    const begin = () => sql.begin(earlyBegin, (within) => within`select pg_sleep(0.01)`)
    await server.stop('immediate')
    for (let tries = 0; tries < 3; tries += 1) {
      expect(databaseOutage(await begin().catch((error: unknown) => error))).toBeDefined()
    }
    await server.start()
    await recovered(sql)
    expect(await begin()).toHaveLength(1)
  })
})
