import { PosternError } from '../../errors.ts'
import { dayMs } from '../../market/calendar-day.ts'
import { exchangeDay } from '../../market/session.ts'
import type { MarketClock } from './desk-view.ts'
import { type DayRange, daysIn } from './pnl-report.ts'

/** Five years: what a report holds on a screen, and a fold in a moment. */
const rangeDaysMax = 1_830

/** Up to the latest day of the accounts' clocks: no day is reported before it has come. */
export function rangeOf(
  query: { readonly start: string | undefined; readonly end: string | undefined },
  known: {
    readonly accounts: readonly { readonly clock: MarketClock }[]
    readonly days: readonly string[]
    readonly clocks: { readonly live: number; readonly replay: number | undefined }
  },
): DayRange {
  const { accounts, days, clocks } = known
  const todays = accounts.flatMap(({ clock }) => {
    const timeMs = clocks[clock]
    return timeMs === undefined ? [] : [exchangeDay(timeMs)]
  })
  const today = [...todays, ...days].toSorted().at(-1) ?? exchangeDay(clocks.live)
  const end = query.end === undefined || query.end > today ? today : query.end
  const start = query.start ?? days.at(-1) ?? end
  if (query.start === undefined) return { start: latestStart({ start, end }), end }
  refuseRange({ start, end: query.end ?? laterDay(start, end) })
  return { start, end }
}

/** Days are text, so that there is no larger of two for `Math.max`. */
function laterDay(a: string, b: string): string {
  return a.localeCompare(b) > 0 ? a : b
}

/** A range that was not asked for is cut to what may be asked for. */
function latestStart({ start, end }: DayRange): string {
  const earliest = new Date(Date.parse(end) - (rangeDaysMax - 1) * dayMs).toISOString().slice(0, 10)
  return start < earliest ? earliest : start
}

/** Throws `request.query_invalid` for a range without a day, and for one of too many. */
export function refuseRange(range: DayRange): void {
  const days = daysIn(range)
  if (days < 1) {
    throw new PosternError('request.query_invalid', { detail: 'start_date is after end_date.' })
  }
  if (days > rangeDaysMax) {
    throw new PosternError('request.query_invalid', {
      detail: `From start_date to end_date are ${days} days; at most ${rangeDaysMax} may be asked for.`,
    })
  }
}
