import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  setDefaultTimeout,
  test,
} from 'bun:test'
import { parseAmount } from '#core/order/amount.ts'
import type { OrderTerms } from '#core/order/order.ts'
import { deskFaults } from './desk-faults.ts'
import {
  account,
  accountRow,
  addAccount,
  addInstrument,
  callerNamed,
  type DeskWorld,
  eventTypes,
  noonMs,
  openDeskWorld,
  orderRow,
  orderTerms,
  positionRow,
  recordsOf,
  setLimit,
  setSwitch,
} from './desk-world.ts'

setDefaultTimeout(60_000)

let world: DeskWorld
beforeAll(async () => {
  world = await openDeskWorld()
})
afterAll(() => world.close())
beforeEach(() => world.clear())
afterEach(async () => {
  expect(await deskFaults(world.sql)).toEqual([])
})

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => 'entered',
    (error: { code?: string }) => error.code,
  )
const count = async (table: string) =>
  (await world.sql`select count(*)::integer as n from ${world.sql(table)}`)[0]?.['n']
const amount = parseAmount

test.each([
  ['a principal that may not trade it', { by: callerNamed('stranger') }, account],
  ['an account that is not there', {}, 'nobody'],
])('%s is refused, and nothing is stored', async (_name, options, name) => {
  const entered = world.place({ account: name }, { ...options, key: 'k' })
  expect(await refusal(entered)).toBe('account.not_authorized')
  for (const table of ['postern_order', 'postern_idempotency', 'postern_audit_intake']) {
    expect(await count(table)).toBe(0)
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
  expect(await Promise.all(placed.map(refusal))).toEqual([
    'entered',
    'order.client_id_taken',
    'entered',
  ])
  expect(await refusal(world.place({ clientOrderId }))).toBe('order.client_id_taken')
  // A denied order has its client order id too.
  await world.place({ clientOrderId: 'denied', symbol: 'NOPE' })
  expect(await refusal(world.place({ clientOrderId: 'denied' }))).toBe('order.client_id_taken')
})

test.each([
  ['global', ''],
  ['account', account],
  ['symbol', 'AAPL'],
  ['strategy', 'momentum'],
])('while %s %s is halted an order is a record and no order', async (scope, key) => {
  await setSwitch(world.sql, 'HALTED', { scope, key })
  const halted = world.place({ strategy: 'momentum' }, { key: 'k' })
  expect(await refusal(halted)).toBe('trading.halted')
  expect(await count('postern_order')).toBe(0)
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
  expect(await refusal(world.placeIn(other, {}, { key: 'k', body: 'other' }))).toBe(
    'idempotency.mismatch',
  )
  expect(await count('postern_order')).toBe(1)
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
  expect(await count('postern_order')).toBe(20)
})

test('one key at once for two accounts is an order of one, and a conflict for the other', async () => {
  // Accounts of different lanes, which lock nothing of each other.
  await addAccount(world.sql, { id: 'desk-2' })
  await addAccount(world.sql, { id: 'desk-3' })
  const other = world.otherIntake()
  for (let round = 0; round < 20; round += 1) {
    const key = `k-${round}`
    const answers = await Promise.all([
      refusal(world.place({ account: 'desk-2' }, { key, body: '2' })),
      refusal(world.placeIn(other, { account: 'desk-3' }, { key, body: '3' })),
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
  expect(world.sent.map(({ payload }) => payload)).toEqual([{ account, orders: [order.id] }])
  expect(await recordsOf(world.sql, `order/${order.id}`)).toMatchObject([
    { type: 'order.accepted', actor: { subject: 'trader' }, details: { reserved: '995' } },
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

/** Two orders that fit alone but not together. */
const tight: readonly (readonly [string, string, string, Partial<OrderTerms>])[] = [
  ['POSITION_LIMIT', 'position_max', '15', {}],
  [
    'INSUFFICIENT_BUYING_POWER',
    'notional_per_minute_max',
    '100000000',
    { quantity: amount('600') },
  ],
  ['TOO_MANY_OPEN_ORDERS', 'open_orders_max', '1', {}],
  ['NOTIONAL_RATE_EXCEEDED', 'notional_per_minute_max', '1500', {}],
]

test.each(tight)(
  'of two orders at once that fit only alone one passes: %s',
  async (code, ...rest) => {
    const [name, value, change] = rest
    const other = world.otherIntake()
    for (let round = 0; round < 25; round += 1) {
      await world.clear()
      await setLimit(world.sql, name, value)
      await setLimit(world.sql, 'duplicate_window_ms', '0')
      const orders = await Promise.all([
        world.place(change),
        world.placeIn(other, { ...change, timeInForce: 'gtc' }),
      ])
      expect({ round, of: orders.map(({ status }) => status).toSorted() }).toEqual({
        round,
        of: ['accepted', 'denied'],
      })
      expect(orders.map((order) => order.reject_code).find(Boolean)).toBe(code)
      expect(await deskFaults(world.sql)).toEqual([])
    }
  },
)

test('two orders of one commit that fit only alone: the first passes', async () => {
  await setLimit(world.sql, 'position_max', '25')
  const placed = ['10', '11', '12', '4'].map((quantity) =>
    world.place({ quantity: amount(quantity) }),
  )
  const orders = await Promise.all(placed)
  expect(orders.map((order) => order.reject_code ?? order.status)).toEqual([
    'accepted',
    'accepted',
    'POSITION_LIMIT',
    'accepted',
  ])
})

test('an order that Postgres cannot take fails alone; its neighbours of the commit pass', async () => {
  const poisoned = orderTerms({ strategy: 'nul\u0000' })
  const fates = await Promise.all([
    world.place({ quantity: amount('1') }).then(({ status }) => status),
    refusal(world.place(poisoned)).then((code) => (code === 'entered' ? code : 'failed')),
    world.place({ quantity: amount('2') }).then(({ status }) => status),
    refusal(world.place({}, { by: callerNamed('stranger') })),
    world.place({ symbol: 'NOPE' }).then(({ status }) => status),
  ])
  expect(fates).toEqual(['accepted', 'failed', 'accepted', 'account.not_authorized', 'denied'])
  expect(await count('postern_order')).toBe(3)
})

test('an order may not meet an own one, also not one of the same commit', async () => {
  const at = (side: 'buy' | 'sell', price: string) =>
    world.place({ side, limitPrice: amount(price), quantity: amount('1') })
  await addAccountPosition('100')
  const [buy, crossing, beside] = await Promise.all([
    at('buy', '99'),
    at('sell', '98.5'),
    at('sell', '99.01'),
  ])
  expect(buy?.status).toBe('accepted')
  expect(crossing).toMatchObject({ status: 'denied', reject_code: 'SELF_TRADE' })
  expect(beside?.status).toBe('accepted')
  // And one that rests since an earlier commit, whose cancel is under way.
  expect(await at('buy', '99.01')).toMatchObject({ reject_code: 'SELF_TRADE' })
  expect(await world.place({ type: 'market', quantity: amount('1') })).toMatchObject({
    reject_code: 'SELF_TRADE',
  })
})

async function addAccountPosition(quantity: string): Promise<void> {
  const bought = await world.place({ quantity: amount(quantity) })
  const trade = { tradeId: 'start', quantity: amount(quantity), price: amount('100') }
  await world.sql`update postern_order set status = status where id = ${bought.id}`
  const { intendOrders } = await import('#core/order/desk/send-orders.ts')
  await intendOrders(world.workerDesk, account, [bought.id])
  await world.report({
    ...{ account, clientOrderId: bought.client_order_id },
    event: { type: 'trade', trade: { ...trade, fee: 0n, at: noonMs } },
  })
}

test('a twin within the window is denied, and after it is not; 0 switches the check off', async () => {
  const first = await world.place()
  expect(first.status).toBe('accepted')
  world.clock.nowMs += 499
  expect((await world.place()).reject_code).toBe('DUPLICATE_ORDER')
  // Two of one commit are twins as well.
  const pair = { quantity: amount('11') }
  const both = await Promise.all([world.place(pair), world.place(pair)])
  expect(both.map((order) => order.reject_code)).toEqual([undefined, 'DUPLICATE_ORDER'])
  world.clock.nowMs += 500
  expect((await world.place()).status).toBe('accepted')
  await setLimit(world.sql, 'duplicate_window_ms', '0')
  expect((await world.place()).status).toBe('accepted')
})

test('another price, side, type or time in force is no twin', async () => {
  const changes: readonly Partial<OrderTerms>[] = [
    {},
    { limitPrice: amount('99.99') },
    { timeInForce: 'gtc' },
    { quantity: amount('11') },
    { type: 'market' },
  ]
  for (const change of changes) {
    expect((await world.place(change)).status).toBe('accepted')
  }
})

test('notional counts for a minute, by what was entered and not by what was executed', async () => {
  await setLimit(world.sql, 'notional_per_minute_max', '2500')
  await setLimit(world.sql, 'duplicate_window_ms', '0')
  await world.place()
  await world.requests.cancel((await world.place()).id, (await import('./desk-world.ts')).trader)
  expect((await world.place()).reject_code).toBe('NOTIONAL_RATE_EXCEEDED')
  world.clock.nowMs += 59_000
  await addInstrument(world.sql, 'AAPL', { atMs: world.clock.nowMs })
  expect((await world.place()).reject_code).toBe('NOTIONAL_RATE_EXCEEDED')
  world.clock.nowMs += 2_000
  expect((await world.place()).status).toBe('accepted')
})

test('what the firm holds in all accounts, and in one sector, is limited together', async () => {
  await addAccount(world.sql, { id: 'desk-2' })
  await addInstrument(world.sql, 'XOM', { sector: 'Energy' })
  await addInstrument(world.sql, 'CVX', { sector: 'Energy' })
  await setLimit(world.sql, 'exposure_max', '3500', 'firm', '')
  await setLimit(world.sql, 'exposure_max', '1500', 'sector', 'Energy')
  const place = (name: string, symbol: string) => world.place({ account: name, symbol })
  expect((await place('desk-1', 'XOM')).status).toBe('accepted')
  const second = await place('desk-2', 'CVX')
  expect(second.reject_details).toEqual([
    'FIRM_EXPOSURE_LIMIT scope=sector gross=1000 notional=1000 max=1500',
  ])
  expect((await place('desk-2', 'AAPL')).status).toBe('accepted')
  expect((await place('desk-1', 'AAPL')).status).toBe('accepted')
  world.clock.nowMs += 1_000
  expect((await place('desk-2', 'AAPL')).reject_details).toEqual([
    'FIRM_EXPOSURE_LIMIT scope=firm gross=3000 notional=1000 max=3500',
  ])
})

test('two accounts at once that fit under the firm limit only alone: one passes', async () => {
  const other = world.otherIntake()
  for (let round = 0; round < 20; round += 1) {
    await world.clear()
    await addAccount(world.sql, { id: 'desk-2' })
    await setLimit(world.sql, 'exposure_max', '1500', 'firm', '')
    const orders = await Promise.all([world.place(), world.placeIn(other, { account: 'desk-2' })])
    expect(orders.map(({ status }) => status).toSorted()).toEqual(['accepted', 'denied'])
  }
})

test('the kill switch and orders at once: none that passed is left out by the record', async () => {
  const placed = Array.from({ length: 30 }, (_, index) =>
    refusal(world.place({ quantity: amount(String(index + 1)) })),
  )
  const switched = setSwitch(world.sql, 'HALTED')
  const fates = await Promise.all(placed)
  await switched
  expect(await refusal(world.place())).toBe('trading.halted')
  const entered = fates.filter((fate) => fate === 'entered').length
  expect(await count('postern_order')).toBe(entered)
  expect(await count('postern_audit_intake')).toBe(31)
})
