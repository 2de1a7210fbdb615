import { invariant } from '../invariant.ts'

/** A civil date as the number of days since 1970-01-01; no time zone and no clock in it. */
export type DayNumber = number

export const dayMs = 86_400_000

const daysPerEra = 146_097
const daysFromYearZeroToEpoch = 719_468
const daysPerWeek = 7

/** Gregorian date to day number (Howard Hinnant's `days_from_civil`); months and days from 1. */
export function dayNumber(year: number, month: number, day: number): DayNumber {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * daysPerEra + dayOfEra - daysFromYearZeroToEpoch
}

/** The inverse, `civil_from_days`. */
export function civilDate(number: DayNumber): { year: number; month: number; day: number } {
  const shifted = number + daysFromYearZeroToEpoch
  const era = Math.floor(shifted / daysPerEra)
  const dayOfEra = shifted - era * daysPerEra
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  }
}

/** 0 is Sunday. */
export function weekday(number: DayNumber): number {
  return (((number + 4) % daysPerWeek) + daysPerWeek) % daysPerWeek
}

/** `YYYY-MM-DD`. */
export function formatDay(number: DayNumber): string {
  const { year, month, day } = civilDate(number)
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}

/** Undefined for a text that is no date, 30 February included. */
export function parseDay(text: string): DayNumber | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  const [year = 0, month = 0, day = 0] = text.split('-').map((part) => Number.parseInt(part, 10))
  const number = dayNumber(year, month, day)
  return formatDay(number) === text ? number : undefined
}

/** The `count`th (from 1) given weekday of a month; -1 is the last. */
export function nthWeekday(
  count: number,
  day: number,
  month: { readonly year: number; readonly month: number },
): DayNumber {
  invariant(count !== 0, 'weekdays of a month are counted from 1, or from -1')
  if (count > 0) {
    const first = dayNumber(month.year, month.month, 1)
    const ahead = (day - weekday(first) + daysPerWeek) % daysPerWeek
    return first + ahead + (count - 1) * daysPerWeek
  }
  const next = { year: month.year + Math.floor(month.month / 12), month: (month.month % 12) + 1 }
  return nthWeekday(1, day, next) + count * daysPerWeek
}
