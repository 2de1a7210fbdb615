import { expect, test } from 'bun:test'
import { parseAmount } from '#core/order/amount.ts'
import { followMarket } from '#core/order/desk/follow-market.ts'
import { paperMarkets } from '#core/order/desk/paper-markets.ts'
import { releaseWaiting } from '#core/order/desk/waiting-orders.ts'
import { paperDefaults } from '#core/order/venue/paper-market.ts'
import { paperVenue } from '#core/order/venue/paper-venue.ts'
import { eventually } from '../../integration/world.ts'
import {
  account,
  accountRow,
  addInstrument,
  eventTypes,
  noonMs,
  orderRow,
  positionRow,
  recordsOf,
  setLimit,
  setSwitch,
  trader,
} from './desk-rows.ts'
import { openDeskWorld } from './desk-world.ts'
import { expectNoFaultsAfterEach, fileWorld } from './file-world.ts'

const world = await fileWorld(openDeskWorld)
expectNoFaultsAfterEach(world)

const shares = parseAmount
const minuteMs = 60_000
const haltUntil = noonMs + 15 * minuteMs
const closeMs = Date.parse('2024-03-01T21:00:00Z')
/** Monday's open. */
const nextOpenMs = Date.parse('2024-03-04T14:30:00Z')
const release = () => releaseWaiting(world.workerDesk, account)

/** What the market-wide breaker says; data are new as of the clock. */
async function setBreaker(status: 'HALT' | 'OPEN', price = '100'): Promise<void> {
  const { nowMs } = world.clock
  const breaker = {
    ...{ status, day: '2024-03-01', priorCloseCents: 10_000, closeCents: null },
    ...{ usedL1: true, usedL2: false, indexCents: 9_300, indexTime: nowMs },
    ...{ haltLevel: status === 'HALT' ? 1 : null, haltUntil: status === 'HALT' ? haltUntil : null },
  }
  await world.sql`
    update postern_market set index_symbol = 'SPX', breaker = ${JSON.stringify(breaker)}::text::jsonb
    where clock = 'live'`
  await addInstrument(world.sql, 'AAPL', { price, atMs: nowMs })
}

/** The same market, later. */
async function reopen(price = '100', atMs = haltUntil): Promise<void> {
  world.clock.nowMs = atMs
  await setBreaker('OPEN', price)
}

test('while a breaker halts the market orders are held, and hold what they need', async () => {
  await setBreaker('HALT')
  const order = await world.place()
  expect(order).toMatchObject({ status: 'held' })
  expect(await eventTypes(world.sql, order.id)).toEqual(['submit', 'risk.pass', 'halt'])
  expect(await accountRow(world.sql)).toMatchObject({ reserved: '1000', open: 1 })
  expect(world.sent).toHaveLength(0)
  expect(await recordsOf(world.sql, `order/${order.id}`)).toMatchObject([{ type: 'order.held' }])
  expect((await world.place({ type: 'market', timeInForce: 'ioc' })).reject_code).toBe(
    'MARKET_HALTED_L1',
  )
  await setLimit(world.sql, 'hold_when_halted', '0')
  expect((await world.place({ timeInForce: 'gtc' })).reject_code).toBe('MARKET_HALTED_L1')
})

test('what waited is let go by the next round of quotes', async () => {
  await setBreaker('HALT')
  const order = await world.place()
  await reopen()
  const { sql, readMarket } = world.workerDesk
  const rules = { ...paperDefaults, seed: 1 }
  const paper = paperVenue({ sql, grouped: sql, rules, ...paperMarkets({ sql, readMarket }) })
  const market = followMarket({ ...world.workerDesk, paper })
  const { signal } = new AbortController()
  await market.onQuotes({ symbols: ['AAPL'], timeMs: world.clock.nowMs }, signal)
  expect(await world.statusOf(order)).toBe('accepted')
})

test('during the halt nothing is released', async () => {
  await setBreaker('HALT')
  const order = await world.place()
  expect(await release()).toEqual({ expired: 0, released: 0, denied: 0 })
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'held' })
})

test('a held order can be cancelled, and is nowhere then', async () => {
  await setBreaker('HALT')
  const { id } = await world.place()
  expect(await world.requests.cancel(id, trader)).toMatchObject({ status: 'canceled' })
  await reopen()
  expect(await release()).toEqual({ expired: 0, released: 0, denied: 0 })
  expect(await accountRow(world.sql)).toMatchObject({ reserved: '0', open: 0 })
})

test('after the halt an order goes out through all checks, once', async () => {
  await setBreaker('HALT')
  const order = await world.place()
  await reopen()
  const released = await Promise.all([release(), release()])
  expect(released.reduce((sum, one) => sum + one.released, 0)).toBe(1)
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'accepted', quantity: '10' })
  expect(world.sent.map(({ payload }) => payload)).toEqual([
    { venue: 'paper', orders: [{ account, id: order.id }] },
  ])
})

test('after the halt an order waits for the index, and for a price of its own symbol', async () => {
  await setBreaker('HALT')
  const order = await world.place()
  world.clock.nowMs = haltUntil
  // The halt is over and the index has not been heard of since, nor has the symbol.
  expect(await release()).toEqual({ expired: 0, released: 0, denied: 0 })
  await setBreaker('OPEN')
  await addInstrument(world.sql, 'AAPL', { atMs: noonMs })
  expect(await release()).toEqual({ expired: 0, released: 0, denied: 0 })
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'held' })
  await addInstrument(world.sql, 'AAPL', { atMs: haltUntil })
  expect(await release()).toMatchObject({ released: 1 })
})

