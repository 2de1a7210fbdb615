import { expect, test } from 'bun:test'
import { PosternError } from '#core/errors.ts'
import { parseAmount } from '#core/order/amount.ts'
import type { Venue } from '#core/order/venue.ts'
import { deskAtVenue } from './desk-at-venue.ts'
import {
  accountRow,
  eventTypes,
  orderRow,
  quarantine,
  recordsOf,
  setSwitch,
  trader,
} from './desk-rows.ts'
import { fate } from './desk-world.ts'

const desk = await deskAtVenue()
const { world, atVenue, run } = desk

const shares = parseAmount

test('the intent is committed before the venue is called', async () => {
  const order = await world.place()
  const seen: unknown[] = []
  const watched: Venue = {
    ...desk.venue,
    async submit(terms, signal) {
      seen.push(await orderRow(world.sql, terms.id), await eventTypes(world.sql, terms.id))
      return await desk.venue.submit(terms, signal)
    },
  }
  await run(order, watched)
  expect(seen).toMatchObject([
    { status: 'pending_new', attempts: 1 },
    ['submit', 'risk.pass', 'worker.sent'],
  ])
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'new' })
})

test('what one order can never do does not end the tries of another in the same job', async () => {
  const never = await world.place({ quantity: shares('1') })
  const soon = await world.place({ quantity: shares('2') })
  const codes = new Map([
    [never.id, 'order.transition_refused' as const],
    [soon.id, 'venue.unavailable' as const],
  ])
  const failing: Venue = {
    ...desk.venue,
    submit: ({ id }) => Promise.reject(new PosternError(codes.get(id) ?? 'internal')),
  }
  expect(await fate(world.advance(failing, [never.id, soon.id]))).toBe('venue.unavailable')
  expect(await fate(world.advance(desk.venue, [never.id, soon.id]))).toBe('entered')
})

test('an answer that was lost is looked up, and the order is not sent again', async () => {
  const order = await world.place()
  desk.venue.script({ kind: 'lose-answer' })
  expect(await fate(run(order))).toBe('venue.unavailable')
  expect(await world.statusOf(order)).toBe('pending_new')
  expect(await run(order)).toMatchObject({ sent: 0, looked_up: 1 })
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'new', attempts: 1 })
})

test('fills that nobody heard of are found with the order that is looked up', async () => {
  const order = await world.place()
  desk.venue.script({ kind: 'lose-answer' })
  desk.venue.disconnect()
  await fate(run(order))
  desk.venue.trade('AAPL', shares('4'), shares('100'))
  await run(order)
  expect(await orderRow(world.sql, order.id)).toMatchObject({
    status: 'partially_filled',
    cum: '4',
  })
  const second = await world.place({ timeInForce: 'gtc' })
  desk.venue.script({ kind: 'lose-answer' })
  await fate(run(second))
  desk.venue.expire(second.client_order_id)
  await run(second)
  expect(await world.statusOf(second)).toBe('expired')
})

test('an order that never arrived is sent again as the second attempt, under the same id', async () => {
  const order = await world.place()
  desk.venue.script({ kind: 'lose-order' })
  expect(await fate(run(order))).toBe('venue.unavailable')
  expect(await run(order)).toMatchObject({ sent: 0, looked_up: 1 })
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'new', attempts: 2 })
  expect([...desk.venue.orders.keys()]).toEqual([order.client_order_id])
})

test('a venue that is away leaves the intent; a look-up that fails sends nothing', async () => {
  const order = await world.place()
  desk.venue.script({ kind: 'unavailable' })
  expect(await fate(run(order))).toBe('venue.unavailable')
  const away: Venue = {
    ...desk.venue,
    findByClientOrderId: () => Promise.reject(new Error('connection reset')),
  }
  await fate(run(order, away))
  expect(desk.venue.submits.size).toBe(0)
  expect(await world.statusOf(order)).toBe('pending_new')
  await run(order)
  expect(await world.statusOf(order)).toBe('new')
})

test('a worker that died after the call finds its order at the venue', async () => {
  const order = await world.place()
  const dying: Venue = {
    ...desk.venue,
    async submit(terms, signal) {
      await desk.venue.submit(terms, signal)
      throw new Error('killed')
    },
  }
  desk.venue.disconnect()
  await fate(run(order, dying))
  expect(await world.statusOf(order)).toBe('pending_new')
  await Promise.all([run(order), run(order)])
  expect(await world.statusOf(order)).toBe('new')
})

