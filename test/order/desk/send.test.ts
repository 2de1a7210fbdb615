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
import type { OrderDocument } from '#core/order/order-document.ts'
import type { Venue } from '#core/order/venue.ts'
import { type ScriptedVenue, scriptedVenue } from '../venue/scripted-venue.ts'
import { deskFaults } from './desk-faults.ts'
import { listenTo } from './desk-listener.ts'
import {
  accountRow,
  eventTypes,
  orderRow,
  quarantine,
  recordsOf,
  setSwitch,
  trader,
} from './desk-rows.ts'
import { type DeskWorld, fate, openDeskWorld } from './desk-world.ts'

setDefaultTimeout(60_000)

let world: DeskWorld
let venue: ScriptedVenue
let ear: Awaited<ReturnType<typeof listenTo>>
beforeAll(async () => {
  world = await openDeskWorld()
})
afterAll(() => world.close())
beforeEach(async () => {
  await world.clear()
  venue = scriptedVenue({ name: 'paper' })
  ear = await listenTo(venue, world)
})
afterEach(async () => {
  await ear.close()
  expect(await deskFaults(world.sql)).toEqual([])
  for (const [id, submits] of venue.submits) expect({ id, submits }).toEqual({ id, submits: 1 })
})

/** An order that the venue has. */
async function atVenue(change: Parameters<DeskWorld['place']>[0] = {}): Promise<OrderDocument> {
  const order = await world.place(change)
  await world.runJobs(venue)
  await ear.told()
  return order
}

const shares = parseAmount
const status = async ({ id }: OrderDocument) => (await orderRow(world.sql, id))?.['status']
const run = (order: OrderDocument, at: Venue = venue) => world.advance(at, [order.id])

test('the intent is committed before the venue is called', async () => {
  const order = await world.place()
  const seen: unknown[] = []
  const watched: Venue = {
    ...venue,
    async submit(terms, signal) {
      seen.push(await orderRow(world.sql, terms.id), await eventTypes(world.sql, terms.id))
      return await venue.submit(terms, signal)
    },
  }
  await run(order, watched)
  expect(seen).toMatchObject([
    { status: 'pending_new', attempts: 1 },
    ['submit', 'risk.pass', 'worker.sent'],
  ])
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'new' })
})

test('an answer that was lost is looked up, and the order is not sent again', async () => {
  const order = await world.place()
  venue.script({ kind: 'lose-answer' })
  expect(await fate(run(order))).toBe('venue.unavailable')
  expect(await status(order)).toBe('pending_new')
  expect(await run(order)).toMatchObject({ sent: 0, looked_up: 1 })
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'new', attempts: 1 })
})

test('fills that nobody heard of are found with the order that is looked up', async () => {
  const order = await world.place()
  venue.script({ kind: 'lose-answer' })
  venue.disconnect()
  await fate(run(order))
  venue.trade('AAPL', shares('4'), shares('100'))
  await run(order)
  expect(await orderRow(world.sql, order.id)).toMatchObject({
    status: 'partially_filled',
    cum: '4',
  })
  // And how it ended.
  const second = await world.place({ timeInForce: 'gtc' })
  venue.script({ kind: 'lose-answer' })
  await fate(run(second))
  venue.expire(second.client_order_id)
  await run(second)
  expect(await status(second)).toBe('expired')
})

test('an order that never arrived is sent again as the second attempt, under the same id', async () => {
  const order = await world.place()
  venue.script({ kind: 'lose-order' })
  expect(await fate(run(order))).toBe('venue.unavailable')
  expect(await run(order)).toMatchObject({ sent: 0, looked_up: 1 })
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'new', attempts: 2 })
  expect([...venue.orders.keys()]).toEqual([order.client_order_id])
})

test('a venue that is away leaves the intent; a look-up that fails sends nothing', async () => {
  const order = await world.place()
  venue.script({ kind: 'unavailable' })
  expect(await fate(run(order))).toBe('venue.unavailable')
  const away: Venue = {
    ...venue,
    findByClientOrderId: () => Promise.reject(new Error('connection reset')),
  }
  await fate(run(order, away))
  expect(venue.submits.size).toBe(0)
  expect(await status(order)).toBe('pending_new')
  await run(order)
  expect(await status(order)).toBe('new')
})

