import { expect, test } from 'bun:test'
import { parseAmount } from '#core/order/amount.ts'
import {
  account,
  accountRow,
  addAccount,
  callerNamed,
  count,
  eventTypes,
  noonMs,
  orderRow,
  positionRow,
  recordsOf,
  setLimit,
  setSwitch,
} from './desk-rows.ts'
import { fate, openDeskWorld } from './desk-world.ts'
import { expectNoFaultsAfterEach, fileWorld } from './file-world.ts'

const world = await fileWorld(openDeskWorld)
expectNoFaultsAfterEach(world)

const amount = parseAmount

test.each([
  ['a principal that may not trade it', { by: callerNamed('stranger') }, account],
  ['an account that is not there', {}, 'nobody'],
])('%s is refused, and nothing is stored', async (_name, options, name) => {
  const entered = world.place({ account: name }, { ...options, key: 'k' })
  expect(await fate(entered)).toBe('account.not_authorized')
  for (const table of ['postern_order', 'postern_idempotency', 'postern_audit_intake']) {
    expect(await count(world.sql, table)).toBe(0)
  }
})

test('a client order id is taken once in its account, also within one commit', async () => {
  await addAccount(world.sql, { id: 'desk-2' })
  const clientOrderId = 'mine'
  const placed = [
    world.place({ clientOrderId }),
    world.place({ clientOrderId, quantity: amount('20') }),
    world.place({ clientOrderId, account: 'desk-2' }),
  ]
  expect(await Promise.all(placed.map(fate))).toEqual([
    'entered',
    'order.client_id_taken',
    'entered',
  ])
  expect(await fate(world.place({ clientOrderId }))).toBe('order.client_id_taken')
  // A denied order has its client order id too.
  await world.place({ clientOrderId: 'denied', symbol: 'NOPE' })
  expect(await fate(world.place({ clientOrderId: 'denied' }))).toBe('order.client_id_taken')
})

test.each([
  ['global', ''],
  ['account', account],
  ['symbol', 'AAPL'],
  ['strategy', 'momentum'],
])('while %s %s is halted an order is a record and no order', async (scope, key) => {
  await setSwitch(world.sql, 'HALTED', { scope, key })
  const halted = world.place({ strategy: 'momentum' }, { key: 'k' })
  expect(await fate(halted)).toBe('trading.halted')
  expect(await count(world.sql, 'postern_order')).toBe(0)
  expect(await recordsOf(world.sql, `account/${account}`)).toMatchObject([
    { type: 'order.denied', outcome: 'refused', reason: 'TRADING_HALTED' },
  ])
  // The key was not spent: after the halt the same request is an order.
  await setSwitch(world.sql, 'ACTIVE', { scope, key })
  expect(await world.place({ strategy: 'momentum' }, { key: 'k' })).toMatchObject({
    status: 'accepted',
    replayed: false,
  })
})

test('a halt of something else, or one that has ended, stops nothing', async () => {
  await setSwitch(world.sql, 'HALTED', { scope: 'symbol', key: 'MSFT' })
  await setSwitch(world.sql, 'HALTED', { scope: 'account', key: 'AAPL' })
  await setSwitch(world.sql, 'HALTED', { until: new Date(noonMs) })
  expect(await world.place()).toMatchObject({ status: 'accepted' })
})

test('REDUCING lets an order only bring the position nearer to zero', async () => {
  await setSwitch(world.sql, 'REDUCING', { scope: 'symbol', key: 'AAPL' })
  expect(await world.place()).toMatchObject({
    status: 'denied',
    reject_code: 'TRADING_STATE_REDUCING',
  })
})

test('an idempotency key gives its first answer again, also from another process', async () => {
  const first = await world.place({}, { key: 'k' })
  const other = world.otherIntake()
  const again = await world.placeIn(other, {}, { key: 'k' })
  expect(again).toEqual({ ...first, replayed: true })
  expect(await fate(world.placeIn(other, {}, { key: 'k', body: 'other' }))).toBe(
    'idempotency.mismatch',
  )
  expect(await count(world.sql, 'postern_order')).toBe(1)
  // A key is its caller's: the same word of somebody else is another key.
  const by = callerNamed('colleague')
  const { issuer, subject } = by.principal
  await world.sql`
    insert into postern_account_trader (account, issuer, subject)
    values (${account}, ${issuer}, ${subject})`
  const theirs = await world.place({ quantity: amount('20') }, { key: 'k', by })
  expect(theirs.replayed).toBe(false)
})

