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
import { accountRow, orderRow, positionRow, setLimit, setSwitch, trader } from './desk-rows.ts'
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

test('a cancel ends the order when its venue says so', async () => {
  const order = await atVenue()
  expect(await world.requests.cancel(order.id, trader)).toMatchObject({ status: 'pending_cancel' })
  // A second one asks for nothing new.
  await world.requests.cancel(order.id, trader)
  expect(world.sent).toHaveLength(1)
  await world.runJobs(venue)
  await ear.told()
  expect(await status(order)).toBe('canceled')
})

test('a cancel that comes too late leaves the fill, and is refused when it is repeated', async () => {
  const order = await atVenue()
  venue.disconnect()
  venue.trade('AAPL', shares('10'), shares('99'))
  await world.requests.cancel(order.id, trader)
  await world.runJobs(venue)
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'filled', cum: '10' })
  expect(await accountRow(world.sql)).toEqual({ cash: '99010', reserved: '0', open: 0 })
  expect(await fate(world.requests.cancel(order.id, trader))).toBe('order.transition_refused')
})

test('an order that the venue has never heard of is back where it was when its cancel fails', async () => {
  const order = await world.live()
  await world.requests.cancel(order.id, trader)
  await world.runJobs(venue)
  expect(await status(order)).toBe('new')
})

test('a cancel of unknown outcome is asked again', async () => {
  const order = await atVenue()
  await world.requests.cancel(order.id, trader)
  const silent: Venue = { ...venue, cancel: () => Promise.resolve('unknown') }
  expect(await fate(run(order, silent))).toBe('venue.unavailable')
  expect(await status(order)).toBe('pending_cancel')
  await run(order)
  await ear.told()
  expect(await status(order)).toBe('canceled')
})

test('a cancel and the job that sends the order, at once: it is cancelled or sent, never both', async () => {
  const seen = new Set<string>()
  await setLimit(world.sql, 'duplicate_window_ms', '0')
  for (let round = 0; round < 25; round += 1) {
    const orders = await Promise.all([1, 2, 3].map(() => world.place({ quantity: shares('1') })))
    const ids = orders.map(({ id }) => id)
    const cancels = orders.map((order) => fate(world.requests.cancel(order.id, trader)))
    await world.advance(venue, round % 2 === 0 ? ids : ids.toReversed())
    const fates = await Promise.all(cancels)
    await ear.told()
    for (const [index, order] of orders.entries()) {
      const isSent = venue.orders.has(order.client_order_id)
      seen.add(`${await status(order)} ${isSent ? 'sent' : 'unsent'} ${fates[index]}`)
    }
  }
  const possible = ['canceled unsent entered', 'pending_cancel sent entered']
  expect([...seen].filter((end) => !possible.includes(end))).toEqual([])
})

async function replacing(order: OrderDocument, quantity = '20'): Promise<string> {
  const patch = { quantity: shares(quantity) }
  const { replacement } = await world.requests.replace(order.id, patch, trader)
  if (replacement.status !== 'pending') throw new Error(replacement.reject_code)
  return replacement.order_id
}

test('a replacement takes the place of its order, with what that had filled', async () => {
  const order = await atVenue()
  venue.trade('AAPL', shares('4'), shares('100'))
  await ear.told()
  const successor = await replacing(order)
  await world.runJobs(venue)
  await ear.told()
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'replaced', next: successor })
  expect(await orderRow(world.sql, successor)).toMatchObject({ quantity: '20', cum: '4' })
  venue.trade('AAPL', shares('16'), shares('100'))
  await ear.told()
  expect(await orderRow(world.sql, successor)).toMatchObject({ status: 'filled', cum: '20' })
  expect(await positionRow(world.sql)).toEqual({ quantity: '20', buy: '0', sell: '0' })
})

test('a replacement that the venue refuses, because its order has filled, leaves the fill', async () => {
  const order = await atVenue()
  venue.disconnect()
  await replacing(order)
  venue.trade('AAPL', shares('10'), shares('100'))
  await world.runJobs(venue)
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'filled', next: null })
  expect(await positionRow(world.sql)).toEqual({ quantity: '10', buy: '0', sell: '0' })
})

test('a replacement whose answer was lost is found by its successor', async () => {
  const order = await atVenue()
  const successor = await replacing(order)
  venue.disconnect()
  const losing: Venue = {
    ...venue,
    async replace(...asked) {
      await venue.replace(...asked)
      return { kind: 'unknown', reason: 'lost' }
    },
  }
  expect(await fate(run(order, losing))).toBe('venue.unavailable')
  expect(await status(order)).toBe('pending_replace')
  await run(order)
  expect(await status(order)).toBe('replaced')
  const { venueOrderId } = venue.orders.get(successor) ?? {}
  expect(await orderRow(world.sql, successor)).toMatchObject({ status: 'new', venue: venueOrderId })
})

test('a replacement that is not at the venue when trading is halted does not go there', async () => {
  const order = await atVenue()
  await replacing(order)
  await setSwitch(world.sql, 'HALTED')
  await world.runJobs(venue)
  expect(venue.orders.size).toBe(1)
  expect(await status(order)).toBe('new')
  expect(await accountRow(world.sql)).toMatchObject({ reserved: '1000' })
  // A cancel passes.
  await world.requests.cancel(order.id, trader)
  await world.runJobs(venue)
  await ear.told()
  expect(await status(order)).toBe('canceled')
})