test('a worker that died after the call finds its order at the venue', async () => {
  const order = await world.place()
  const dying: Venue = {
    ...venue,
    async submit(terms, signal) {
      await venue.submit(terms, signal)
      throw new Error('killed')
    },
  }
  venue.disconnect()
  await fate(run(order, dying))
  expect(await status(order)).toBe('pending_new')
  await Promise.all([run(order), run(order)])
  expect(await status(order)).toBe('new')
})

test('a job that runs twice at once sends its order once', async () => {
  for (let round = 0; round < 10; round += 1) {
    const order = await world.place({ quantity: shares(String(round + 1)) })
    const calls: string[] = []
    // As a venue that refuses a second order of an id, instead of naming the one it has.
    const counting: Venue = {
      ...venue,
      async submit(terms, signal) {
        calls.push(terms.id)
        return venue.orders.has(terms.clientOrderId)
          ? { kind: 'accepted', venueOrderId: 'the same' }
          : await venue.submit(terms, signal)
      },
    }
    await Promise.all([fate(run(order, counting)), fate(run(order, counting))])
    await ear.told()
    expect([...venue.orders.values()].filter((one) => one.clientOrderId === order.id)).toHaveLength(
      1,
    )
    expect(await status(order)).toBe('new')
    for (const [id] of venue.submits) expect(venue.submits.get(id)).toBe(1)
  }
})

test('of orders in one job those that work are sent, and the others with the next run', async () => {
  const orders = await Promise.all(
    ['1', '2', '3'].map((quantity) => world.place({ quantity: shares(quantity) })),
  )
  venue.script({ kind: 'reject', code: 'NO_SHARES' }, { kind: 'lose-order' })
  const ids = orders.map(({ id }) => id)
  expect(await fate(world.advance(venue, ids))).toBe('venue.unavailable')
  await ear.told()
  const states = await Promise.all(orders.map(status))
  expect(states.toSorted()).toEqual(['new', 'pending_new', 'rejected'])
  await world.advance(venue, ids)
  expect((await Promise.all(orders.map(status))).toSorted()).toEqual(['new', 'new', 'rejected'])
  expect(await accountRow(world.sql)).toMatchObject({ open: 2 })
})

test('an order that was cancelled before its job ran is not sent', async () => {
  const order = await world.place()
  expect(await world.requests.cancel(order.id, trader)).toMatchObject({ status: 'canceled' })
  expect(await run(order)).toMatchObject({ sent: 0 })
  expect(venue.orders.size).toBe(0)
  expect(await accountRow(world.sql)).toMatchObject({ reserved: '0', open: 0 })
})

test('halted between acceptance and sending: cancelled, and nothing is sent', async () => {
  const order = await world.place()
  await setSwitch(world.sql, 'HALTED', { scope: 'symbol', key: 'AAPL' })
  expect(await run(order)).toMatchObject({ sent: 0 })
  expect(venue.orders.size).toBe(0)
  expect(await status(order)).toBe('canceled')
  expect(await recordsOf(world.sql, `order/${order.id}`)).toMatchObject([
    { type: 'order.accepted' },
    { type: 'order.denied', reason: 'TRADING_HALTED' },
    { type: 'order.changed', details: { status: 'canceled' } },
  ])
})

test('halted between an intent and its second attempt: never sent, and nothing is left of it', async () => {
  const order = await world.place()
  venue.script({ kind: 'lose-order' })
  await fate(run(order))
  await setSwitch(world.sql, 'HALTED')
  await run(order)
  expect(venue.orders.size).toBe(0)
  expect(await status(order)).toBe('canceled')
})

test('what the venue tells while nobody can store it is told again', async () => {
  const order = await atVenue()
  await ear.close()
  const taken = Promise.withResolvers<void>()
  let isAway = true
  const stream = await venue.stream({
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
  venue.trade('AAPL', shares('10'), shares('100'))
  await taken.promise
  await stream.close()
  expect(await status(order)).toBe('filled')
  expect(await quarantine(world.sql)).toEqual([])
})
