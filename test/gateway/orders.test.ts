import { expect, test } from 'bun:test'
import { orderDocumentSchema } from '#core/order/order-document.ts'
import { account, addAccount, count, setLimit, setSwitch } from '#test/order/desk/desk-rows.ts'
import { expectNoFaultsAfterEach, fileWorld } from '#test/order/desk/file-world.ts'
import { problemIn } from './memory-gateway.ts'
import { limitOrder, openOrderGateway } from './order-gateway.ts'

const orders = await fileWorld(openOrderGateway)
const { world } = orders
expectNoFaultsAfterEach(world)

test.each([
  ['POST', '/v1/orders'],
  ['PATCH', '/v1/orders/ORD-17'],
  ['DELETE', '/v1/orders/ORD-17'],
])('%s %s asks for its scope', async (method, path) => {
  const problem = await problemIn(await orders.request(path, { method, as: 'none' }))
  expect(problem.code).toBe('access.scope_missing')
})

test.each([
  ['a number of 16 digits', '/quantity', '{"quantity": 1234567.890123456}'],
  ['a number that is written with an exponent', '/quantity', '{"quantity": 1e-10}'],
  ['an exponent in a text', '/quantity', { quantity: '1e3' }],
  ['a negative quantity', '/quantity', { quantity: '-1' }],
  ['a negative number', '/quantity', { quantity: -1 }],
  ['no quantity at all', '/quantity', { quantity: undefined }],
  ['a quantity of nothing', '/quantity', { quantity: '0.0' }],
  ['a tenth decimal', '/quantity', { quantity: '0.0000000001' }],
  ['ten digits before the point', '/quantity', { quantity: '1000000000' }],
  ['a thousands separator', '/quantity', { quantity: '1,000' }],
  ['not a number', '/quantity', { quantity: 'NaN' }],
  ['a leading zero', '/quantity', { quantity: '01' }],
  ['a price of 0', '/limit_price', { limit_price: 0 }],
  ['a negative price', '/limit_price', { limit_price: '-100' }],
  ['a limit order without its price', '/limit_price', { limit_price: undefined }],
  ['a market order with a price', '/limit_price', { order_type: 'market' }],
  ['a stop order without its price', '/stop_price', { order_type: 'stop', limit_price: undefined }],
  ['a limit order with a stop price', '/stop_price', { stop_price: '99' }],
  ['a side that is none', '/side', { side: 'short' }],
  ['a type that is none', '/order_type', { order_type: 'iceberg' }],
  ['ioc that is to last a day', '/time_in_force', { order_type: 'ioc', time_in_force: 'day' }],
  ['a date without gtd', '/expire_at', { expire_at: '2024-03-02T00:00:00Z' }],
  ['gtd without a date', '/expire_at', { time_in_force: 'gtd' }],
  ['a date without its zone', '/expire_at', { time_in_force: 'gtd', expire_at: '2024-03-02' }],
  ['a symbol in small letters', '/symbol', { symbol: 'aapl' }],
  ['a client order id of 49 characters', '/client_order_id', { client_order_id: 'x'.repeat(49) }],
  ['a client order id with a space', '/client_order_id', { client_order_id: 'a b' }],
  ['an account that cannot be', '/account', { account: 'Desk 1' }],
  ['a member that nobody knows', '/price', { price: '100' }],
])('%s is refused by its member, and nothing is stored', async (_name, pointer, change) => {
  const text = JSON.stringify({ ...limitOrder, quantity: undefined }).slice(0, -1)
  const body =
    typeof change === 'string' ? `${text},${change.slice(1)}` : { ...limitOrder, ...change }
  const problem = await problemIn(await orders.post(body))
  expect(problem).toMatchObject({ status: 422, code: 'request.body_invalid' })
  expect(problem.errors?.map((each) => each.pointer)).toEqual([pointer])
  expect(await count(world.sql, 'postern_order')).toBe(0)
})

test('an order without a key and without a client order id is refused', async () => {
  expect(await problemIn(await orders.post(limitOrder, { key: '' }))).toMatchObject({
    ...{ status: 400, code: 'order.key_required' },
  })
  expect((await orders.post({ ...limitOrder, client_order_id: 'mine' }, { key: '' })).status).toBe(
    201,
  )
  expect(
    await problemIn(await orders.post({ ...limitOrder, client_order_id: 'mine' })),
  ).toMatchObject({
    ...{ status: 409, code: 'order.client_id_taken' },
  })
})

test('an order that passes is 201 at its place, with decimals as text', async () => {
  const response = await orders.post({ ...limitOrder, quantity: 10, limit_price: 100.0 })
  expect(response.status).toBe(201)
  const order = orderDocumentSchema.parse(await response.json())
  expect(response.headers.get('location')).toBe(`/v1/orders/${order.id}`)
  expect(order).toMatchObject({
    ...{ status: 'accepted', account, client_order_id: order.id, quantity: '10' },
    ...{ limit_price: '100', filled_quantity: '0', leaves_quantity: '10', time_in_force: 'day' },
  })
})

