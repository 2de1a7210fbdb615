import { expect, test } from 'bun:test'
import type { Sql } from 'postgres'
import { parseAmount } from '#core/order/amount.ts'
import { accountDirectory } from '#core/order/desk/account-directory.ts'
import { followMarket } from '#core/order/desk/follow-market.ts'
import { paperMarkets } from '#core/order/desk/paper-markets.ts'
import { orderOfClient } from '#core/order/desk/read-rows.ts'
import { reconcileReads } from '#core/order/desk/reconcile-reads.ts'
import {
  type OrderStatus,
  orderStatuses,
  restingStatuses,
  terminalStatuses,
} from '#core/order/order.ts'
import type { OrderDocument } from '#core/order/order-document.ts'
import { paperDefaults } from '#core/order/venue/paper-market.ts'
import { paperVenue } from '#core/order/venue/paper-venue.ts'
import { account, noonMs, setLimit, trader } from './desk-rows.ts'
import { openDeskWorld } from './desk-world.ts'
import { fileWorld } from './file-world.ts'

const world = await fileWorld(openDeskWorld)

test.each([
  ['never counted', 0],
  ['counted with one order in it', 1],
  ['counted with ten orders in it', 10],
])('in a table %s an order is looked up by its client order id alone', async (_, counted) => {
  const { sql } = world.workerDesk
  for (let index = 0; index < counted; index += 1) await world.place()
  if (counted > 0) await world.sql`analyze postern_order`
  const [row] = await sql<{ 'QUERY PLAN': unknown }[]>`
    explain (format json) select o.id from unnest(array['desk-1'], array['x']) as w(account, client_id)
    cross join lateral (select id from ${orderOfClient(sql)}) as o`
  const plan = JSON.stringify(row?.['QUERY PLAN'])
  expect([...plan.matchAll(/"Index Name":"(\w+)"/g)].map(([, name]) => name)).toEqual([
    'postern_order_client',
  ])
  expect(plan).not.toContain('Seq Scan')
})

test('unsettled is what is open and does not rest at its venue', async () => {
  const [column] = await world.sql<{ rule: string }[]>`
    select pg_get_expr(d.adbin, d.adrelid) as rule from pg_attrdef d
    join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
    where d.adrelid = 'postern_order'::regclass and a.attname = 'is_unsettled'`
  const rows = await world.sql.unsafe<{ status: OrderStatus }[]>(
    `select status from unnest($1::text[]) as s(status) where ${column?.rule}`,
    [[...orderStatuses]],
  )
  const isUnsettled = (status: OrderStatus) =>
    // An order is written once its checks are through.
    status !== 'received' && !terminalStatuses.has(status) && !restingStatuses.has(status)
  expect(rows.map(({ status }) => status)).toEqual(orderStatuses.filter(isUnsettled))
})

const resting = 5_000

/** As many alike, at the desk and in the paper venue's book, with a limit that nothing reaches. */
async function rest(of: OrderDocument): Promise<void> {
  await world.sql.unsafe(`
    do $$ declare
      names text := (select string_agg(quote_ident(column_name), ', ') from information_schema.columns
        where table_name = 'postern_order' and table_schema = current_schema()
          and is_generated = 'NEVER' and column_name not in ('id', 'client_order_id'));
    begin
      execute format('insert into postern_order (id, client_order_id, %1$s)
        select gen_random_uuid(), ''rest-'' || n, %1$s
        from postern_order, generate_series(1, ${resting}) as n where id = ''${of.id}''', names);
    end $$`)
  await world.sql`delete from postern_paper_order`
  await world.sql`
    insert into postern_paper_order (account, client_order_id, venue_order_id, symbol, side, type, tif,
      quantity, limit_price, is_triggered, active_at_ms, carried, cum, trades, status, version)
    select ${account}, 'rest-' || n, gen_random_uuid(), 'AAPL', 'buy', 'limit', 'day', 10, 1, false,
      0, 0, 0, 0, 'new', 0
    from generate_series(1, ${resting}) as n`
  await world.sql`analyze postern_order, postern_paper_order`
}

