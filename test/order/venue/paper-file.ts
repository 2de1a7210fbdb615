import type { OrderTerms } from '#core/order/order.ts'
import type { VenueFill } from '#core/order/venue.ts'
import { fileWorld } from '../desk/file-world.ts'
import { noSignal, testAccount } from './order-terms.ts'
import { paperWorld } from './paper-world.ts'

/** The paper venue of the test file that calls, its book empty before each test. */
export async function paperFile() {
  const world = await fileWorld(() => paperWorld())
  const venue = world.open()
  const viewOf = (terms: OrderTerms) => venue.findByClientOrderId(testAccount, terms.clientOrderId)
  return {
    world,
    venue,
    submit: (terms: OrderTerms, to = venue) => to.submit(terms, noSignal),
    viewOf,
    statusOf: async (terms: OrderTerms) => (await viewOf(terms))?.status,
    fills: (): Promise<VenueFill[]> => Array.fromAsync(venue.listFills(testAccount, undefined)),
  }
}
