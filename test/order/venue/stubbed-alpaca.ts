import { afterEach, beforeEach } from 'bun:test'
import { type AlpacaVenueOptions, alpacaVenue } from '#core/order/venue/alpaca-venue.ts'
import { alpacaStub, stubKeys } from './alpaca-stub.ts'
import { testAccount } from './order-terms.ts'

/** For the test file that calls: each test has a stub of its own, and venues that talk to it. */
export function stubbedAlpaca() {
  let stub: ReturnType<typeof alpacaStub>
  beforeEach(() => {
    stub = alpacaStub()
  })
  afterEach(() => stub.close())
  return {
    get stub() {
      return stub
    },
    open: (options: Partial<AlpacaVenueOptions> = {}) =>
      alpacaVenue({
        account: testAccount,
        baseUrl: stub.url,
        credentials: async () => stubKeys,
        now: Date.now,
        ...options,
      }),
  }
}
