import { expect, test } from 'bun:test'
import { parseAmount } from '#core/order/amount.ts'
import { orderIntake } from '#core/order/desk/order-intake.ts'
import type { OrderTerms } from '#core/order/order.ts'
import { openTracing } from '#core/trace/tracing.ts'
import {
  account,
  addAccount,
  callerNamed,
  count,
  setLimit,
  setSwitch,
  trader,
} from './desk-rows.ts'
import { fate, openDeskWorld } from './desk-world.ts'
import { expectNoFaultsAfterEach, fileWorld } from './file-world.ts'

const world = await fileWorld(openDeskWorld)
expectNoFaultsAfterEach(world)

const amount = parseAmount

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
      const own = `desk-of-${round}`
      await addAccount(world.sql, { id: own })
      await setLimit(world.sql, name, value, 'account', own)
      const orders = await Promise.all([
        world.place({ ...change, account: own }),
        world.placeIn(other, { ...change, account: own, timeInForce: 'gtc' }),
      ])
      expect({ round, of: orders.map(({ status }) => status).toSorted() }).toEqual({
        round,
        of: ['accepted', 'denied'],
      })
      expect(orders.map((order) => order.reject_code).find(Boolean)).toBe(code)
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
  const poisoned = { strategy: 'nul\u0000' }
  const fates = await Promise.all([
    world.place({ quantity: amount('1') }).then(({ status }) => status),
    fate(world.place(poisoned)).then((code) => (code === 'entered' ? code : 'failed')),
    world.place({ quantity: amount('2') }).then(({ status }) => status),
    fate(world.place({}, { by: callerNamed('stranger') })),
    world.place({ symbol: 'NOPE' }).then(({ status }) => status),
  ])
  expect(fates).toEqual(['accepted', 'failed', 'accepted', 'account.not_authorized', 'denied'])
  expect(await count(world.sql, 'postern_order')).toBe(3)
})

test('orders of all accounts that share a commit share the job that sends them', async () => {
  await addAccount(world.sql, { id: 'desk-2' })
  const [one, other] = await Promise.all([world.place(), world.place({ account: 'desk-2' })])
  expect(world.sent.map(({ payload }) => payload)).toEqual([
    {
      venue: 'paper',
      orders: [
        { account, id: one.id },
        { account: 'desk-2', id: other.id },
      ],
    },
  ])
})

test('an order whose trace is told has a job of its own, in its trace', async () => {
  const tracing = openTracing({ sample: 0, resource: {}, onEnd: () => undefined })
  const traced = orderIntake({ ...world.desk, tracing })
  const trace = '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331'
  const by = (flags: string) => ({ ...trader, traceparent: `00-${trace}-${flags}` })
  const placed = ['01', '00', '00'].map((flags, at) =>
    world.placeIn(traced, { quantity: amount(`${at + 1}`) }, { by: by(flags) }),
  )
  const [told, ...others] = await Promise.all(placed)
  const jobs = world.sent.map(({ payload, traceparent }) => ({ payload, traceparent }))
  const of = (orders: readonly { readonly id: string }[]) => ({
    venue: 'paper',
    orders: orders.map(({ id }) => ({ account, id })),
  })
  expect(jobs).toEqual([
    { payload: of(told === undefined ? [] : [told]), traceparent: `00-${trace}-01` },
    { payload: of(others), traceparent: `00-${trace}-00` },
  ])
})

test('an order may not meet an own one, also not one of the same commit', async () => {
  const at = (side: 'buy' | 'sell', price: string) =>
    world.place({ side, limitPrice: amount(price), quantity: amount('1') })
  await world.own('100')
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
    fate(world.place({ quantity: amount(String(index + 1)) })),
  )
  const switched = setSwitch(world.sql, 'HALTED')
  const fates = await Promise.all(placed)
  await switched
  expect(await fate(world.place())).toBe('trading.halted')
  const entered = fates.filter((fate) => fate === 'entered').length
  expect(await count(world.sql, 'postern_order')).toBe(entered)
  expect(await count(world.sql, 'postern_audit_intake')).toBe(31)
})
