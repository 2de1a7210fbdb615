import { errorTypeOf, type Tracing } from '../../trace/tracing.ts'
import type { Venue } from '../venue.ts'
import { aroundCalls, thrownOutcome } from './venue-calls.ts'

/** The venue with its calls in the trace of a run; the venue itself where that is not traced. */
export function tracedVenue(
  venue: Venue,
  {
    tracing,
    traceparent,
  }: {
    readonly tracing: Tracing | undefined
    readonly traceparent: string | undefined
  },
): Venue {
  if (tracing === undefined || traceparent === undefined) return venue
  return aroundCalls(venue, async (call, run) => {
    const fields = { 'postern.venue': venue.name, 'postern.venue.call': call.name }
    const span = tracing.begin('venue', traceparent, fields)
    try {
      const answered = await run()
      span?.end({ 'postern.outcome': answered.outcome })
      return answered
    } catch (error) {
      span?.fail(errorTypeOf(error), { 'postern.outcome': thrownOutcome(error, call) })
      throw error
    }
  })
}
