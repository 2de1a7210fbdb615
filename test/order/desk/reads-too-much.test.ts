import { beforeEach, expect, test } from 'bun:test'
import { pnlReads } from '#core/order/desk/pnl-reads.ts'
import { positionReads } from '#core/order/desk/position-reads.ts'
import { fileWorld } from './file-world.ts'
import { addAccount, callerNamed, now, openReadsWorld, settle } from './reads-world.ts'

const world = await fileWorld(openReadsWorld)
beforeEach(() => addAccount(world.sql, 'mine'))

const desk = callerNamed('desk').principal
const report = (start: string, end: string, method: 'average' | 'fifo' = 'average') =>
  settle(
    pnlReads({ sql: world.gateway, now: () => now }).report(desk, {
      ...{ account: undefined, start, end, method, daysDefault: 30 },
    }),
  )
const refused = (fix: string) => ({
  code: 'request.query_invalid',
  detail: expect.stringContaining(fix),
})

test('the 200,001st fill is too much for FIFO, and the refusal names the other method', async () => {
  const add = (from: number, to: number) => world.sql`
    insert into postern_fill (venue, trade_id, order_id, account, symbol, side, quantity, price,
      fee, at)
    select 'paper', g::text, ${Bun.randomUUIDv7()}::uuid, 'mine', 'AAPL', 'buy', 1, 1, 0,
      '2026-03-02T15:00:00Z'
    from generate_series(${from}::integer, ${to}::integer) g`
  await add(1, 200_001)
  expect(await report('2026-03-02', '2026-03-02', 'fifo')).toMatchObject(refused('method=average'))
  expect(await report('2026-03-02', '2026-03-02')).toMatchObject({ realised: '0' })
})

/** So many symbols with an end of each day from a day on. */
const addEnds = (symbols: number, from: string, to: string) => world.sql`
  insert into postern_position_day (account, symbol, day, quantity, cost, realised, fees)
  select 'mine', 'S' || s, d::date, 1, 1, 0, 0
  from generate_series(1, ${symbols}::integer) s,
    generate_series(${from}::date, ${to}::date, interval '1 day') d`

test('a report of more than 50,000 marks is refused', async () => {
  // 1,256 trading days, and the one before the range, on which nothing was held yet.
  await addEnds(39, '2021-01-01', '2021-01-01')
  expect(await report('2021-01-01', '2026-01-04')).toMatchObject({ start_date: '2021-01-01' })
  await world.sql`truncate postern_position_day`
  await addEnds(40, '2021-01-01', '2021-01-01')
  expect(await report('2021-01-01', '2026-01-04')).toMatchObject(refused('fewer days'))
})

test('a report of more than 100,000 ends of days is refused', async () => {
  await addEnds(1_001, '2025-01-01', '2025-04-10')
  expect(await report('2025-01-01', '2025-04-10')).toMatchObject(refused('fewer days'))
})

test('the 5,001st position is too much, and the refusal says how to ask for less', async () => {
  const add = (from: number, to: number) => world.sql`
    insert into postern_position (account, symbol, updated_at)
    select 'mine', 'S' || g, now() from generate_series(${from}::integer, ${to}::integer) g`
  const list = () =>
    settle(positionReads(world.gateway).list(desk, { account: undefined, symbol: undefined }))
  await add(1, 5_000)
  expect(await list()).toHaveLength(5_000)
  await add(5_001, 5_001)
  expect(await list()).toMatchObject(refused('`account` or `symbol`'))
})
