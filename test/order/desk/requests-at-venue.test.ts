import { expect, test } from 'bun:test'
import { parseAmount } from '#core/order/amount.ts'
import type { Venue } from '#core/order/venue.ts'
import { deskAtVenue } from './desk-at-venue.ts'
import {
  accountRow,
  callerNamed,
  orderRow,
  positionRow,
  setLimit,
  setSwitch,
  trader,
} from './desk-rows.ts'
import { fate } from './desk-world.ts'

const desk = await deskAtVenue()
const { world, atVenue, run } = desk

const shares = parseAmount

test('a cancel ends the order when its venue says so', async () => {
  const order = await atVenue()
  expect(await world.requests.cancel(order.id, trader)).toMatchObject({ status: 'pending_cancel' })
  // A second one asks for nothing new.
  await world.requests.cancel(order.id, trader)
  expect(world.sent).toHaveLength(1)
  await world.runJobs(desk.venue)
  await desk.told()
  expect(await world.statusOf(order)).toBe('canceled')
})

test('cancels that are asked for at once share a commit, and one that is refused leaves the others', async () => {
  const first = await atVenue({ quantity: shares('1') })
  const second = await atVenue({ quantity: shares('2') })
  const late = await atVenue({ quantity: shares('3') })
  await world.requests.cancel(late.id, trader)
  await world.runJobs(desk.venue)
  await desk.told()
  const cancel = (id: string, by = trader) => fate(world.requests.cancel(id, by))
  const fates = [first.id, late.id, second.id, crypto.randomUUID()].map((id) => cancel(id))
  fates.push(cancel(first.id, callerNamed('stranger')))
  expect(await Promise.all(fates)).toEqual([
    ...['entered', 'order.transition_refused', 'entered', 'order.not_found', 'order.not_found'],
  ])
  const [commits] = await world.sql<{ count: number }[]>`
    select count(distinct xmin::text)::integer as count from postern_order_event
    where type = 'cancel.request' and order_id = any(${[first.id, second.id]}::uuid[])`
  expect(commits?.count).toBe(1)
  expect(world.sent).toHaveLength(1)
})

test('a cancel that comes too late leaves the fill, and is refused when it is repeated', async () => {
  const order = await atVenue()
  desk.venue.disconnect()
  desk.venue.trade('AAPL', shares('10'), shares('99'))
  await world.requests.cancel(order.id, trader)
  await world.runJobs(desk.venue)
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'filled', cum: '10' })
  expect(await accountRow(world.sql)).toEqual({ cash: '99010', reserved: '0', open: 0 })
  expect(await fate(world.requests.cancel(order.id, trader))).toBe('order.transition_refused')
})

test('an order that the venue has never heard of is back where it was when its cancel fails', async () => {
  const order = await world.live()
  await world.requests.cancel(order.id, trader)
  await world.runJobs(desk.venue)
  expect(await world.statusOf(order)).toBe('new')
})

test('a cancel of unknown outcome is asked again', async () => {
  const order = await atVenue()
  await world.requests.cancel(order.id, trader)
  const silent: Venue = { ...desk.venue, cancel: () => Promise.resolve('unknown') }
  expect(await fate(run(order, silent))).toBe('venue.unavailable')
  expect(await world.statusOf(order)).toBe('pending_cancel')
  await run(order)
  await desk.told()
  expect(await world.statusOf(order)).toBe('canceled')
})

test('a cancel and the job that sends the order, at once: it is cancelled or sent, never both', async () => {
  const seen = new Set<string>()
  await setLimit(world.sql, 'duplicate_window_ms', '0')
  for (let round = 0; round < 25; round += 1) {
    const orders = await Promise.all([1, 2, 3].map(() => world.place({ quantity: shares('1') })))
    const ids = orders.map(({ id }) => id)
    const cancels = orders.map((order) => fate(world.requests.cancel(order.id, trader)))
    await world.advance(desk.venue, round % 2 === 0 ? ids : ids.toReversed())
    const fates = await Promise.all(cancels)
    await desk.told()
    for (const [index, order] of orders.entries()) {
      const isSent = desk.venue.orders.has(order.client_order_id)
      seen.add(`${await world.statusOf(order)} ${isSent ? 'sent' : 'unsent'} ${fates[index]}`)
    }
  }
  const possible = ['canceled unsent entered', 'pending_cancel sent entered']
  expect([...seen].filter((end) => !possible.includes(end))).toEqual([])
})

test('a replacement takes the place of its order, with what that had filled', async () => {
  const order = await atVenue()
  desk.venue.trade('AAPL', shares('4'), shares('100'))
  await desk.told()
  const successor = await world.replace(order.id, { quantity: shares('20') })
  await world.runJobs(desk.venue)
  await desk.told()
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'replaced', next: successor })
  expect(await orderRow(world.sql, successor)).toMatchObject({ quantity: '20', cum: '4' })
  desk.venue.trade('AAPL', shares('16'), shares('100'))
  await desk.told()
  expect(await orderRow(world.sql, successor)).toMatchObject({ status: 'filled', cum: '20' })
  expect(await positionRow(world.sql)).toEqual({ quantity: '20', buy: '0', sell: '0' })
})

test('a replacement that the venue refuses, because its order has filled, leaves the fill', async () => {
  const order = await atVenue()
  desk.venue.disconnect()
  await world.replace(order.id, { quantity: shares('20') })
  desk.venue.trade('AAPL', shares('10'), shares('100'))
  await world.runJobs(desk.venue)
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'filled', next: null })
  expect(await positionRow(world.sql)).toEqual({ quantity: '10', buy: '0', sell: '0' })
})

test('a replacement whose answer was lost is found by its successor', async () => {
  const order = await atVenue()
  const successor = await world.replace(order.id, { quantity: shares('20') })
  desk.venue.disconnect()
  const losing: Venue = {
    ...desk.venue,
    async replace(...asked) {
      await desk.venue.replace(...asked)
      return { kind: 'unknown', reason: 'lost' }
    },
  }
  expect(await fate(run(order, losing))).toBe('venue.unavailable')
  expect(await world.statusOf(order)).toBe('pending_replace')
  await run(order)
  expect(await world.statusOf(order)).toBe('replaced')
  const { venueOrderId } = desk.venue.orders.get(successor) ?? {}
  expect(await orderRow(world.sql, successor)).toMatchObject({ status: 'new', venue: venueOrderId })
})

test('a replacement that is not at the venue when trading is halted does not go there', async () => {
  const order = await atVenue()
  await world.replace(order.id, { quantity: shares('20') })
  await setSwitch(world.sql, 'HALTED')
  await world.runJobs(desk.venue)
  expect(desk.venue.orders.size).toBe(1)
  expect(await world.statusOf(order)).toBe('new')
  expect(await accountRow(world.sql)).toMatchObject({ reserved: '1000' })
  // A cancel passes.
  await world.requests.cancel(order.id, trader)
  await world.runJobs(desk.venue)
  await desk.told()
  expect(await world.statusOf(order)).toBe('canceled')
})
