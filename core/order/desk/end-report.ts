import type { VenueOrderView, VenueReport } from '../venue.ts'

/** The report that an ended order's venue must have made; a `filled` one ends by its fills. */
export function endReportOf(status: VenueOrderView['status']): VenueReport['event'] | undefined {
  switch (status) {
    case 'canceled':
      return { type: 'canceled', reason: 'as the venue has it' }
    case 'expired':
      return { type: 'expired' }
    case 'rejected':
      return { type: 'reject', code: 'REJECTED', raw: 'as the venue has it' }
    default:
      return undefined
  }
}