test('what has moved away meanwhile is denied, and holds nothing any more', async () => {
  await setBreaker('HALT')
  const order = await world.place()
  await reopen('80')
  expect(await release()).toMatchObject({ denied: 1 })
  expect(await orderRow(world.sql, order.id)).toMatchObject({
    ...{ status: 'denied', code: 'PRICE_COLLAR' },
  })
  expect(await accountRow(world.sql)).toMatchObject({ reserved: '0', open: 0 })
})

test.each(['HALTED', 'REDUCING'] as const)(
  'under %s nothing is released to its venue',
  async (state) => {
    await setBreaker('HALT')
    await world.place()
    await setSwitch(world.sql, state)
    await reopen()
    expect(await release()).toMatchObject({ denied: 1 })
    expect(world.sent).toHaveLength(0)
  },
)

test('in a volatile market an order goes out smaller, and holds no more than that', async () => {
  await setBreaker('HALT')
  const order = await world.place({ quantity: shares('100') })
  await reopen()
  await world.sql`update postern_instrument
    set statistics = statistics || '{"volatilityPercent": 80}'::jsonb`
  expect(await release()).toMatchObject({ released: 1 })
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'accepted', quantity: '25' })
  expect(await accountRow(world.sql)).toMatchObject({ reserved: '2500', open: 1 })
  expect(await positionRow(world.sql)).toMatchObject({ buy: '25' })
})

test('a market order holds what it needs at the price at which it goes out', async () => {
  await setBreaker('HALT')
  const order = await world.place({ type: 'market' })
  expect(await accountRow(world.sql)).toMatchObject({ reserved: '1040' })
  await reopen('102')
  await release()
  expect(await orderRow(world.sql, order.id)).toMatchObject({ reserved: '1060.8' })
  expect(await accountRow(world.sql)).toMatchObject({ reserved: '1060.8' })
})

test('what an order holds itself is not in its way', async () => {
  await setLimit(world.sql, 'position_max', '10')
  await setLimit(world.sql, 'open_orders_max', '1')
  await setLimit(world.sql, 'exposure_max', '1000', 'firm', '')
  await world.sql`update postern_account set cash = 1000, starting_cash = 1000`
  await setBreaker('HALT')
  expect(await world.place()).toMatchObject({ status: 'held' })
  await reopen()
  expect(await release()).toMatchObject({ released: 1, denied: 0 })
})

test('of two held orders that fit only alone one passes', async () => {
  await setBreaker('HALT')
  const orders = [await world.place(), await world.place({ timeInForce: 'gtc' })]
  await world.sql`update postern_account set cash = 1500, starting_cash = 1500`
  await reopen()
  expect(await release()).toMatchObject({ released: 1, denied: 1 })
  const codes = await Promise.all(
    orders.map(async ({ id }) => (await orderRow(world.sql, id))?.['code']),
  )
  expect(codes).toEqual(['INSUFFICIENT_BUYING_POWER', null])
})

test('a day order expires after the close of its session and not at it', async () => {
  await setBreaker('HALT')
  const order = await world.place()
  await reopen('100', closeMs)
  expect(await release()).toMatchObject({ released: 1 })
  // An accepted one whose job has not run expires as well.
  await reopen('100', closeMs + 1)
  expect(await release()).toMatchObject({ expired: 1 })
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'expired' })
  expect(await accountRow(world.sql)).toMatchObject({ reserved: '0', open: 0 })
})

test('an order good till a date expires at it, by the clock of its market', async () => {
  await setBreaker('HALT')
  const expireAt = noonMs + 5 * minuteMs
  const order = await world.place({ timeInForce: 'gtd', expireAt })
  world.clock.nowMs = expireAt - 1
  expect(await release()).toMatchObject({ expired: 0 })
  world.clock.nowMs = expireAt
  expect(await release()).toMatchObject({ expired: 1 })
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'expired' })
})

test('an order that has gone out meanwhile is not expired from here', async () => {
  const order = await world.place()
  world.clock.nowMs = closeMs + 1
  const released = await world.sql.begin(async (sql) => {
    await sql`select from postern_account for update`
    const releasing = release()
    await eventually(async () => {
      const waiting = await world.sql`select from pg_locks where not granted`
      return waiting.length > 0
    })
    await world.intend(order.id)
    return { releasing }
  })
  expect(await released.releasing).toEqual({ expired: 0, released: 0, denied: 0 })
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'pending_new' })
})

test('an order for several days waits over the weekend, behind any number of others', async () => {
  await setLimit(world.sql, 'duplicate_window_ms', '0')
  await setLimit(world.sql, 'messages_per_second', '1000')
  world.clock.nowMs = closeMs + minuteMs
  await setBreaker('OPEN')
  const one = { quantity: shares('1'), timeInForce: 'gtc' } as const
  await Promise.all(Array.from({ length: 210 }, () => world.place(one)))
  const last = await world.place({ ...one, timeInForce: 'gtd', expireAt: closeMs + 2 * minuteMs })
  expect(last).toMatchObject({ status: 'held' })
  world.clock.nowMs += 2 * minuteMs
  expect(await release()).toEqual({ expired: 1, released: 0, denied: 0 })
  await reopen('100', nextOpenMs)
  await world.sql`update postern_market set breaker = breaker || '{"day": "2024-03-04"}'::jsonb
    where clock = 'live'`
  expect(await release()).toEqual({ expired: 0, released: 210, denied: 0 })
})
