import type { Metrics } from '../../metrics.ts'
import type { Venue } from '../venue.ts'
import { aroundCalls, type CallOutcome, thrownOutcome, type VenueCall } from './venue-calls.ts'

/** The venue with the time and the outcome of each call in the metrics. */
export function meteredVenue(venue: Venue, { venueCallSeconds }: Metrics): Venue {
  return aroundCalls(venue, async (call, run) => {
    const startedMs = performance.now()
    const observe = (outcome: CallOutcome) => {
      const seconds = (performance.now() - startedMs) / 1_000
      venueCallSeconds.observe(labelsOf(venue, call, outcome), seconds)
    }
    try {
      const answered = await run()
      observe(answered.outcome)
      return answered
    } catch (error) {
      observe(thrownOutcome(error, call))
      throw error
    }
  })
}

function labelsOf(venue: Venue, call: VenueCall, outcome: CallOutcome) {
  return { venue: venue.name, call: call.name, outcome }
}
