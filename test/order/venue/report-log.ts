import type { StreamHandlers, VenueReport } from '#core/order/venue.ts'

type Entry = VenueReport | 'disconnect' | 'reconnect'

/** What a stream tells, and a way to wait until it has told it. */
export function reportLog(onReport?: (report: VenueReport) => Promise<void>) {
  const entries: Entry[] = []
  const waiting = new Set<() => void>()

  function add(entry: Entry): void {
    entries.push(entry)
    for (const check of waiting) check()
  }

  /** Resolves once `read` finds what it looks for among the entries. */
  function until<Found>(read: (entries: readonly Entry[]) => Found | undefined): Promise<Found> {
    return new Promise((resolve) => {
      const check = () => {
        const found = read(entries)
        if (found === undefined) return
        waiting.delete(check)
        resolve(found)
      }
      waiting.add(check)
      check()
    })
  }

  function eventsOf(clientOrderId: string): VenueReport['event'][] {
    return entries.flatMap((entry) =>
      typeof entry === 'object' && entry.clientOrderId === clientOrderId ? [entry.event] : [],
    )
  }

  const handlers: StreamHandlers = {
    async onReport(report) {
      await onReport?.(report)
      add(report)
    },
    onDisconnect: () => add('disconnect'),
    onReconnect: () => add('reconnect'),
  }

  return {
    handlers,
    entries,
    until,
    eventsOf,
    /** The first event of that type that is told of the order. */
    event<Type extends VenueReport['event']['type']>(clientOrderId: string, type: Type) {
      return until(() =>
        eventsOf(clientOrderId).find(
          (event): event is Extract<VenueReport['event'], { type: Type }> => event.type === type,
        ),
      )
    },
  }
}
