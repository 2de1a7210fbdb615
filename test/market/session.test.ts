import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { dayNumber, formatDay, nthWeekday, parseDay, weekday } from '#core/market/calendar-day.ts'
import {
  exchangeDay,
  isOpen,
  nextSession,
  previousTradingDay,
  sessionOf,
  sessionOfDay,
} from '#core/market/session.ts'

const hourMs = 3_600_000

/** Every date of a year range, computed without the code under test. */
function datesBetween(first: string, last: string): readonly string[] {
  const dates: string[] = []
  for (let time = Date.parse(first); time <= Date.parse(last); time += 24 * hourMs) {
    dates.push(new Date(time).toISOString().slice(0, 10))
  }
  return dates
}

test.each([
  ['2024-02-30'],
  ['2023-02-29'],
  ['2024-13-01'],
  ['2024-00-10'],
  ['2024-1-2'],
  ['24-01-02'],
  [' 2024-01-02'],
  [''],
])('%j is no date: no session, no day before it', (text) => {
  expect(parseDay(text)).toBeUndefined()
  expect(sessionOfDay(text)).toBeUndefined()
  expect(previousTradingDay(text)).toBeUndefined()
})

test.each([[Number.NaN], [Number.POSITIVE_INFINITY]])('a time of %p is a bug', (time) => {
  expect(() => sessionOf(time)).toThrow('finite')
})

test('outside the years of the calendar no day trades', () => {
  expect(sessionOfDay('1999-12-31')).toBeUndefined()
  expect(sessionOfDay('2036-01-02')).toBeUndefined()
  expect(sessionOfDay('2000-01-03')?.day).toBe('2000-01-03')
  expect(sessionOfDay('2035-12-31')?.day).toBe('2035-12-31')
  expect(nextSession(Date.parse('2035-12-31T21:00:00Z'))).toBeUndefined()
  expect(nextSession(Date.parse('1990-01-01'))?.day).toBe('2000-01-03')
  expect(previousTradingDay('2000-01-03')).toBeUndefined()
  expect(previousTradingDay('2051-01-01')).toBe('2035-12-31')
})

test.each([
  ['2001-09-11', 'the attacks'],
  ['2001-09-14', 'the attacks'],
  ['2004-06-11', 'mourning'],
  ['2007-01-02', 'mourning'],
  ['2012-10-29', 'the hurricane'],
  ['2018-12-05', 'mourning'],
  ['2025-01-09', 'mourning'],
  ['2022-06-20', 'Juneteenth, a Sunday'],
  ['2021-12-24', 'Christmas on a Saturday'],
  ['2020-07-03', 'Independence Day on a Saturday'],
  ['2021-07-05', 'Independence Day on a Sunday'],
  ['2023-01-02', 'New Year on a Sunday'],
  ['2024-03-29', 'Good Friday'],
  ['2019-04-19', 'Good Friday'],
  ['2026-11-26', 'Thanksgiving'],
  ['2024-05-27', 'Memorial Day'],
  ['2024-06-08', 'a Saturday'],
])('%s is closed: %s', (day) => {
  expect(sessionOfDay(day)).toBeUndefined()
})

test.each([
  ['2021-12-31', 'New Year on a Saturday is not kept'],
  ['2010-12-31', 'New Year on a Saturday is not kept'],
  ['2021-06-18', 'Juneteenth begins in 2022'],
  ['2001-09-17', 'the first day after the attacks'],
  ['2024-11-11', 'Veterans Day trades'],
])('%s trades until 16:00: %s', (day) => {
  const session = sessionOfDay(day)
  expect(session?.isEarlyClose).toBe(false)
  expect((session?.closeMs ?? 0) - (session?.openMs ?? 0)).toBe(6.5 * hourMs)
})

/** 13:00 closes as the exchange announced them, year by year. */
const earlyCloses = [
  '2000-07-03 2000-11-24 2001-07-03 2001-11-23 2001-12-24 2002-07-05 2002-11-29 2002-12-24',
  '2003-07-03 2003-11-28 2003-12-24 2003-12-26 2004-11-26 2005-11-25 2006-07-03 2006-11-24',
  '2007-07-03 2007-11-23 2007-12-24 2008-07-03 2008-11-28 2008-12-24 2009-11-27 2009-12-24',
  '2010-11-26 2011-11-25 2012-07-03 2012-11-23 2012-12-24 2013-07-03 2013-11-29 2013-12-24',
  '2014-07-03 2014-11-28 2014-12-24 2015-11-27 2015-12-24 2016-11-25 2017-07-03 2017-11-24',
  '2018-07-03 2018-11-23 2018-12-24 2019-07-03 2019-11-29 2019-12-24 2020-11-27 2020-12-24',
  '2021-11-26 2022-11-25 2023-07-03 2023-11-24 2024-07-03 2024-11-29 2024-12-24 2025-07-03',
  '2025-11-28 2025-12-24 2026-11-27 2026-12-24',
].flatMap((line) => line.split(' '))

test('the market closes at 13:00 on the days announced, and on no other from 2000 to 2026', () => {
  const early = datesBetween('2000-01-01', '2026-12-31').filter(
    (day) => sessionOfDay(day)?.isEarlyClose,
  )
  expect(early).toEqual(earlyCloses)
  for (const day of early) {
    const session = sessionOfDay(day)
    expect((session?.closeMs ?? 0) - (session?.openMs ?? 0)).toBe(3.5 * hourMs)
  }
})

