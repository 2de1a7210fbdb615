import { afterEach, beforeEach, expect } from 'bun:test'
import { reconcileAccount } from '#core/order/desk/reconcile.ts'
import { reconcileReads } from '#core/order/desk/reconcile-reads.ts'
import type { OrderTerms } from '#core/order/order.ts'
import type { OrderDocument } from '#core/order/order-document.ts'
import type { Venue } from '#core/order/venue.ts'
import { type ScriptedVenue, scriptedVenue } from '../venue/scripted-venue.ts'
import { listenTo } from './desk-listener.ts'
import { account } from './desk-rows.ts'
import { openDeskWorld } from './desk-world.ts'
import { expectNoFaultsAfterEach, fileWorld } from './file-world.ts'

/**
 * The desk of the test file that calls, and a venue that it hears: both are empty before each test.
 * After it the desk has no fault, and the venue was sent no order twice.
 */
export async function deskAtVenue() {
  const world = await fileWorld(openDeskWorld)
  let venue: ScriptedVenue
  let ear: Awaited<ReturnType<typeof listenTo>>
  beforeEach(async () => {
    venue = scriptedVenue({ name: 'paper' })
    ear = await listenTo(venue, world)
  })
  afterEach(() => ear.close())
  expectNoFaultsAfterEach(world)
  afterEach(() => {
    for (const [id, submits] of venue.submits) expect({ id, submits }).toEqual({ id, submits: 1 })
  })

  const told = () => ear.told()
  return {
    ...{ world, told },
    /** What the venue tells from here on is not heard, to the end of the test. */
    deafen: () => ear.close(),
    /** That of the test. */
    get venue(): ScriptedVenue {
      return venue
    },
    /** An order that the venue has. */
    async atVenue(change: Partial<OrderTerms> = {}): Promise<OrderDocument> {
      const order = await world.place(change)
      await world.runJobs(venue)
      await told()
      return order
    },
    run: ({ id }: OrderDocument, at: Venue = venue) => world.advance(at, [id]),
    reconcile({ at = venue, day }: { readonly at?: Venue; readonly day?: string } = {}) {
      const { workerDesk, reports } = world
      const venues = new Map([['paper', at]])
      const reads = reconcileReads(workerDesk.sql)
      const options = { desk: workerDesk, reports, venues, reads, betweenLooksMs: [250, 250] }
      return reconcileAccount(options, { account, day, signal: new AbortController().signal })
    },
  }
}
