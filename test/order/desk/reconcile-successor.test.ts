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
import { reconcileAccount } from '#core/order/desk/reconcile.ts'
import type { Venue } from '#core/order/venue.ts'
import { type ScriptedVenue, scriptedVenue } from '../venue/scripted-venue.ts'
import { deskFaults } from './desk-faults.ts'
import { listenTo } from './desk-listener.ts'
import { account, orderRow, trader } from './desk-rows.ts'
import { type DeskWorld, openDeskWorld } from './desk-world.ts'

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
})

const { signal } = new AbortController()
const reconcile = (at: Venue = venue) =>
  reconcileAccount(
    { desk: world.workerDesk, reports: world.reports, venues: new Map([['paper', at]]) },
    { account, day: undefined, signal },
  )
const cursor = async () =>
  (
    await world.sql<{ cursor: string | null }[]>`
      select fills_cursor as cursor from postern_account where id = ${account}`
  )[0]?.cursor

/** The venue has replaced an order a moment ago and filled 4 of the successor; nobody was told. */
async function replacedUnheard() {
  const order = await world.place()
  await world.runJobs(venue)
  await ear.told()
  venue.disconnect()
  const patch = { limitPrice: parseAmount('101') }
  const { replacement } = await world.requests.replace(order.id, patch, trader)
  const successor = replacement.status === 'pending' ? replacement.order_id : ''
  await world.runJobs(venue)
  venue.trade('AAPL', parseAmount('4'), parseAmount('100'))
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
  const venueOrderId = venue.orders.get(successor)?.venueOrderId
  expect(await orderRow(world.sql, successor)).toMatchObject({
    ...{ status: 'partially_filled', cum: '4', venue: venueOrderId },
  })
})

test('a fill that could not be taken and is none of a stranger’s stays ahead of the cursor', async () => {
  const { successor } = await replacedUnheard()
  let looks = 0
  const forgetful: Venue = {
    ...venue,
    // The first look sees a position without its fill, the second the fill alone: all of it moves.
    async *listFills(owner, since) {
      looks += 1
      if (looks > 1) yield* venue.listFills(owner, since)
    },
    positions: (owner) => (looks > 1 ? Promise.resolve([]) : venue.positions(owner)),
    findByClientOrderId: (owner, id) =>
      id === successor ? Promise.resolve(undefined) : venue.findByClientOrderId(owner, id),
  }
  expect(await reconcile(forgetful)).toMatchObject({ frozen: [] })
  expect(await cursor()).toBeNull()
  expect(await reconcile()).toMatchObject({ replayed: 1, frozen: [] })
  expect(await orderRow(world.sql, successor)).toMatchObject({ cum: '4' })
})
