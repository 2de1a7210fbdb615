import { PosternError } from '../../errors.ts'
import { serviceBreakerRules } from '../../market/service-breaker.ts'
import type { Venue } from '../venue.ts'
import {
  type BreakerStatus,
  type GuardedBreaker,
  guardedBreaker,
  type Verdict,
} from './guarded-breaker.ts'
import { type Confirmations, confirmations } from './guarded-confirmations.ts'
import { aroundCalls, type CallOutcome, thrownOutcome, type VenueCall } from './venue-calls.ts'
import { isVenueSpared } from './venue-outage.ts'

/** Milliseconds; a stream that is silent for as long counts as cut. */
const confirmMsDefault = 30_000

export type GuardChange = {
  readonly breaker: 'network' | 'trade' | 'confirmation'
  readonly account: string
  readonly from: BreakerStatus
  readonly to: BreakerStatus
}

export type GuardOptions = {
  /** Milliseconds. */
  readonly now: () => number
  readonly onChange: (change: GuardChange) => void
  /** Milliseconds within which the stream tells of an order that was accepted. */
  readonly confirmMs?: number
}

export type GuardedVenue = Venue & {
  /**
   * Throws `venue.unavailable` while orders of the account would not be sent, so that none is
   * intended: one that is still `accepted` can be cancelled. Changes nothing.
   */
  confirm(account: string): Promise<void>
}

/**
 * A venue that is left alone for a while when it fails an account. While one of the account's
 * breakers is open, `submit` and `replace` throw `venue.unavailable` before anything is sent;
 * look-ups and cancels pass. `network` counts outages and unknown outcomes of all calls, `trade`
 * rejected orders, `confirmation` accepted orders that the stream never tells of.
 */
export function guardedVenue(venue: Venue, options: GuardOptions): GuardedVenue {
  const { refuse, begin, acknowledged } = guardBreakers(venue.name, options)
  const guarded = aroundCalls(venue, async (call, run) => {
    acknowledged.sweep()
    const end = begin(call)
    try {
      const answered = await run()
      end(answered.outcome, answered.result)
      return answered
    } catch (error) {
      end(thrownOutcome(error, call), error)
      throw error
    }
  })
  return {
    ...guarded,
    confirm: (account) =>
      Promise.try(() => {
        acknowledged.sweep()
        refuse(account)
      }),
    async stream(handlers) {
      const stream = await venue.stream({
        ...handlers,
        onReport(report) {
          acknowledged.heard(report)
          return handlers.onReport(report)
        },
      })
      acknowledged.opened()
      return {
        async close() {
          acknowledged.closed()
          await stream.close()
        },
      }
    },
  }
}

/** Takes the call's outcome, and the result or the throw that it was. */
type EndCall = (outcome: CallOutcome, what: unknown) => void

type AccountBreakers = Readonly<Record<GuardChange['breaker'], GuardedBreaker>>

function guardBreakers(
  name: string,
  { now, onChange, confirmMs = confirmMsDefault }: GuardOptions,
): {
  readonly refuse: (account: string) => void
  readonly begin: (call: VenueCall) => EndCall
  readonly acknowledged: Confirmations
} {
  /** As many as accounts trade here. */
  const accounts = new Map<string, AccountBreakers>()

  function breakersOf(account: string): AccountBreakers {
    const known = accounts.get(account)
    if (known !== undefined) return known
    const open = (breaker: GuardChange['breaker']): GuardedBreaker =>
      guardedBreaker({
        rules: serviceBreakerRules[breaker],
        now,
        onChange: (from, to) => onChange({ breaker, account, from, to }),
      })
    const opened = {
      network: open('network'),
      trade: open('trade'),
      confirmation: open('confirmation'),
    }
    accounts.set(account, opened)
    return opened
  }

  const acknowledged = confirmations({
    breakerOf: (account) => breakersOf(account).confirmation,
    ...{ now, confirmMs },
  })

  function refuse(account: string): void {
    const waits = Object.values(breakersOf(account)).map((one) => one.waitSeconds() ?? 0)
    const retryAfterSeconds = Math.max(...waits)
    if (retryAfterSeconds === 0) return
    const reason = `a breaker of ${name} is open for account ${account}: calls failed too often`
    throw new PosternError('venue.unavailable', { reason, retryAfterSeconds })
  }

  function begin(call: VenueCall): EndCall {
    const isSending = call.name === 'submit' || call.name === 'replace'
    if (isSending) refuse(call.account)
    const { network, trade } = breakersOf(call.account)
    const health = network.begin(isSending)
    const endHealth: EndCall = (outcome, what) =>
      network.end(health, isVenueSpared(what) ? 'nothing' : healthOf(outcome))
    if (!isSending) return endHealth
    const begun = trade.begin(true)
    const endAcknowledged = acknowledged.begin(call)
    return (outcome, what) => {
      endHealth(outcome, what)
      trade.end(begun, tradeVerdict(call, outcome))
      endAcknowledged(outcome)
    }
  }

  return { refuse, begin, acknowledged }
}

/** A rejection is an answer: whoever gives it is there. */
function healthOf(outcome: CallOutcome): Verdict {
  if (outcome === 'unknown' || outcome === 'unavailable') return 'failed'
  return outcome === 'given_up' || outcome === 'failed' ? 'nothing' : 'ok'
}

/** A replacement is rejected whenever its order was quicker. */
function tradeVerdict({ name }: VenueCall, outcome: CallOutcome): Verdict {
  if (outcome === 'accepted') return 'ok'
  return outcome === 'rejected' && name === 'submit' ? 'failed' : 'nothing'
}
