import {
  civilDate,
  type DayNumber,
  dayNumber,
  formatDay,
  nthWeekday,
  weekday,
} from './calendar-day.ts'

/** Years whose calendar is known. Outside them no day trades: an unknown calendar is a closed market. */
export const calendarYears = { first: 2000, last: 2035 } as const

/** Minutes of exchange time after midnight. */
export type TradingHours = {
  readonly open: number
  readonly close: number
  readonly isEarlyClose: boolean
}

const sunday = 0
const monday = 1
const wednesday = 3
const thursday = 4
const saturday = 6

const regularHours: TradingHours = { open: 9 * 60 + 30, close: 16 * 60, isEarlyClose: false }
const earlyHours: TradingHours = { ...regularHours, close: 13 * 60, isEarlyClose: true }

/** Whole days the exchange closed for a cause of its own; no rule yields them. */
const specialClosures: ReadonlySet<string> = new Set([
  // The attacks of 11 September.
  '2001-09-11',
  '2001-09-12',
  '2001-09-13',
  '2001-09-14',
  // Mourning for Presidents Reagan, Ford, Bush and Carter.
  '2004-06-11',
  '2007-01-02',
  '2018-12-05',
  '2025-01-09',
  // Hurricane Sandy.
  '2012-10-29',
  '2012-10-30',
])

/** Days whose hours follow no rule. Openings delayed by a minute or two of silence are left out. */
const irregularHours: ReadonlyMap<string, TradingHours> = new Map([
  // The anniversary of the attacks opened at noon.
  ['2002-09-11', { ...regularHours, open: 12 * 60 }],
  ['2002-07-05', earlyHours],
  ['2003-12-26', earlyHours],
])

/** Gregorian Easter (Meeus, Jones, Butcher). */
function easterSunday(year: number): DayNumber {
  const century = Math.floor(year / 100)
  const lunar = year % 19
  const correction = Math.floor((century - Math.floor((century + 8) / 25) + 1) / 3)
  const epact = (19 * lunar + century - Math.floor(century / 4) - correction + 15) % 30
  const yearOfCentury = year % 100
  const toSunday =
    (32 + 2 * (century % 4) + 2 * Math.floor(yearOfCentury / 4) - epact - (yearOfCentury % 4)) % 7
  const late = Math.floor((lunar + 11 * epact + 22 * toSunday) / 451)
  const offset = epact + toSunday - 7 * late + 114
  return dayNumber(year, Math.floor(offset / 31), (offset % 31) + 1)
}

/** NYSE Rule 7.2: a holiday on a Saturday is kept on Friday, one on a Sunday on Monday. */
function observed(day: DayNumber): DayNumber {
  if (weekday(day) === saturday) return day - 1
  return weekday(day) === sunday ? day + 1 : day
}

function holidaysOf(year: number): ReadonlySet<DayNumber> {
  const newYear = dayNumber(year, 1, 1)
  const holidays = [
    nthWeekday(3, monday, { year, month: 1 }),
    nthWeekday(3, monday, { year, month: 2 }),
    easterSunday(year) - 2,
    nthWeekday(-1, monday, { year, month: 5 }),
    observed(dayNumber(year, 7, 4)),
    nthWeekday(1, monday, { year, month: 9 }),
    nthWeekday(4, thursday, { year, month: 11 }),
    observed(dayNumber(year, 12, 25)),
  ]
  // The Friday before would be the last day of the year, and Rule 7.2 keeps accounting days open.
  if (weekday(newYear) !== saturday) holidays.push(observed(newYear))
  if (year >= 2022) holidays.push(observed(dayNumber(year, 6, 19)))
  return new Set(holidays)
}

/** Until 2012 the exchange traded a full Wednesday before Independence Day. */
const fullWednesdayUntil = 2012

/** Early closes at 13:00, whether or not the day turns out to be a holiday. */
function earlyClosesOf(year: number): ReadonlySet<DayNumber> {
  const eve = dayNumber(year, 7, 3)
  const closes = [nthWeekday(4, thursday, { year, month: 11 }) + 1, dayNumber(year, 12, 24)]
  if (weekday(eve) !== wednesday || year > fullWednesdayUntil) closes.push(eve)
  return new Set(closes)
}

type CalendarYear = {
  readonly holidays: ReadonlySet<DayNumber>
  readonly earlyCloses: ReadonlySet<DayNumber>
}
const years = new Map<number, CalendarYear>()

function calendarYear(year: number): CalendarYear {
  const known = years.get(year)
  if (known !== undefined) return known
  const computed = { holidays: holidaysOf(year), earlyCloses: earlyClosesOf(year) }
  years.set(year, computed)
  return computed
}

/** Hours of a day at the NYSE, or undefined when it does not trade. */
export function tradingHours(day: DayNumber): TradingHours | undefined {
  const { year } = civilDate(day)
  if (!(year >= calendarYears.first && year <= calendarYears.last)) return undefined
  if (weekday(day) === saturday || weekday(day) === sunday) return undefined
  const text = formatDay(day)
  const { holidays, earlyCloses } = calendarYear(year)
  if (holidays.has(day) || specialClosures.has(text)) return undefined
  return irregularHours.get(text) ?? (earlyCloses.has(day) ? earlyHours : regularHours)
}
