import { CronExpressionParser } from 'cron-parser'

/** When something is to run: a cron pattern of five fields, and the zone whose clock it reads. */
export type Timetable = { readonly cron: string; readonly timeZone: string }

/** Room for lists of minutes; more is nobody's timetable. */
export const cronCharactersMax = 100
/** The longest IANA name has half of it. */
export const timeZoneCharactersMax = 64

const fields = 5
const hourMs = 3_600_000

const names = [
  ...['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
  ...['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'],
]
/** `L` is the last day or weekday of a month. `H`, a random place, is not in it. */
const words: ReadonlySet<string> = new Set(['L', ...names, ...names.map((name) => `${name}L`)])
const alphabet = /^[\dA-Za-z*,/# -]+$/
/** An offset such as +02:00 is no zone: it has no summer. */
const zoneForm = /^[A-Za-z][A-Za-z0-9_+/-]*$/

export type TimetableFault = { readonly of: keyof Timetable; readonly detail: string }

/** What is wrong with a timetable that somebody sent; undefined when it fires. */
export function timetableFault(timetable: Timetable, after: Date): TimetableFault | undefined {
  const zone = zoneFault(timetable.timeZone)
  if (zone !== undefined) return { of: 'timeZone', detail: zone }
  const cron = cronFault(timetable.cron) ?? neverFault(timetable, after)
  return cron === undefined ? undefined : { of: 'cron', detail: cron }
}

function zoneFault(timeZone: string): string | undefined {
  const detail = 'Expected an IANA time zone such as Europe/Berlin or UTC'
  if (timeZone.length > timeZoneCharactersMax || !zoneForm.test(timeZone)) return detail
  try {
    zoneFormat(timeZone)
    return undefined
  } catch {
    return detail
  }
}

function cronFault(cron: string): string | undefined {
  if (cron.length > cronCharactersMax)
    return `A pattern has at most ${cronCharactersMax} characters`
  const count = cron.split(' ').filter((part) => part !== '').length
  if (count > fields) return 'Expected five fields: nothing runs more often than once a minute'
  if (count < fields) return 'Expected five fields: minute, hour, day, month, weekday'
  const isKnown = cron.match(/[A-Za-z]+/g)?.every((word) => words.has(word.toUpperCase())) ?? true
  if (alphabet.test(cron) && isKnown && canParse(cron)) return undefined
  return 'Expected numbers, names of months and weekdays, * , - / # and L'
}

function canParse(cron: string): boolean {
  try {
    CronExpressionParser.parse(cron, { tz: 'UTC' })
    return true
  } catch {
    return false
  }
}

function neverFault(timetable: Timetable, after: Date): string | undefined {
  return nextSlots(timetable, after, 1).length === 0 ? 'The pattern never fires' : undefined
}

/** The next slots behind an instant; fewer where a pattern fires no more. */
export function nextSlots(timetable: Timetable, after: Date, count: number): readonly Date[] {
  return slotsAfter(timetable, after).take(count).toArray()
}

/**
 * Hours looked back for slots that were missed, until there are enough: the first is enough for
 * every minute, the last for each 29 February.
 */
const lookBackHours = [2, 26, 200, 1_000, 10_000, 80_000]

/** The newest `max` slots behind `after` and not behind `until`, oldest first. */
export function slotsBetween(
  timetable: Timetable,
  { after, until, max }: { readonly after: Date; readonly until: Date; readonly max: number },
): readonly Date[] {
  let slots: readonly Date[] = []
  for (const hours of lookBackHours) {
    const from = new Date(Math.max(after.getTime(), until.getTime() - hours * hourMs))
    slots = slotsUntil(timetable, from, until)
    if (slots.length >= max || from.getTime() === after.getTime()) break
  }
  return slots.slice(-max)
}

function slotsUntil(timetable: Timetable, after: Date, until: Date): readonly Date[] {
  const slots: Date[] = []
  for (const slot of slotsAfter(timetable, after)) {
    if (slot > until) break
    slots.push(slot)
  }
  return slots
}

/**
 * Hours from the last slot at which a search begins, the next one where cron-parser gives up: it
 * does in zones whose summer moves the clock by half an hour.
 */
const searchHours = [0, 1, 3, 26, 100]
/** Longer than any clock change leaves an hour doubled. */
const changeHours = 3

/**
 * The slots are the same wherever a search begins: a time that a clock change skips falls into the
 * hour behind it, one that comes twice is meant the first time. cron-parser knows of a change only
 * when it walks over it: begun within the hour it would fire twice, or not at all; its `prev`
 * disagrees with its `next`.
 */
function* slotsAfter(timetable: Timetable, after: Date): Generator<Date> {
  let last = after.getTime()
  let search = 0
  while (search < searchHours.length) {
    const before = last
    const start = last + (searchHours[search] ?? 0) * hourMs
    const next = walk(
      timetable,
      isNearChange(timetable.timeZone, start) ? start - changeHours * hourMs : start,
    )
    for (let slot = next(); slot !== undefined; slot = next()) {
      if (slot <= last) continue
      last = slot
      yield new Date(slot)
    }
    search = last > before ? 0 : search + 1
  }
}

function walk({ cron, timeZone }: Timetable, fromMs: number): () => number | undefined {
  const expression = CronExpressionParser.parse(cron, {
    tz: timeZone,
    currentDate: new Date(fromMs),
  })
  return () => {
    try {
      return expression.next().getTime()
    } catch {
      return undefined
    }
  }
}

function isNearChange(timeZone: string, atMs: number): boolean {
  const format = zoneFormat(timeZone)
  const offset = (ms: number) =>
    format.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value
  return offset(atMs - changeHours * hourMs) !== offset(atMs + changeHours * hourMs)
}

/** There are some hundred zones, and each can be written in many ways. */
const formatsMax = 1_000
/** Making one costs a hundred times what using it does. */
const formats = new Map<string, Intl.DateTimeFormat>()

function zoneFormat(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known !== undefined) return known
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
  if (formats.size >= formatsMax) formats.clear()
  formats.set(timeZone, format)
  return format
}
