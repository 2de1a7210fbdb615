import type { IncidentClass } from './incident.ts'
import type { Recovery } from './incident-reads.ts'

/** Days that the calendar is about. */
export const quarterDays = 90

type AssumedFaults = { readonly faults: number; readonly because: string }

/**
 * How often each class is assumed to fail in a quarter, stated here and measured nowhere: one
 * replica of each part, in one region, with changes every week. Who runs it otherwise reads the
 * figures with his own numbers.
 */
export const faultCalendar: Readonly<Record<IncidentClass, AssumedFaults>> = {
  process: { faults: 1, because: 'a host is lost, or all is restarted by mistake' },
  database: { faults: 3, because: 'a failover or a restart by its provider each month' },
  queue: { faults: 3, because: 'a failover or a restart by its provider each month' },
  workers: { faults: 6, because: 'a crash or an eviction every two weeks' },
  gateway: { faults: 6, because: 'a crash or an eviction every two weeks' },
  sequencer: { faults: 3, because: 'a crash or an eviction each month' },
  'tile-store': { faults: 1, because: 'object storage of a region fails once' },
  'secret-store': { faults: 2, because: 'an upgrade of the store and one slip in its policy' },
  issuer: { faults: 2, because: 'an outage of the identity provider, and one of the way to it' },
  venue: { faults: 6, because: 'brokers say that they are away every two weeks' },
}

/** What the calendar comes to with what was measured. */
export type Expectation = AssumedFaults & {
  readonly class: IncidentClass
  /** Undefined: no recovery was measured, and nothing is said. */
  readonly minutes: number | undefined
}

export function expectations(recoveries: readonly Recovery[]): readonly Expectation[] {
  return recoveries.map(({ class: of, mttr_seconds: seconds }) => {
    const assumed = faultCalendar[of]
    const minutes = seconds === null ? undefined : (assumed.faults * seconds) / 60
    return { class: of, ...assumed, minutes }
  })
}
