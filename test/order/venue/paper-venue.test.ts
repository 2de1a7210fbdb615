import { expect, test } from 'bun:test'
import { PosternError } from '#core/errors.ts'
import { parseAmount } from '#core/order/amount.ts'
import type { OrderTerms } from '#core/order/order.ts'
import { paperDefaults } from '#core/order/venue/paper-market.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { noSignal, orderTerms, referenceTo, testAccount } from './order-terms.ts'
import { paperFile } from './paper-file.ts'
import { closeMs, marketAt, only, openedMs } from './paper-world.ts'
import { reportLog } from './report-log.ts'

const shares = parseAmount
const dollars = parseAmount

const { world, venue, submit, viewOf, statusOf, fills } = await paperFile()

test('an order for a symbol without a market is rejected and not kept', async () => {
  const terms = orderTerms({ symbol: 'NOWHERE' })
  expect(await submit(terms)).toMatchObject({ kind: 'rejected', code: 'UNKNOWN_SYMBOL' })
  expect(await viewOf(terms)).toBeUndefined()
})

test.each([
  ['opg', { timeInForce: 'opg' }, 'UNSUPPORTED_TIME_IN_FORCE'],
  ['a limit order without a limit', { limitPrice: undefined }, 'LIMIT_PRICE_INVALID'],
  ['a market order with a limit', { type: 'market', limitPrice: 1n }, 'LIMIT_PRICE_INVALID'],
  ['a stop order without a stop', { type: 'stop' }, 'STOP_PRICE_INVALID'],
  ['nothing', { quantity: 0n }, 'QUANTITY_INVALID'],
  ['gtd without a time', { timeInForce: 'gtd' }, 'EXPIRE_TIME_INVALID'],
] as const)('%s is rejected', async (_name, terms, code) => {
  expect(await submit(orderTerms(terms))).toMatchObject({ kind: 'rejected', code })
})

test('an order that Postgres refuses fails alone; those beside it are placed', async () => {
  const good = Array.from({ length: 5 }, () => orderTerms())
  // No text column holds a NUL.
  const poisoned = orderTerms({ clientOrderId: 'nul\u0000' })
  const results = await Promise.allSettled([...good, poisoned].map((terms) => submit(terms)))
  expect(results.findIndex(({ status }) => status === 'rejected')).toBe(good.length)
  expect(await venue.listOpen(testAccount)).toHaveLength(good.length)
})

test('without its market nothing is placed, and without its database nobody knows', async () => {
  const away = connectPostgres({
    url: 'postgres://postern@127.0.0.1:1/postern',
    mode: 'development',
    applicationName: 'paper test',
    max: 1,
  })
  const terms = orderTerms()
  const blind = world.open({
    markets: async () => {
      throw new PosternError('database.unavailable', { reason: 'away' })
    },
  })
  await expect(submit(terms, blind)).rejects.toMatchObject({ code: 'venue.unavailable' })
  const cut = world.open({ grouped: away, sql: away })
  expect(await submit(terms, cut)).toMatchObject({ kind: 'unknown' })
  expect(await cut.cancel(referenceTo(terms), noSignal)).toBe('unknown')
  expect(await cut.replace(referenceTo(terms), orderTerms(), noSignal)).toMatchObject({
    kind: 'unknown',
  })
  await expect(cut.findByClientOrderId(testAccount, 'any')).rejects.toMatchObject({
    code: 'venue.unavailable',
  })
  await expect(cut.stream(reportLog().handlers)).rejects.toMatchObject({
    code: 'venue.unavailable',
  })
  await away.end({ timeout: 1 })
})

test('a marketable order is filled by the time it is accepted', async () => {
  world.markets.set('AAPL', marketAt('99.5'))
  const terms = orderTerms()
  const placed = await submit(terms)
  expect(await viewOf(terms)).toMatchObject({ status: 'filled', cumQuantity: shares('10') })
  const [fill, ...more] = await fills()
  expect(more).toEqual([])
  expect(fill?.trade).toMatchObject({ price: dollars('99.5'), fee: 0n, at: openedMs })
  expect(placed).toMatchObject({ kind: 'accepted' })
})

test.each([
  ['ioc', 'canceled'],
  ['fok', 'canceled'],
  ['day', 'new'],
] as const)(
  'while the symbol is halted nothing trades: an order that is %s is then %s',
  async (timeInForce, status) => {
    world.markets.set('AAPL', marketAt('99', { isHalted: true }))
    const terms = orderTerms({ timeInForce, type: 'market' })
    await submit(terms)
    expect(await statusOf(terms)).toBe(status)
    expect(await fills()).toEqual([])
  },
)

test('orders of one batch do not trade the same shares', async () => {
  world.markets.set('AAPL', marketAt('99', { shares: '15' }))
  await Promise.all([orderTerms(), orderTerms()].map((terms) => submit(terms)))
  const filled = (await fills()).map(({ trade }) => trade.quantity)
  expect(filled).toEqual([shares('10'), shares('5')])
})

test('what one process commits, the streams of another tell once', async () => {
  const [left, right] = [world.open(), world.open()]
  const log = reportLog()
  const stream = await world.open().stream(log.handlers)
  world.markets.set('MSFT', marketAt('50', { shares: '1000000' }))
  const orders = Array.from({ length: 300 }, (_, at) =>
    orderTerms({
      symbol: at % 3 === 0 ? 'MSFT' : 'AAPL',
      type: 'limit',
      limitPrice: dollars('60'),
    }),
  )
  await Promise.all(orders.map((terms, at) => submit(terms, at % 2 === 0 ? left : right)))
  await log.until((entries) => (entries.length >= 400 ? true : undefined))
  await stream.close()
  const told = orders.map((terms) => log.eventsOf(terms.clientOrderId).map(({ type }) => type))
  expect(told).toEqual(orders.map((_, at) => (at % 3 === 0 ? ['ack', 'trade'] : ['ack'])))
  expect(await fills()).toHaveLength(100)
  expect(await venue.positions(testAccount)).toEqual([{ symbol: 'MSFT', quantity: shares('1000') }])
})

