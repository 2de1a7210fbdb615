import { silentLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import type { Price, Quantity } from '#core/order/amount.ts'
import type { OrderTerms } from '#core/order/order.ts'
import { alpacaAccounts } from '#core/order/venue/alpaca-accounts.ts'
import { alpacaVenue } from '#core/order/venue/alpaca-venue.ts'
import { type GuardedVenue, guardedVenue } from '#core/order/venue/guarded-venue.ts'
import { meteredVenue } from '#core/order/venue/venue-metrics.ts'
import type { SubmitResult, Venue } from '#core/order/venue.ts'
import { alpacaStub, stubKeys } from './alpaca-stub.ts'
import { noSignal, testAccount } from './order-terms.ts'
import {
  embeddedDatabase,
  type PaperDatabase,
  paperWorld,
  productionDatabase,
} from './paper-world.ts'
import { scriptedVenue } from './scripted-venue.ts'

/** A venue, and what its market and its network do to it. */
export type VenueWorld = {
  readonly venue: Venue
  /** The order is placed and its answer lost on the way. */
  submitLosingAnswer(terms: OrderTerms): Promise<SubmitResult>
  /** So many shares of the symbol trade at the price, the oldest open orders first. */
  trade(symbol: string, shares: Quantity, price: Price): Promise<void>
  cutStream(): Promise<void>
  mendStream(): Promise<void>
  close(): Promise<void>
}

export const venueWorlds: readonly (readonly [string, () => Promise<VenueWorld>])[] = [
  ['the paper venue on Postgres', () => paper(productionDatabase)],
  ['the paper venue on the embedded engine', () => paper(embeddedDatabase)],
  ['Alpaca behind its stub', alpaca],
  ['the scripted venue', () => scripted()],
  ['the paper venue behind its breakers', () => paper(productionDatabase, guarded)],
  ['Alpaca by its accounts', alpacaByAccounts],
  ['the scripted venue behind its breakers', () => scripted(guarded)],
]

type Wrap = (venue: Venue) => Venue
const bare: Wrap = (venue) => venue

/** As a process wraps its venues. */
function guarded(venue: Venue): GuardedVenue {
  return guardedVenue(meteredVenue(venue, createMetrics()), {
    now: Date.now,
    onChange: ({ breaker, to }) => {
      throw new Error(`the ${breaker} breaker went ${to}`)
    },
  })
}

async function paper(database: PaperDatabase, wrap = bare): Promise<VenueWorld> {
  const { sql, open, trade, close } = await paperWorld(database)
  const venue = open()
  const losing = wrap(open({ faults: { seed: 1, loseAck: 1 } }))
  return {
    venue: wrap(venue),
    submitLosingAnswer: (terms) => losing.submit(terms, noSignal),
    trade: (symbol, shares, price) => trade(venue, { symbol, shares, price }),
    async cutStream() {
      await sql`alter table postern_paper_report rename to postern_paper_report_away`
    },
    async mendStream() {
      await sql`alter table postern_paper_report_away rename to postern_paper_report`
    },
    close,
  }
}

async function alpaca(): Promise<VenueWorld> {
  const stub = alpacaStub()
  const venue = alpacaVenue({
    account: testAccount,
    baseUrl: stub.url,
    credentials: async () => stubKeys,
    now: Date.now,
    requestsPerMinute: 10_000,
  })
  return alpacaWorld(stub, venue)
}

async function alpacaByAccounts(): Promise<VenueWorld> {
  const stub = alpacaStub()
  const venue = alpacaAccounts({
    baseUrl: stub.url,
    credentials: async () => stubKeys,
    guard: guarded,
    log: silentLog(),
    now: Date.now,
    requestsPerMinute: 10_000,
  })
  return alpacaWorld(stub, venue)
}

function alpacaWorld(stub: ReturnType<typeof alpacaStub>, venue: Venue): VenueWorld {
  return {
    venue,
    submitLosingAnswer(terms) {
      stub.plan(/^POST/, { kind: 'cut-answer' })
      return venue.submit(terms, noSignal)
    },
    trade: async (symbol, shares, price) => stub.venue.trade(symbol, shares, price),
    cutStream: async () => stub.cutStream(),
    mendStream: async () => stub.mendStream(),
    close: () => stub.close(),
  }
}

async function scripted(wrap = bare): Promise<VenueWorld> {
  const venue = scriptedVenue()
  const wrapped = wrap(venue)
  return {
    venue: wrapped,
    submitLosingAnswer(terms) {
      venue.script({ kind: 'lose-answer' })
      return wrapped.submit(terms, noSignal)
    },
    trade: async (symbol, shares, price) => venue.trade(symbol, shares, price),
    cutStream: async () => venue.disconnect(),
    mendStream: async () => venue.reconnect(),
    close: () => Promise.resolve(),
  }
}
