import { expect, test } from 'bun:test'
import { parseAmount } from '#core/order/amount.ts'
import type { Venue } from '#core/order/venue.ts'
import { deskAtVenue } from './desk-at-venue.ts'
import { fillsCursor, orderRow } from './desk-rows.ts'

const desk = await deskAtVenue()
const { world, atVenue, reconcile } = desk

/** The venue has replaced an order a moment ago and filled 4 of the successor; nobody was told. */
async function replacedUnheard() {
  const order = await atVenue()
  desk.venue.disconnect()
  const successor = await world.replace(order.id, { limitPrice: parseAmount('101') })
  await world.runJobs(desk.venue)
  desk.venue.trade('AAPL', parseAmount('4'), parseAmount('100'))
  // So young that nobody calls its state a mismatch yet.
  await world.sql`update postern_order set updated_at = now() + interval '1 hour'`
  return { order, successor }
}

test('a fill of a successor that nobody here knows yet brings its replacement with it', async () => {
  const { order, successor } = await replacedUnheard()
  expect(await reconcile()).toMatchObject({
    replayed: 1,
    mismatches: [{ class: 'MISSING_LOCAL', healed: true }],
    frozen: [],
  })
  expect(await orderRow(world.sql, order.id)).toMatchObject({ status: 'replaced', next: successor })
  const venueOrderId = desk.venue.orders.get(successor)?.venueOrderId
  expect(await orderRow(world.sql, successor)).toMatchObject({
    ...{ status: 'partially_filled', cum: '4', venue: venueOrderId },
  })
})

test('a fill that could not be taken and is none of a stranger’s stays ahead of the cursor', async () => {
  const { successor } = await replacedUnheard()
  let looks = 0
  const forgetful: Venue = {
    ...desk.venue,
    // The first look sees a position without its fill, the second the fill alone: all of it moves.
    async *listFills(owner, since) {
      looks += 1
      if (looks > 1) yield* desk.venue.listFills(owner, since)
    },
    positions: (owner) => (looks > 1 ? Promise.resolve([]) : desk.venue.positions(owner)),
    findByClientOrderId: (owner, id) =>
      id === successor ? Promise.resolve(undefined) : desk.venue.findByClientOrderId(owner, id),
  }
  expect(await reconcile({ at: forgetful })).toMatchObject({ frozen: [] })
  expect(await fillsCursor(world.sql)).toBeNull()
  expect(await reconcile()).toMatchObject({ replayed: 1, frozen: [] })
  expect(await orderRow(world.sql, successor)).toMatchObject({ cum: '4' })
})