test('one key at once in two processes is one order, for every round', async () => {
  await setLimit(world.sql, 'duplicate_window_ms', '0')
  const other = world.otherIntake()
  for (let round = 0; round < 20; round += 1) {
    const key = `k-${round}`
    const answers = await Promise.all([
      world.place({}, { key }),
      world.placeIn(other, {}, { key }),
      world.place({}, { key }),
    ])
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1)
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
  }
  expect(await count(world.sql, 'postern_order')).toBe(20)
})

test('one key at once for two accounts is an order of one, and a conflict for the other', async () => {
  // Accounts of different commits, which lock nothing of each other.
  await addAccount(world.sql, { id: 'desk-2' })
  await addAccount(world.sql, { id: 'desk-3' })
  const other = world.otherIntake()
  for (let round = 0; round < 20; round += 1) {
    const key = `k-${round}`
    const answers = await Promise.all([
      fate(world.place({ account: 'desk-2' }, { key, body: '2' })),
      fate(world.placeIn(other, { account: 'desk-3' }, { key, body: '3' })),
    ])
    expect(answers.toSorted()).toEqual(['entered', 'idempotency.mismatch'])
    world.clock.nowMs += 1_000
  }
})

test('an order that passes holds its reservation, and is on its way by a job', async () => {
  const order = await world.place({ quantity: amount('10'), limitPrice: amount('99.5') })
  expect(order).toMatchObject({ status: 'accepted', quantity: '10', reject_details: [] })
  expect(await accountRow(world.sql)).toEqual({ cash: '100000', reserved: '995', open: 1 })
  expect(await positionRow(world.sql)).toEqual({ quantity: '0', buy: '10', sell: '0' })
  expect(await eventTypes(world.sql, order.id)).toEqual(['submit', 'risk.pass'])
  expect(world.sent.map(({ payload }) => payload)).toEqual([
    { venue: 'paper', orders: [{ account, id: order.id }] },
  ])
  expect(await recordsOf(world.sql, `order/${order.id}`)).toMatchObject([
    { type: 'order.accepted', actor: { sub: 'trader' }, details: { reserved: '995' } },
  ])
  expect(await world.sql`select from postern_outbox`).toHaveLength(1)
})

test('a day order names the close of its session', async () => {
  expect((await world.place()).expire_at).toBe('2024-03-01T21:00:00.000Z')
  expect((await world.place({ timeInForce: 'gtc' })).expire_at).toBeUndefined()
})

test('a denied order is stored with every reason, the first as its code, and holds nothing', async () => {
  const order = await world.place({
    quantity: amount('20000'),
    limitPrice: amount('150.001'),
    side: 'sell',
  })
  expect(order.status).toBe('denied')
  expect(order.reject_code).toBe('PRICE_INCREMENT')
  expect(order.reject_details.map((detail) => detail.split(' ')[0])).toEqual([
    'PRICE_INCREMENT',
    'QUANTITY_EXCEEDS_MAXIMUM',
    'PRICE_COLLAR',
    'NOTIONAL_EXCEEDS_MAX_PER_ORDER',
    'NOTIONAL_RATE_EXCEEDED',
    'INSUFFICIENT_BUYING_POWER',
    'SHORT_NOT_ALLOWED',
  ])
  const row = await orderRow(world.sql, order.id)
  expect(row).toMatchObject({ status: 'denied', code: 'PRICE_INCREMENT', reserved: '0' })
  expect(await eventTypes(world.sql, order.id)).toEqual(['submit', 'risk.deny'])
  expect(await accountRow(world.sql)).toEqual({ cash: '100000', reserved: '0', open: 0 })
  expect(world.sent).toHaveLength(0)
  expect(await recordsOf(world.sql, `order/${order.id}`)).toMatchObject([
    { type: 'order.denied', outcome: 'refused', reason: 'PRICE_INCREMENT' },
  ])
})

test.each([
  ['no price at all', 'update postern_instrument set last_price = null', 'STALE_MARKET_DATA'],
  [
    'a price of six seconds ago',
    "update postern_instrument set last_time = last_time - interval '6 s'",
    'STALE_MARKET_DATA',
  ],
  [
    'an index that nobody has heard of',
    "update postern_market set index_symbol = 'SPX'",
    'STALE_MARKET_DATA',
  ],
  ['a restriction', 'update postern_instrument set is_restricted = true', 'RESTRICTED_SYMBOL'],
])('with %s an order is denied', async (_name, change, code) => {
  await world.sql.unsafe(change)
  expect((await world.place()).reject_code).toBe(code)
})