test('the anniversary of 2002 opened at noon', () => {
  expect(sessionOfDay('2002-09-11')?.openMs).toBe(Date.parse('2002-09-11T16:00:00Z'))
})

test('the computed trading days are those of twenty years of the S&P 500, none more, none less', () => {
  const path = join(import.meta.dir, '../../node_modules/vega-datasets/data/sp500-2000.csv')
  const traded = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => row.slice(0, 10))
  expect(traded).toHaveLength(5105)
  const computed = datesBetween('2000-01-03', '2020-04-17').filter(
    (day) => sessionOfDay(day) !== undefined,
  )
  expect(computed).toEqual(traded)
  for (const [at, day] of traded.entries()) {
    if (at > 0) expect(previousTradingDay(day)).toBe(traded[at - 1])
  }
})

test('the date in New York is that of the time zone database, about every midnight from 2000 to 2035', () => {
  const formatter = new Intl.DateTimeFormat('en-CA', {
    timeZone: 'America/New_York',
    dateStyle: 'short',
  })
  // Midnight is at 04:00 or 05:00 UTC; clocks change at 06:00 or 07:00.
  for (let time = Date.parse('2000-01-01'); time < Date.parse('2036-01-01'); time += 24 * hourMs) {
    for (const minutes of [0, 239.5, 240, 299.5, 300, 360, 420, 840]) {
      const at = time + minutes * 60_000
      if (exchangeDay(at) !== formatter.format(at)) {
        expect(`${at}: ${exchangeDay(at)}`).toBe(`${at}: ${formatter.format(at)}`)
      }
    }
  }
})

test('sessions open at 9:30 and close at 16:00 or 13:00 by the clock of New York', () => {
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone: 'America/New_York',
    timeStyle: 'medium',
    hourCycle: 'h23',
  })
  const wrong = datesBetween('2000-01-01', '2035-12-31').filter((day) => {
    const session = sessionOfDay(day)
    if (session === undefined || day === '2002-09-11') return false
    const close = session.isEarlyClose ? '13:00:00' : '16:00:00'
    return clock.format(session.openMs) !== '09:30:00' || clock.format(session.closeMs) !== close
  })
  expect(wrong).toEqual([])
})

test.each([
  ['2024-03-08', '14:30'],
  ['2024-03-11', '13:30'],
  ['2024-11-01', '13:30'],
  ['2024-11-04', '14:30'],
  ['2006-04-03', '13:30'],
  ['2006-03-31', '14:30'],
  ['2006-10-27', '13:30'],
  ['2006-10-30', '14:30'],
])('on %s the open is %s UTC: clocks have changed by the rule of that year', (day, utc) => {
  expect(sessionOfDay(day)?.openMs).toBe(Date.parse(`${day}T${utc}:00Z`))
})

test('the market is open from 9:30:00.000 to 16:00:00.000, both included', () => {
  const open = Date.parse('2024-06-03T13:30:00Z')
  const close = Date.parse('2024-06-03T20:00:00Z')
  const at = [open - 1, open, close, close + 1]
  expect(at.map(isOpen)).toEqual([false, true, true, false])
  expect(isOpen(Date.parse('2024-06-01T15:00:00Z'))).toBe(false)
})

test('a time before the open or after the close still belongs to its session', () => {
  const expected = sessionOfDay('2024-06-03')
  expect(expected?.day).toBe('2024-06-03')
  expect(sessionOf(Date.parse('2024-06-03T04:00:00Z'))).toEqual(expected)
  expect(sessionOf(Date.parse('2024-06-04T03:59:59.999Z'))).toEqual(expected)
  expect(sessionOf(Date.parse('2024-06-03T03:59:59.999Z'))).toBeUndefined()
})

test('the next session opens after the time, never at it', () => {
  const monday = Date.parse('2024-06-03T13:30:00Z')
  expect(nextSession(monday - 1)?.day).toBe('2024-06-03')
  expect(nextSession(monday)?.day).toBe('2024-06-04')
  expect(nextSession(Date.parse('2024-07-03T17:00:01Z'))?.day).toBe('2024-07-05')
})

test('day numbers and weekdays are those of the platform, before 1970 too', () => {
  for (let number = -20_000; number <= 30_000; number += 7 * 13 + 1) {
    const date = new Date(number * 24 * hourMs)
    expect(formatDay(number)).toBe(date.toISOString().slice(0, 10))
    expect(dayNumber(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate())).toBe(number)
    expect(weekday(number)).toBe(date.getUTCDay())
  }
})

test('weekdays of a month are counted from either end, over the end of a year too', () => {
  expect(formatDay(nthWeekday(1, 1, { year: 2024, month: 7 }))).toBe('2024-07-01')
  expect(formatDay(nthWeekday(-1, 1, { year: 2024, month: 5 }))).toBe('2024-05-27')
  expect(formatDay(nthWeekday(-1, 2, { year: 2024, month: 12 }))).toBe('2024-12-31')
  expect(() => nthWeekday(0, 1, { year: 2024, month: 1 })).toThrow('counted from 1')
})
