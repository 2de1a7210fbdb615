import { expect, test } from 'bun:test'
import { parseAmount } from '#core/order/amount.ts'
import { followMarket } from '#core/order/desk/follow-market.ts'
import { paperMarkets } from '#core/order/desk/paper-markets.ts'
import { paperDefaults } from '#core/order/venue/paper-market.ts'
import { paperVenue } from '#core/order/venue/paper-venue.ts'
import { eventually } from '../../integration/world.ts'
import { account, addAccount, addInstrument, noonMs, recordsOf } from './desk-rows.ts'
import { openDeskWorld } from './desk-world.ts'
import { fileWorld } from './file-world.ts'

const world = await fileWorld(openDeskWorld)
const { sql, readMarket } = world.workerDesk
const paper = paperVenue({
  sql,
  grouped: world.poolAt(world.url, 'postern_worker', 1),
  rules: { ...paperDefaults, seed: 1 },
  ...paperMarkets({ sql, readMarket }),
})
const desk = followMarket({ ...world.workerDesk, paper })
const { signal } = new AbortController()
const nanos = (price: string) => Number(parseAmount(price))

/** Equity at the last mark, by account; none where it was never marked. */
async function marks() {
  const rows = await world.sql<{ id: string; equity: string | null }[]>`
    select id, drawdown ->> 'equity' as equity from postern_account order by id`
  return Object.fromEntries(rows.map(({ id, equity }) => [id, equity]))
}

async function hold(id: string): Promise<void> {
  await world.sql`
    insert into postern_position (account, symbol, quantity, cost, realised, fees, updated_at)
    values (${id}, 'AAPL', 10, 1000, 0, 0, now())`
}

test('a bar marks the positions of its clock', async () => {
  await addAccount(world.sql, { id: 'replayed', clock: 'replay' })
  for (const id of [account, 'replayed']) await hold(id)
  const price = nanos('100')
  const bar = { time: noonMs, open: price, high: price, low: price, close: price, volume: 9 }
  const bars = [{ ...bar, intervalMs: 60_000, isLive: false }]
  await desk.onMarket({ clock: 'replay', symbol: 'AAPL', bars, quote: undefined }, signal)
  expect(await marks()).toEqual({ [account]: null, replayed: '101000' })
})

test('a quote of one clock fills no order of an account at the other', async () => {
  await addAccount(world.sql, { id: 'replaying', clock: 'replay' })
  const accounts = [account, 'replaying']
  await world.sql`
    insert into postern_paper_order (account, client_order_id, venue_order_id, symbol, side, type, tif,
      quantity, limit_price, is_triggered, active_at_ms, carried, cum, trades, status, version)
    select id, 'rests', gen_random_uuid(), 'AAPL', 'buy', 'limit', 'gtc', 10, 95, false, 0, 0, 0, 0,
      'new', 0
    from unnest(${accounts}::text[]) as a(id)`
  await world.sql`update postern_account set venue = 'alpaca' where id = 'replaying'`
  const filled = async () => {
    const rows = await world.sql<{ account: string }[]>`
      select account from postern_paper_order where status = 'filled' order by account`
    return rows.map((row) => row.account)
  }
  const quote = { time: noonMs, bid: nanos('94'), ask: nanos('94.1'), bidSize: 9e9, askSize: 9e9 }
  const told = { symbol: 'AAPL', bars: [], quote }
  await desk.onMarket({ clock: 'replay', ...told }, signal)
  // Of that clock, but at a venue of its own.
  expect(await filled()).toEqual([])
  await world.sql`update postern_account set venue = 'paper' where id = 'replaying'`
  await desk.onMarket({ clock: 'replay', ...told }, signal)
  expect(await filled()).toEqual(['replaying'])
  await desk.onMarket({ clock: 'live', ...told }, signal)
  expect(await filled()).toEqual([account, 'replaying'])
})

test('quotes are marked once, at the end, and only where a position is of their symbols', async () => {
  for (const id of ['held', 'flat', 'other']) {
    await addAccount(world.sql, { id, clock: 'replay' })
  }
  await addInstrument(world.sql, 'AAPL', { price: '90' })
  await hold('held')
  await hold(account)
  const quote = { time: noonMs, bid: nanos('89.9'), ask: nanos('90.1'), bidSize: 9, askSize: 9 }
  await desk.onMarket({ clock: 'replay', symbol: 'AAPL', bars: [], quote }, signal)
  expect(new Set(Object.values(await marks()))).toEqual(new Set([null]))
  await desk.onQuotes({ symbols: ['MSFT'], timeMs: noonMs }, signal)
  expect(new Set(Object.values(await marks()))).toEqual(new Set([null]))
  await desk.onQuotes({ symbols: ['AAPL', 'MSFT'], timeMs: noonMs }, signal)
  // Those at the live clock are the desk keeper's.
  expect(await marks()).toEqual({ [account]: null, flat: null, held: '100900', other: null })
})

test('an account that is locked is marked when it is free, and keeps nobody else waiting', async () => {
  await addInstrument(world.sql, 'AAPL', { price: '90' })
  for (const id of ['busy', 'free']) {
    await addAccount(world.sql, { id, clock: 'replay' })
    await hold(id)
  }
  const entry = Promise.withResolvers<void>()
  const isLocked = Promise.withResolvers<void>()
  const other = world.poolAt(world.url, 'postern_worker', 1)
  const locking = other.begin(async (transaction) => {
    // As an order that is entered does, and its fill moves the cash.
    await transaction`update postern_account set cash = cash - 400 where id = 'busy'`
    isLocked.resolve()
    await entry.promise
  })
  await isLocked.promise
  const marking = desk.onQuotes({ symbols: ['AAPL'], timeMs: noonMs }, signal)
  await eventually(async () => (await marks())['free'] === '100900')
  expect(await marks()).toMatchObject({ busy: null })
  entry.resolve()
  await Promise.all([locking, marking])
  expect(await marks()).toMatchObject({ busy: '100500', free: '100900' })
})

test('a loss of the next level is told of, by a round of quotes like by a bar', async () => {
  await addAccount(world.sql, { id: 'losing', clock: 'replay', cash: '1000' })
  await hold('losing')
  for (const price of ['100', '60']) {
    await addInstrument(world.sql, 'AAPL', { price })
    await desk.onQuotes({ symbols: ['AAPL'], timeMs: noonMs }, signal)
  }
  expect(await recordsOf(world.sql, 'account/losing')).toMatchObject([
    { type: 'trading.state_changed', reason: 'DRAWDOWN', details: { level: 3, equity: '1600' } },
  ])
})