test('the longest number that a double holds is taken as it was written', async () => {
  await world.sql`update postern_instrument set lot = 0.000000001, quantity_min = 0.000000001`
  const { requested_quantity } =
    await orders.place(`{"symbol":"AAPL","side":"buy","order_type":"limit",
    "limit_price":"100","quantity":0.123456789}`)
  expect(requested_quantity).toBe('0.123456789')
})

test('a denial is 201 with its code and every reason', async () => {
  const response = await orders.post({ ...limitOrder, symbol: 'NOPE' })
  expect(response.status).toBe(201)
  expect(await response.json()).toMatchObject({
    ...{ status: 'denied', reject_code: 'UNKNOWN_SYMBOL' },
    reject_details: expect.arrayContaining([expect.stringMatching(/^STALE_MARKET_DATA /)]),
  })
})

test.each([
  ['with a limit', '100', 'limit'],
  ['without', undefined, 'market'],
])('ioc is short for a time in force: %s', async (_name, limit_price, type) => {
  const body = { symbol: 'AAPL', side: 'buy', quantity: '1', order_type: 'ioc', limit_price }
  expect(await orders.place(body)).toMatchObject({ type, time_in_force: 'ioc' })
})

test('the same key and body is the first answer again, another body a conflict', async () => {
  const first = await orders.place(limitOrder, { key: 'k' })
  const again = await orders.post(limitOrder, { key: 'k' })
  expect(again.status).toBe(201)
  expect(again.headers.get('idempotent-replayed')).toBe('true')
  expect(await again.json()).toEqual(first)
  expect(
    await problemIn(await orders.post({ ...limitOrder, quantity: '11' }, { key: 'k' })),
  ).toMatchObject({
    ...{ status: 422, code: 'idempotency.mismatch' },
  })
  expect(await count(world.sql, 'postern_order')).toBe(1)
})

test('while trading is halted orders and changes are 503 and cancels pass', async () => {
  const { id } = await orders.place()
  await setSwitch(world.sql, 'HALTED')
  for (const response of [
    await orders.post(limitOrder),
    await orders.patch(id, { quantity: '5' }),
  ]) {
    expect(response.headers.get('retry-after')).toBe('60')
    expect(await problemIn(response)).toMatchObject({ status: 503, code: 'trading.halted' })
  }
  expect((await orders.cancel(id)).status).toBe(204)
})

test('the account may be left out where there is one, and is named where there are more', async () => {
  expect((await orders.place()).account).toBe(account)
  await addAccount(world.sql, { id: 'desk-2' })
  await orders.allow('all', 'desk-2')
  orders.restart()
  expect(await problemIn(await orders.post(limitOrder))).toMatchObject({
    ...{ status: 403, code: 'account.not_authorized' },
  })
  expect((await orders.place({ ...limitOrder, account: 'desk-2' })).account).toBe('desk-2')
})

test('an account of somebody else and one that is not there are refused alike', async () => {
  await addAccount(world.sql, { id: 'theirs' })
  const problems = await Promise.all(
    ['theirs', 'nobodys'].map(async (name) =>
      problemIn(await orders.post({ ...limitOrder, account: name })),
    ),
  )
  const [theirs, nobodys] = problems.map(({ requestId: _requestId, ...problem }) => problem)
  expect(theirs).toMatchObject({ status: 403, code: 'account.not_authorized' })
  expect(theirs).toEqual(nobodys)
})

test('above its rate an account is told to wait, and cancels have a rate of their own', async () => {
  await setLimit(world.sql, 'messages_per_second', '3')
  const placed = [
    await orders.place(),
    await orders.place({ ...limitOrder, quantity: '11' }),
    await orders.place({ ...limitOrder, quantity: '12' }),
  ]
  const response = await orders.post(limitOrder)
  expect(response.headers.get('retry-after')).toBe('1')
  expect(await problemIn(response)).toMatchObject({ status: 429, code: 'order.rate_limited' })
  const cancels = await Promise.all(placed.map(({ id }) => orders.cancel(id)))
  expect(cancels.map(({ status }) => status)).toEqual([204, 204, 204])
  expect((await orders.cancel(placed[0]?.id ?? '')).status).toBe(429)
  // A third of a second later there is room for one.
  world.clock.nowMs += 334
  expect((await orders.post(limitOrder)).status).toBe(201)
  expect((await orders.post(limitOrder)).status).toBe(429)
})

test('the rate is shared by the gateways that are alive', async () => {
  await setLimit(world.sql, 'messages_per_second', '4')
  orders.restart(2)
  const statuses = [
    await orders.post(limitOrder),
    await orders.post(limitOrder),
    await orders.post(limitOrder),
  ].map(({ status }) => status)
  expect(statuses).toEqual([201, 201, 429])
})

test('a stranger cannot spend the rate of an account', async () => {
  await setLimit(world.sql, 'messages_per_second', '2')
  await world.sql`insert into postern_account (id, venue, clock, starting_cash, cash)
    values ('own', 'paper', 'live', 1, 1)`
  await orders.allow('other', 'own')
  for (let count = 0; count < 5; count += 1) {
    const refused = await orders.post({ ...limitOrder, account }, { as: 'other' })
    expect(refused.status).toBe(403)
  }
  expect((await orders.post(limitOrder)).status).toBe(201)
})
