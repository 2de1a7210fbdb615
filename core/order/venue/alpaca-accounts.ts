import { PosternError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import type { Venue, VenueFill } from '../venue.ts'
import type { AlpacaCredentials } from './alpaca-http.ts'
import { type AlpacaStreams, alpacaStreams } from './alpaca-streams.ts'
import { alpacaCapabilities, alpacaVenue } from './alpaca-venue.ts'
import type { GuardedVenue } from './guarded-venue.ts'
import { spareVenue } from './venue-outage.ts'

/** Milliseconds; each question of a secret store leaves a record. */
const askAgainMs = 15_000
const sayAgainMs = 60_000

export type AlpacaAccountsOptions = {
  readonly baseUrl: string
  /** An account's keys, read anew; throws a `PosternError` with the fix when there are none. */
  readonly credentials: (account: string) => Promise<AlpacaCredentials>
  /** Each account fails, and is left alone, by itself. */
  readonly guard: (venue: Venue) => GuardedVenue
  readonly log: Log
  /** Milliseconds. */
  readonly now: () => number
  /** Milliseconds before a stream that did not open is tried again. */
  readonly streamRetryMs?: number
  /** Of each account. */
  readonly requestsPerMinute?: number
}

/**
 * Alpaca for every account that trades there: an account's connection opens when it is first met,
 * and with it its part of each stream. Without keys its calls throw `venue.unavailable`, and so
 * does `confirm`.
 */
export function alpacaAccounts(options: AlpacaAccountsOptions): GuardedVenue {
  const { baseUrl, guard, now, streamRetryMs, requestsPerMinute } = options
  const limits = requestsPerMinute === undefined ? {} : { requestsPerMinute }
  const credentials = rememberedLack(options)
  const opened = new Map<string, Promise<GuardedVenue>>()
  const streams = new Set<AlpacaStreams>()

  async function open(account: string): Promise<GuardedVenue> {
    // An account without keys is found out before anything is made of it.
    await credentials(account)
    const own = () => credentials(account)
    const venue = guard(alpacaVenue({ account, baseUrl, credentials: own, now, ...limits }))
    await Promise.all([...streams].map((each) => each.follow(venue)))
    return venue
  }

  function venueOf(account: string): Promise<GuardedVenue> {
    const known = opened.get(account)
    if (known !== undefined) return known
    const opening = open(account).catch((error: unknown) => {
      opened.delete(account)
      throw error
    })
    opened.set(account, opening)
    return opening
  }

  return {
    name: 'alpaca',
    capabilities: alpacaCapabilities,
    confirm: async (account) => await (await venueOf(account)).confirm(account),
    submit: async (order, signal) => await (await venueOf(order.account)).submit(order, signal),
    cancel: async (order, signal) => await (await venueOf(order.account)).cancel(order, signal),
    replace: async (order, successor, signal) =>
      await (await venueOf(order.account)).replace(order, successor, signal),
    findByClientOrderId: async (account, id) =>
      await (await venueOf(account)).findByClientOrderId(account, id),
    listOpen: async (account) => await (await venueOf(account)).listOpen(account),
    async *listFills(account, since): AsyncGenerator<VenueFill> {
      yield* (await venueOf(account)).listFills(account, since)
    },
    positions: async (account) => await (await venueOf(account)).positions(account),
    account: async (account) => await (await venueOf(account)).account(account),
    clock: async (account) => await (await venueOf(account)).clock(account),
    async stream(handlers) {
      const added = alpacaStreams(handlers, streamRetryMs)
      const known = [...opened.values()]
      streams.add(added)
      await Promise.all(known.map((opening) => opening.then(added.follow, () => undefined)))
      return {
        async close() {
          streams.delete(added)
          await added.close()
        },
      }
    },
  }
}

/** Keys that are not there are asked for four times a minute at most, and missed aloud once. */
function rememberedLack({
  credentials,
  log,
  now,
}: AlpacaAccountsOptions): AlpacaAccountsOptions['credentials'] {
  const lacks = new Map<string, { readonly error: unknown; readonly atMs: number }>()
  const saidMs = new Map<string, number>()

  function miss(account: string, error: unknown): void {
    const nowMs = now()
    lacks.set(account, { error, atMs: nowMs })
    if (nowMs - (saidMs.get(account) ?? Number.NEGATIVE_INFINITY) < sayAgainMs) return
    saidMs.set(account, nowMs)
    log.error('venue.unavailable', { venue: 'alpaca', account, error })
  }

  return async (account) => {
    const lack = lacks.get(account)
    if (lack !== undefined && now() - lack.atMs < askAgainMs) throw lack.error
    try {
      const found = await credentials(account)
      lacks.delete(account)
      return found
    } catch (cause) {
      const error = asVenueOutage(account, cause)
      miss(account, error)
      throw error
    }
  }
}

/** What the secret store throws is an outage of the venue's to whoever has an order for it. */
function asVenueOutage(account: string, cause: unknown): unknown {
  if (!(cause instanceof PosternError) || cause.code === 'venue.unavailable') return cause
  const reason = `the keys of account ${account} cannot be read: ${cause.message}`
  return spareVenue(new PosternError('venue.unavailable', { reason, cause }))
}
