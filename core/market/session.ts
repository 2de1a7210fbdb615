import { invariant } from '../invariant.ts'
import { calendarYears, tradingHours } from './calendar.ts'
import {
  civilDate,
  type DayNumber,
  dayMs,
  dayNumber,
  formatDay,
  nthWeekday,
  parseDay,
} from './calendar-day.ts'

/** Regular trading hours of one day at the NYSE; times are milliseconds since 1970, UTC. */
export type Session = {
  /** `YYYY-MM-DD` in New York. */
  readonly day: string
  readonly openMs: number
  readonly closeMs: number
  readonly isEarlyClose: boolean
}

type ExchangeDay = { readonly day: string; readonly session: Session | undefined }
/** A UTC day holds exactly one midnight of New York, which parts two exchange days. */
type UtcDay = {
  readonly midnightMs: number
  readonly before: ExchangeDay
  readonly after: ExchangeDay
}

const minuteMs = 60_000
const hourMs = 3_600_000
const standardOffsetMs = 5 * hourMs
const daylightOffsetMs = 4 * hourMs

/**
 * The first day in daylight time and the first after it, as of noon: 15 U.S.C. 260a, since 2007 the
 * second Sunday of March and the first of November, from 1987 the first of April and the last of
 * October. Earlier years, which no session needs, follow the rule of 1987.
 */
function daylightDays(year: number): { readonly first: DayNumber; readonly end: DayNumber } {
  if (year >= 2007) {
    const first = nthWeekday(2, 0, { year, month: 3 })
    return { first, end: nthWeekday(1, 0, { year, month: 11 }) }
  }
  const first = nthWeekday(1, 0, { year, month: 4 })
  return { first, end: nthWeekday(-1, 0, { year, month: 10 }) }
}

/** What New York is behind UTC at noon of a day: clocks change at 2 a.m. on a Sunday. */
function noonOffsetMs(day: DayNumber): number {
  const { first, end } = daylightDays(civilDate(day).year)
  return day >= first && day < end ? daylightOffsetMs : standardOffsetMs
}

function exchangeDayOf(number: DayNumber): ExchangeDay {
  const day = formatDay(number)
  const hours = tradingHours(number)
  if (hours === undefined) return { day, session: undefined }
  const midnight = number * dayMs + noonOffsetMs(number)
  const openMs = midnight + hours.open * minuteMs
  const closeMs = midnight + hours.close * minuteMs
  return { day, session: { day, openMs, closeMs, isEarlyClose: hours.isEarlyClose } }
}

function utcDayOf(number: DayNumber): UtcDay {
  // Midnight comes before 2 a.m., so the offset in force is that of the noon before.
  const midnightMs = number * dayMs + noonOffsetMs(number - 1)
  return { midnightMs, before: exchangeDayOf(number - 1), after: exchangeDayOf(number) }
}

/** More days than the calendar has; times out of range cannot fill the memory. */
const cachedDaysMax = 20_000
const utcDays = new Map<DayNumber, UtcDay>()
let latestNumber: DayNumber = 0
let latest: UtcDay = utcDayOf(0)

function exchangeDayAt(timeMs: number): ExchangeDay {
  invariant(Number.isFinite(timeMs), 'a time is a finite number of milliseconds')
  const number = Math.floor(timeMs / dayMs)
  if (number !== latestNumber) {
    let utcDay = utcDays.get(number)
    if (utcDay === undefined) {
      if (utcDays.size >= cachedDaysMax) utcDays.clear()
      utcDay = utcDayOf(number)
      utcDays.set(number, utcDay)
    }
    latestNumber = number
    latest = utcDay
  }
  return timeMs < latest.midnightMs ? latest.before : latest.after
}

/** The date in New York. */
export function exchangeDay(timeMs: number): string {
  return exchangeDayAt(timeMs).day
}

/** The session of the exchange day a time falls in, inside its hours or not; undefined on a day without trading. */
export function sessionOf(timeMs: number): Session | undefined {
  return exchangeDayAt(timeMs).session
}

/** The same by date; undefined for a day without trading and for what is no date. */
export function sessionOfDay(day: string): Session | undefined {
  const number = parseDay(day)
  return number === undefined ? undefined : exchangeDayOf(number).session
}

/** From the open to the close, both included: the closing auction prints at the close. */
export function isOpen(timeMs: number): boolean {
  const session = sessionOf(timeMs)
  return session !== undefined && timeMs >= session.openMs && timeMs <= session.closeMs
}

const firstDay = dayNumber(calendarYears.first, 1, 1)
const lastDay = dayNumber(calendarYears.last, 12, 31)

/** The first session that opens after a time; undefined beyond the calendar's last year. */
export function nextSession(timeMs: number): Session | undefined {
  let number = Math.max(firstDay, Math.floor(timeMs / dayMs) - 1)
  for (; number <= lastDay; number += 1) {
    const { session } = exchangeDayOf(number)
    if (session !== undefined && session.openMs > timeMs) return session
  }
  return undefined
}

/** The trading day before a date, itself excluded; undefined before the calendar's first year. */
export function previousTradingDay(day: string): string | undefined {
  const parsed = parseDay(day)
  if (parsed === undefined) return undefined
  for (let number = Math.min(parsed - 1, lastDay); number >= firstDay; number -= 1) {
    if (tradingHours(number) !== undefined) return formatDay(number)
  }
  return undefined
}
