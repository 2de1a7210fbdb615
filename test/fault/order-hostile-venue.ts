import type { Processor } from '#core/job/processor.ts'
import type { ReportIntake } from '#core/order/desk/report-intake.ts'
import type { OrderTerms } from '#core/order/order.ts'
import type { Venue, VenueReport } from '#core/order/venue.ts'
import { type Pass, tell } from './order-kill-plan.ts'

/** The venue with a grave before and behind each call that changes something there. */
export function hostileVenue(venue: Venue, pass: Pass): Venue {
  /** Orders that the venue did not have when it was asked for them last. */
  const unseen = new Set<string>()
  const keyOf = (account: string, clientOrderId: string) => `${account} ${clientOrderId}`

  async function has({ account, clientOrderId }: OrderTerms): Promise<boolean> {
    const found = await venue.findByClientOrderId(account, clientOrderId).catch(() => undefined)
    return found !== undefined
  }

  return {
    ...venue,
    async submit(order, signal) {
      pass('after the intent', order.id)
      // A venue that did not compare client order ids would have two orders now. Of two runs that
      // were both told of nothing, the slower one is overtaken: it has asked, and is no blind one.
      const isLookedUp = unseen.delete(keyOf(order.account, order.clientOrderId))
      if (await has(order)) tell(isLookedUp ? 'overtaken' : `resent ${order.id}`)
      tell('submit')
      const result = await venue.submit(order, signal)
      if (result.kind === 'unknown') tell((await has(order)) ? 'lost-ack' : 'lost-submit')
      pass('after the call', order.id)
      return result
    },
    async cancel(order, signal) {
      pass('after the intent', order.clientOrderId)
      const result = await venue.cancel(order, signal)
      tell(`cancel-${result}`)
      pass('after the call', order.clientOrderId)
      return result
    },
    async replace(order, successor, signal) {
      pass('after the intent', order.clientOrderId)
      const result = await venue.replace(order, successor, signal)
      tell(`replace-${result.kind}`)
      pass('after the call', order.clientOrderId)
      return result
    },
    async findByClientOrderId(account, id) {
      const found = await venue.findByClientOrderId(account, id)
      if (found === undefined) unseen.add(keyOf(account, id))
      tell(found === undefined ? 'look-up-nothing' : 'look-up-found')
      return found
    },
  }
}

/** Counts what a venue tells more than once, and dies once a report is durable. */
export function hostileReports(reports: ReportIntake, pass: Pass): ReportIntake {
  const known = new Set<string>()
  return {
    async apply(report) {
      const text = textOf(report)
      tell(known.has(text) ? 'report-again' : 'report')
      known.add(text)
      await reports.apply(report)
      pass('after the record', report.clientOrderId)
    },
    idle: () => reports.idle(),
  }
}

function textOf(report: VenueReport): string {
  return JSON.stringify(report, (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  )
}

export function hostileProcessor<Payload, Result>(
  processor: Processor<Payload, Result>,
  pass: Pass,
): Processor<Payload, Result> {
  return {
    ...processor,
    async process(input, signal) {
      pass('before the intent', input.jobId)
      return await processor.process(input, signal)
    },
  }
}