test('a job that runs twice at once sends its order once', async () => {
  for (let round = 0; round < 10; round += 1) {
    const order = await world.place({ quantity: shares(String(round + 1)) })
    // As a venue that refuses a second order of an id, instead of naming the one it has.
    const counting: Venue = {
      ...desk.venue,
      async submit(terms, signal) {
        return desk.venue.orders.has(terms.clientOrderId)
          ? { kind: 'accepted', venueOrderId: 'the same' }
          : await desk.venue.submit(terms, signal)
      },
    }
    await Promise.all([fate(run(order, counting)), fate(run(order, counting))])
    await desk.told()
    expect(
      [...desk.venue.orders.values()].filter((one) => one.clientOrderId === order.id),
    ).toHaveLength(1)
    expect(await world.statusOf(order)).toBe('new')
    for (const [id] of desk.venue.submits) expect(desk.venue.submits.get(id)).toBe(1)
  }
})

test('of orders in one job those that work are sent, and the others with the next run', async () => {
  const orders = await Promise.all(
    ['1', '2', '3'].map((quantity) => world.place({ quantity: shares(quantity) })),
  )
  desk.venue.script({ kind: 'reject', code: 'NO_SHARES' }, { kind: 'lose-order' })
  const ids = orders.map(({ id }) => id)
  expect(await fate(world.advance(desk.venue, ids))).toBe('venue.unavailable')
  await desk.told()
  const states = await Promise.all(orders.map(world.statusOf))
  expect(states.toSorted()).toEqual(['new', 'pending_new', 'rejected'])
  await world.advance(desk.venue, ids)
  expect((await Promise.all(orders.map(world.statusOf))).toSorted()).toEqual([
    'new',
    'new',
    'rejected',
  ])
  expect(await accountRow(world.sql)).toMatchObject({ open: 2 })
})

test('an order that was cancelled before its job ran is not sent', async () => {
  const order = await world.place()
  expect(await world.requests.cancel(order.id, trader)).toMatchObject({ status: 'canceled' })
  expect(await run(order)).toMatchObject({ sent: 0 })
  expect(desk.venue.orders.size).toBe(0)
  expect(await accountRow(world.sql)).toMatchObject({ reserved: '0', open: 0 })
})

test('halted between acceptance and sending: cancelled, and nothing is sent', async () => {
  const order = await world.place()
  await setSwitch(world.sql, 'HALTED', { scope: 'symbol', key: 'AAPL' })
  expect(await run(order)).toMatchObject({ sent: 0 })
  expect(desk.venue.orders.size).toBe(0)
  expect(await world.statusOf(order)).toBe('canceled')
  expect(await recordsOf(world.sql, `order/${order.id}`)).toMatchObject([
    { type: 'order.accepted' },
    { type: 'order.denied', reason: 'TRADING_HALTED' },
    { type: 'order.changed', details: { status: 'canceled' } },
  ])
})

test('halted between an intent and its second attempt: never sent, and nothing is left of it', async () => {
  const order = await world.place()
  desk.venue.script({ kind: 'lose-order' })
  await fate(run(order))
  await setSwitch(world.sql, 'HALTED')
  await run(order)
  expect(desk.venue.orders.size).toBe(0)
  expect(await world.statusOf(order)).toBe('canceled')
})

test('what the venue tells while nobody can store it is told again', async () => {
  const order = await atVenue()
  await desk.deafen()
  const taken = Promise.withResolvers<void>()
  let isAway = true
  const stream = await desk.venue.stream({
    async onReport(report) {
      if (isAway) {
        isAway = false
        throw new Error('the database is away')
      }
      await world.reports.apply(report)
      taken.resolve()
    },
    ...{ onDisconnect: () => undefined, onReconnect: () => undefined },
  })
  desk.venue.trade('AAPL', shares('10'), shares('100'))
  await taken.promise
  await stream.close()
  expect(await world.statusOf(order)).toBe('filled')
  expect(await quarantine(world.sql)).toEqual([])
})