/** Rows that a connection's statements have read, of some tables. */
async function rowsRead(sql: Sql, tables: readonly string[]): Promise<number> {
  await sql`select pg_stat_force_next_flush()`
  const [read] = await sql<{ rows: number }[]>`
    select sum(seq_tup_read + idx_tup_fetch)::integer as rows from pg_stat_user_tables
    where relname = any(${[...tables]}::text[])`
  return read?.rows ?? 0
}

test('how many messages an account may send is looked up, among limits of many accounts', async () => {
  const accounts = 1_000
  await world.sql`
    insert into postern_limit (scope, key, name, value, changed_by)
    select 'account', 'other-' || n, 'messages_per_second', 5, 'test'
    from generate_series(1, ${accounts}::integer) as n`
  await setLimit(world.sql, 'messages_per_second', '7')
  await world.sql`analyze postern_limit`
  const { id } = await world.place()
  const sql = world.poolAt(world.url, 'postern_gateway', 1)
  const directory = accountDirectory(sql, world.now)
  const before = await rowsRead(sql, ['postern_limit'])
  const { principal } = trader
  const found = [
    await directory.tradedAccount(principal, undefined),
    await directory.accountOfOrder(id, principal),
  ]
  expect(found).toMatchObject([
    { id: account, messagesPerSecond: 7 },
    { id: account, messagesPerSecond: 7 },
  ])
  expect((await rowsRead(sql, ['postern_limit'])) - before).toBeLessThan(accounts / 100)
})

test('what of accounts is open is looked up for each, in a table that nobody has counted', async () => {
  await rest(await world.live())
  const { sql } = world.workerDesk
  // As they are while nobody has counted them: ten pages, and nothing known of what is in them.
  await world.sql`delete from pg_statistic where starelid = any(
    array['postern_order', 'postern_paper_order']::regclass[])`
  await world.sql`update pg_class set reltuples = -1, relpages = 0 where oid = any(
    array['postern_order', 'postern_paper_order']::regclass[])`
  const { openOrders } = reconcileReads(sql)
  const accounts = Array.from({ length: 16 }, (_, n) => `other-${n}`)
  const before = await rowsRead(sql, ['postern_order', 'postern_paper_order'])
  const venue = paperVenue({
    ...{ sql, grouped: sql, rules: { ...paperDefaults, seed: 1 } },
    ...paperMarkets({ sql, readMarket: world.workerDesk.readMarket }),
  })
  const reads: readonly ((id: string) => Promise<readonly unknown[]>)[] = [
    openOrders,
    venue.listOpen,
  ]
  for (const read of reads) {
    const open = await Promise.all(accounts.map((id) => read(id)))
    expect(open.flat()).toEqual([])
  }
  const after = await rowsRead(sql, ['postern_order', 'postern_paper_order'])
  expect(after - before).toBeLessThan(resting / 100)
})

test('a quote reads none of the orders that rest beyond it', async () => {
  await rest(await world.live())
  const sql = world.poolAt(world.url, 'postern_worker', 1)
  const books = ['postern_order', 'postern_paper_order']
  const { readMarket } = world.workerDesk
  const rules = { ...paperDefaults, seed: 1 }
  const paper = paperVenue({ sql, grouped: sql, rules, ...paperMarkets({ sql, readMarket }) })
  const desk = followMarket({ ...world.workerDesk, sql, paper })
  const price = Number(parseAmount('100'))
  const quote = { time: noonMs, bid: price, ask: price, bidSize: 9, askSize: 9 }
  const before = await rowsRead(sql, books)
  const { signal } = new AbortController()
  await desk.onMarket({ clock: 'live', symbol: 'AAPL', bars: [], quote }, signal)
  expect((await rowsRead(sql, books)) - before).toBeLessThan(resting / 100)
})
