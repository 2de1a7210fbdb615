import { expect, test } from 'bun:test'
import { parseAmount } from '#core/order/amount.ts'
import type { OrderDocument } from '#core/order/order-document.ts'
import type { Venue } from '#core/order/venue.ts'
import { type ScriptedVenue, scriptedVenue } from '#test/order/venue/scripted-venue.ts'
import { account, orderRow } from './desk-rows.ts'
import { openDeskWorld } from './desk-world.ts'
import { fileWorld } from './file-world.ts'

const world = await fileWorld(openDeskWorld)

/** The order is at the venue, the answer is lost, and its fills are told before anybody asks. */
async function filledUnanswered(venue: ScriptedVenue, quantity: string): Promise<OrderDocument> {
  const order = await world.place()
  venue.script({ kind: 'lose-answer' })
  const lost = world.advance(venue, [order.id])
  await expect(lost).rejects.toMatchObject({ code: 'venue.unavailable' })
  venue.trade('AAPL', parseAmount(quantity), parseAmount('100'))
  for await (const { clientOrderId, trade } of venue.listFills(account, undefined)) {
    await world.report({ account, clientOrderId, event: { type: 'trade', trade } })
  }
  return order
}

test.each([
  ['10', 'filled'],
  ['4', 'partially_filled'],
])(
  'fills of %s that overtake a lost answer leave it %s, and the next run learns its venue order id',
  async (quantity, status) => {
    const venue = scriptedVenue()
    const order = await filledUnanswered(venue, quantity)
    const row = () => orderRow(world.sql, order.id)
    expect(await row()).toMatchObject({ status, venue: null, attempts: 1 })
    expect(await world.advance(venue, [order.id])).toMatchObject({ sent: 0, looked_up: 1 })
    const venueOrderId = venue.orders.get(order.client_order_id)?.venueOrderId
    expect(await row()).toMatchObject({ status, venue: venueOrderId, attempts: 1 })
    expect([...venue.submits.values()]).toEqual([1])
  },
)

test('an order whose venue order id is known needs nothing more once its fills are told', async () => {
  const venue = scriptedVenue()
  const order = await filledUnanswered(venue, '10')
  await world.advance(venue, [order.id])
  expect(await world.advance(venue, [order.id])).toMatchObject({ sent: 0, looked_up: 0 })
})

/** A venue that answers no look-up before so many were asked. */
function askedTogether(venue: Venue, count: number): Venue {
  const all = Promise.withResolvers<void>()
  let asked = 0
  return {
    ...venue,
    async findByClientOrderId(owner, id) {
      const found = await venue.findByClientOrderId(owner, id)
      asked += 1
      if (asked === count) all.resolve()
      await all.promise
      return found
    },
  }
}

test('of two runs that looked up the same nothing, one sends the order again', async () => {
  const venue = scriptedVenue()
  const order = await world.place()
  venue.script({ kind: 'lose-order' })
  const lost = world.advance(venue, [order.id])
  await expect(lost).rejects.toMatchObject({ code: 'venue.unavailable' })
  const submits = venue.submits.get(order.client_order_id) ?? 0
  const both = askedTogether(venue, 2)
  await Promise.all([world.advance(both, [order.id]), world.advance(both, [order.id])])
  expect(venue.submits.get(order.client_order_id)).toBe(submits + 1)
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'new', attempts: 2 })
})
