import type { Sql } from 'postgres'
import type { ReadMarket } from '#core/order/desk/market-snapshot.ts'
import { paperMarkets } from '#core/order/desk/paper-markets.ts'
import { alpacaAccounts } from '#core/order/venue/alpaca-accounts.ts'
import type { AlpacaCredentials } from '#core/order/venue/alpaca-http.ts'
import { alpacaKeysOf, alpacaKeysUnset } from '#core/order/venue/alpaca-keys.ts'
import {
  type GuardChange,
  type GuardedVenue,
  guardedVenue,
} from '#core/order/venue/guarded-venue.ts'
import { paperDefaults } from '#core/order/venue/paper-market.ts'
import { paperVenue } from '#core/order/venue/paper-venue.ts'
import { meteredVenue } from '#core/order/venue/venue-metrics.ts'
import type { Venue } from '#core/order/venue.ts'
import { resolveCredential } from '#core/secret/resolve-credential.ts'
import type { Foundation } from './foundation.ts'

/** Of the paper venue; all its chances are drawn from it. */
const paperSeed = 1
const paperConnections = 4

/** Every venue that an account may trade at, by name, each guarded; and the paper venue's market side. */
export function openVenues(foundation: Foundation, readMarket: ReadMarket) {
  const { config, log, metrics, now: clock, stack } = foundation
  const now = () => clock().getTime()
  const sql = foundation.database('paper', paperConnections, { prefersIndexes: true })
  const paper = stack.adopt(openPaper(foundation, sql, readMarket), (open) => open.idle())

  function guard(venue: Venue): GuardedVenue {
    const { name } = venue
    const onChange = ({ breaker, account, from, to }: GuardChange) => {
      if (from === 'CLOSED') metrics.venueBreakerOpen.inc({ venue: name })
      if (to === 'CLOSED') metrics.venueBreakerOpen.dec({ venue: name })
      log.warn('venue.breaker', { venue: name, breaker, account, from, to })
    }
    return guardedVenue(meteredVenue(venue, metrics), { now, onChange })
  }

  const baseUrl = config.POSTERN_ALPACA_URL
  const credentials = alpacaCredentials(foundation)
  const alpaca = alpacaAccounts({ baseUrl, credentials, guard, log, now })
  const guarded: readonly GuardedVenue[] = [guard(paper), alpaca]
  for (const { name } of guarded) metrics.venueBreakerOpen.set({ venue: name }, 0)
  return { paper, venues: new Map(guarded.map((venue) => [venue.name, venue])) }
}

function openPaper(foundation: Foundation, sql: Sql, readMarket: ReadMarket) {
  return paperVenue({
    sql,
    grouped: foundation.database('paper-orders', 1, { prefersIndexes: true }),
    rules: { ...paperDefaults, seed: paperSeed },
    ...paperMarkets({ sql, readMarket }),
  })
}

/** Read from the store whenever a connection asks, so that a rotated key is found. */
export function alpacaCredentials({
  config,
  secrets,
}: Pick<Foundation, 'config' | 'secrets'>): (account: string) => Promise<AlpacaCredentials> {
  return async (account) => {
    const keys = config.POSTERN_ALPACA_KEYS
    if (keys === undefined) throw alpacaKeysUnset(account)
    return alpacaKeysOf(await resolveCredential(secrets, keys), account)
  }
}