test('at the end of the session DAY expires, a waiting IOC is cancelled, GTC stays', async () => {
  const latest = closeMs + 1
  const waiting = world.open({
    rules: { ...paperDefaults, mode: 'strict', seed: 1, latencyMs: 10 },
  })
  const day = orderTerms()
  const good = orderTerms({ timeInForce: 'gtc' })
  const dated = orderTerms({ timeInForce: 'gtd', expireAt: latest })
  const immediate = orderTerms({ timeInForce: 'ioc' })
  for (const terms of [day, good, dated, immediate]) await submit(terms, waiting)
  expect(await venue.expireDue([testAccount], closeMs - 1)).toBe(0)
  expect(await venue.expireDue([testAccount], closeMs)).toBe(2)
  expect(await venue.expireDue([testAccount], closeMs)).toBe(0)
  const statuses = await Promise.all([day, good, dated, immediate].map(statusOf))
  expect(statuses).toEqual(['expired', 'new', 'new', 'canceled'])
  expect(await venue.expireDue([testAccount], latest)).toBe(1)
  expect(await statusOf(dated)).toBe('expired')
})

test('a market behind the end of its session does not fill a DAY order, the last one does', async () => {
  const [late, last] = [orderTerms(), orderTerms({ symbol: 'MSFT' })]
  for (const terms of [late, last]) await submit(terms)
  await venue.onMarket(only(testAccount), 'AAPL', marketAt('99', { clockMs: closeMs + 1 }))
  await venue.onMarket(only(testAccount), 'MSFT', marketAt('99', { clockMs: closeMs }))
  expect(await Promise.all([late, last].map(statusOf))).toEqual(['new', 'filled'])
})

test('a market works the orders that it reaches, and all that wait for more than a price', async () => {
  const late = world.open({ rules: { ...paperDefaults, mode: 'strict', seed: 1, latencyMs: 10 } })
  const near = [
    orderTerms({ limitPrice: dollars('99') }),
    orderTerms({ side: 'sell', limitPrice: dollars('99') }),
  ]
  const beyond = [
    orderTerms({ limitPrice: dollars('98.99') }),
    orderTerms({ side: 'sell', limitPrice: dollars('99.01') }),
  ]
  const others = [
    orderTerms({ type: 'market' }),
    orderTerms({ type: 'stop', stopPrice: dollars('99') }),
    orderTerms({ type: 'stop_limit', limitPrice: dollars('98'), stopPrice: dollars('99') }),
    orderTerms({ limitPrice: dollars('98'), timeInForce: 'ioc' }),
  ]
  const elsewhere = orderTerms({ symbol: 'MSFT' })
  for (const terms of [...near, ...beyond, ...others, elsewhere]) await submit(terms, late)
  const market = marketAt('99', { clockMs: openedMs + 10 })
  expect(await venue.onMarket(only(testAccount), 'AAPL', market)).toBe(near.length + others.length)
  const statuses = async (all: readonly OrderTerms[]) => await Promise.all(all.map(statusOf))
  expect(await statuses(near)).toEqual(['filled', 'filled'])
  expect(await statuses(beyond)).toEqual(['new', 'new'])
  expect(await statuses(others)).toEqual(['filled', 'filled', 'new', 'canceled'])
  expect(await statusOf(elsewhere)).toBe('new')
  expect(await venue.onMarket(only('another'), 'AAPL', market)).toBe(0)
  expect(
    await venue.onMarket(only(testAccount), 'AAPL', marketAt('98.99', { clockMs: openedMs + 11 })),
  ).toBe(1)
})

test('a bar that is applied twice fills an order once', async () => {
  const terms = orderTerms({ quantity: shares('100'), type: 'market' })
  await submit(terms)
  const time = openedMs + 60_000
  const price = Number(dollars('100'))
  const bar = { time, open: price, high: price, low: price, close: price, volume: 2_000 }
  const market = { ...marketAt(undefined, { clockMs: time }), bar }
  expect(await venue.onMarket(only(testAccount), 'AAPL', market)).toBe(1)
  expect(await venue.onMarket(only(testAccount), 'AAPL', market)).toBe(0)
  expect(await viewOf(terms)).toMatchObject({ cumQuantity: shares('50') })
})

test('what an order meets by chance depends on the seed and its id, not on who works it when', async () => {
  const rules = { ...paperDefaults, mode: 'alpaca' } as const
  world.markets.set('AAPL', marketAt('99'))
  const orders = Array.from({ length: 60 }, (_, at) =>
    orderTerms({ clientOrderId: `chance-${at}`, quantity: shares('1000') }),
  )
  async function quantitiesOf(seed: number, ordered: readonly OrderTerms[]) {
    const [left, right] = [0, 1].map(() => world.open({ rules: { ...rules, seed } }))
    await Promise.all(ordered.map((terms, at) => submit(terms, at % 2 === 0 ? left : right)))
    const filled = new Map((await fills()).map((fill) => [fill.clientOrderId, fill.trade.quantity]))
    await world.sql`truncate postern_paper_order, postern_paper_report, postern_paper_position`
    return orders.map(({ clientOrderId }) => filled.get(clientOrderId))
  }
  const first = await quantitiesOf(5, orders)
  expect(first.some((quantity) => quantity !== shares('1000'))).toBe(true)
  expect(await quantitiesOf(5, orders.toReversed())).toEqual(first)
  expect(await quantitiesOf(6, orders)).not.toEqual(first)
})
