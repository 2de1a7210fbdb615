import { priceNanosMax } from '../market/bar.ts'
import { dayMs, parseDay } from '../market/calendar-day.ts'
import { sessionOfDay } from '../market/session.ts'
import { type ByteCursor, digits, fixedDigits, isAt } from './byte-cursor.ts'

export const barColumns = [
  'date',
  'time',
  'symbol',
  'open',
  'high',
  'low',
  'close',
  'adjclose',
  'volume',
] as const
export type BarColumn = (typeof barColumns)[number]

/** One parsed row; the same one is filled again and again. */
export type BarLine = {
  /** Milliseconds: the end of the bar. */
  time: number
  open: number
  high: number
  low: number
  close: number
  volume: number
}

const comma = 0x2c
const point = 0x2e
const zero = 0x30
const dash = 0x2d
const colon = 0x3a
const letterT = 0x54
const letterZ = 0x5a
const minuteMs = 60_000

const wholeDigitsMax = 7
const fractionDigitsMax = 9
const powers = Array.from({ length: fractionDigitsMax + 1 }, (_, index) => 10 ** index)
/** A volume is a statistic: as many digits as a double holds exactly. */
const volumeDigitsMax = 15

/**
 * Reads plain rows from their bytes without a string or an object: millions a second. False for
 * any row it is not sure of, which the schema then takes or refuses.
 */
export function barLineParser({ columns, intervalMs, symbol }: BarLineOptions) {
  const cursor: ByteCursor = { bytes: new Uint8Array(0), at: 0, end: 0 }
  const readers = columns.map((column) => readerOf(column, { intervalMs, symbol }))
  return (line: BarLine, { bytes, from, to }: Stretch): boolean => {
    cursor.bytes = bytes
    cursor.at = from
    cursor.end = to
    let isFirst = true
    for (const reader of readers) {
      if (!(isFirst || isAt(cursor, comma)) || !readCell(line, cursor, reader)) return false
      isFirst = false
    }
    return cursor.at === to && isSane(line)
  }
}

export type BarLineOptions = {
  readonly columns: readonly BarColumn[]
  /** Milliseconds of bars that are sent by their time. */
  readonly intervalMs: number | undefined
  /** Rows of another symbol are left to the schema. */
  readonly symbol: string
}

/** Where a line lies in what was read. */
export type Stretch = { bytes: Uint8Array; from: number; to: number }

function readCell(line: BarLine, cursor: ByteCursor, { member, read }: Reader): boolean {
  const value = read(cursor)
  if (member !== undefined) line[member] = value
  return !Number.isNaN(value)
}

type Reader = {
  readonly member: keyof BarLine | undefined
  /** NaN when the cell is not what it is sure of; leaves the cursor behind the cell. */
  readonly read: (cursor: ByteCursor) => number
}

function readerOf(
  column: BarColumn,
  { intervalMs, symbol }: Pick<BarLineOptions, 'intervalMs' | 'symbol'>,
): Reader {
  switch (column) {
    case 'volume':
      return { member: column, read: volume }
    case 'date':
      return { member: 'time', read: sessionCloseReader() }
    case 'time':
      return { member: column, read: barEndReader(intervalMs ?? Number.NaN) }
    case 'symbol':
      return { member: undefined, read: symbolReader(symbol) }
    case 'adjclose':
      return { member: undefined, read: skipCell }
    default:
      return { member: column, read: price }
  }
}

/** Nanos of a plain decimal above zero. */
function price(cursor: ByteCursor): number {
  const start = cursor.at
  const whole = digits(cursor, wholeDigitsMax)
  if (isNoNumber(cursor, start)) return Number.NaN
  let nanos = whole * 1e9
  if (isAt(cursor, point)) {
    const from = cursor.at
    const fraction = digits(cursor, fractionDigitsMax)
    if (cursor.at === from) return Number.NaN
    nanos += fraction * (powers[fractionDigitsMax - (cursor.at - from)] ?? Number.NaN)
  }
  return nanos > 0 && nanos <= priceNanosMax ? nanos : Number.NaN
}

function volume(cursor: ByteCursor): number {
  const start = cursor.at
  const whole = digits(cursor, volumeDigitsMax)
  return isNoNumber(cursor, start) ? Number.NaN : whole
}

/** No digit, or a zero in front of others. */
function isNoNumber({ bytes, at }: ByteCursor, start: number): boolean {
  return at === start || (bytes[start] === zero && at > start + 1)
}

function symbolReader(symbol: string): Reader['read'] {
  const expected = new TextEncoder().encode(symbol)
  return (cursor) => (expected.every((byte) => isAt(cursor, byte)) ? 0 : Number.NaN)
}

function skipCell(cursor: ByteCursor): number {
  while (cursor.at < cursor.end && cursor.bytes[cursor.at] !== comma) cursor.at += 1
  return 0
}

/** `YYYY-MM-DD` as a number of eight digits; the calendar judges the day. */
function dateNumber(cursor: ByteCursor): number {
  const year = fixedDigits(cursor, 4)
  const hasMonth = isAt(cursor, dash)
  const month = fixedDigits(cursor, 2)
  const hasDay = isAt(cursor, dash)
  const day = fixedDigits(cursor, 2)
  return hasMonth && hasDay ? (year * 100 + month) * 100 + day : Number.NaN
}

const datePattern = /^(\d{4})(\d\d)(\d\d)$/

function sessionCloseReader(): Reader['read'] {
  let known = Number.NaN
  let closeMs = Number.NaN
  return (cursor) => {
    const number = dateNumber(cursor)
    if (number !== known) {
      known = number
      closeMs = sessionOfDay(`${number}`.replace(datePattern, '$1-$2-$3'))?.closeMs ?? Number.NaN
    }
    return closeMs
  }
}

/** `YYYY-MM-DDTHH:MM:SSZ`, the start of the bar; other forms are left to the schema. */
function barEndReader(intervalMs: number): Reader['read'] {
  let known = Number.NaN
  let midnightMs = Number.NaN
  return (cursor) => {
    const number = dateNumber(cursor)
    if (number !== known) {
      known = number
      // Date.parse would take the 30th of February.
      const day = parseDay(`${number}`.replace(datePattern, '$1-$2-$3'))
      midnightMs = day === undefined ? Number.NaN : day * dayMs
    }
    return isAt(cursor, letterT) ? midnightMs + clockMs(cursor) + intervalMs : Number.NaN
  }
}

function clockMs(cursor: ByteCursor): number {
  const hour = fixedDigits(cursor, 2)
  const hasMinute = isAt(cursor, colon)
  const minute = fixedDigits(cursor, 2)
  const hasSecond = isAt(cursor, colon)
  const second = fixedDigits(cursor, 2)
  const isWhole = hasMinute && hasSecond && isAt(cursor, letterZ)
  if (!(isWhole && hour < 24 && minute < 60 && second < 60)) return Number.NaN
  return (hour * 60 + minute) * minuteMs + second * 1_000
}

function isSane({ open, high, low, close }: BarLine): boolean {
  return open >= low && open <= high && close >= low && close <= high
}
