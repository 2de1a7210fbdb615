import { parseDay } from '../market/calendar-day.ts'
import { exchangeDay, sessionOf } from '../market/session.ts'
import { sessionMinutes } from './scenario.ts'

export type TimeTick = { readonly at: number; readonly label: string; readonly isStrong: boolean }

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const minuteMs = 60_000
/** The open is at half past nine. */
const openMinute = 9 * 60 + 30

/** Minutes of exchange time after midnight. */
function minuteOf(timeMs: number): number {
  const openMs = sessionOf(timeMs)?.openMs ?? timeMs
  return openMinute + Math.floor((timeMs - openMs) / minuteMs)
}

function minuteText(minute: number): string {
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`
}

/** Exchange time of a moment on a trading day, e.g. `10:30`. */
export function clockText(timeMs: number): string {
  return minuteText(minuteOf(timeMs))
}

/** E.g. `4 Mar 2024`. */
export function dayText(timeMs: number): string {
  const [year = '', month = '', day = ''] = exchangeDay(timeMs).split('-')
  return `${Number(day)} ${months[Number(month) - 1] ?? ''} ${year}`
}

/** Day and time of an instant of a result. */
export function momentText(instant: string): string {
  const timeMs = Date.parse(instant)
  return `${dayText(timeMs)} ${clockText(timeMs)}`
}

/** The days of a result, or its one day. */
export function spanText({ from, to }: { readonly from: string; readonly to: string }): string {
  const first = dayText(Date.parse(from))
  const last = dayText(Date.parse(to))
  return first === last ? first : `${first} to ${last}`
}

/** How long a bar is; one of a full session is a day's. */
export function lengthText(seconds: number): string {
  if (seconds === sessionMinutes * 60) return 'a day'
  return seconds >= 60 && seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`
}

type Unit = {
  /** Changes where a tick may stand. */
  key(timeMs: number): string
  label(timeMs: number): string
  /** Within a day, so that the first tick of one names the day instead. */
  readonly isClock?: true
}

const clock = (minutes: number): Unit => {
  const floored = (timeMs: number) => Math.floor(minuteOf(timeMs) / minutes) * minutes
  return {
    key: (timeMs) => `${exchangeDay(timeMs)} ${floored(timeMs)}`,
    label: (timeMs) => minuteText(floored(timeMs)),
    isClock: true,
  }
}

const everyDay: Unit = {
  key: exchangeDay,
  label: (timeMs) => dayText(timeMs).replace(/ \d{4}$/, ''),
}
const everyWeek: Unit = {
  // Day 0 was a Thursday; weeks begin on Monday.
  key: (timeMs) => String(Math.floor(((parseDay(exchangeDay(timeMs)) ?? 0) + 3) / 7)),
  label: everyDay.label,
}
const everyMonth: Unit = {
  key: (timeMs) => exchangeDay(timeMs).slice(0, 7),
  label: (timeMs) => dayText(timeMs).replace(/^\d+ /, ''),
}
const everyQuarter: Unit = {
  key: (timeMs) => {
    const [year, month] = exchangeDay(timeMs).split('-')
    return `${year} ${Math.ceil(Number(month) / 3)}`
  },
  label: everyMonth.label,
}
const everyYear: Unit = {
  key: (timeMs) => exchangeDay(timeMs).slice(0, 4),
  label: (timeMs) => exchangeDay(timeMs).slice(0, 4),
}

/** From fine to coarse; the first that does not crowd the axis is taken. */
const units: readonly Unit[] = [
  ...[15, 30, 60, 120].map(clock),
  ...[everyDay, everyWeek, everyMonth, everyQuarter],
]
const ticksMax = 14

/**
 * Places (indexes into the stretches) of an axis that leaves out the nights: the finest unit of
 * exchange time with at most fourteen ticks. A tick that begins a day is strong and names it.
 */
export function timeTicks(fromMs: readonly number[]): readonly TimeTick[] {
  for (const unit of units) {
    const ticks = changes(fromMs, unit)
    if (ticks.length <= ticksMax) return ticks
  }
  const years = changes(fromMs, everyYear)
  const every = Math.ceil(years.length / ticksMax)
  return years.filter((_, index) => index % every === 0)
}

function changes(fromMs: readonly number[], unit: Unit): TimeTick[] {
  const ticks: TimeTick[] = []
  let before: string | undefined
  let dayBefore: string | undefined
  for (const [at, timeMs] of fromMs.entries()) {
    const key = unit.key(timeMs)
    const day = exchangeDay(timeMs)
    if (key !== before && before !== undefined) {
      const isStrong = day !== dayBefore
      const isBegun = isStrong && unit.isClock === true
      const label = isBegun ? everyDay.label(timeMs) : unit.label(timeMs)
      ticks.push({ at, label, isStrong: isBegun })
    }
    before = key
    dayBefore = day
  }
  return ticks
}
