import type { Venue, VenueReport } from '#core/order/venue.ts'
import type { DeskWorld } from './desk-world.ts'

/** Hears what a venue tells, and knows when the desk has taken all of it. */
export async function listenTo(venue: Venue, { reports }: Pick<DeskWorld, 'reports'>) {
  const taking = new Set<Promise<void>>()
  const stream = await venue.stream({
    onReport(report: VenueReport) {
      const taken = reports.apply(report)
      const settled = taken.catch(() => undefined).then(() => void taking.delete(settled))
      taking.add(settled)
      return taken
    },
    onDisconnect: () => undefined,
    onReconnect: () => undefined,
  })
  /** The next report of an order is handed over once the one before is taken. */
  async function told(): Promise<void> {
    await turn()
    while (taking.size > 0) {
      await Promise.all(taking)
      await turn()
    }
  }
  return {
    told,
    async close() {
      await told()
      await stream.close()
    },
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
