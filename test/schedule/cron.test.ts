import { expect, test } from 'bun:test'
import { nextSlots, slotsBetween, type Timetable, timetableFault } from '#core/schedule/cron.ts'

const start = new Date('2026-01-01T00:00:00.000Z')
const hourMs = 3_600_000

const utc = (cron: string): Timetable => ({ cron, timeZone: 'UTC' })

function slots(cron: string, timeZone: string, after: string, count: number): readonly string[] {
  const found = nextSlots({ cron, timeZone }, new Date(after), count)
  return found.map((slot) => slot.toISOString().slice(0, 16))
}

test.each([
  ['every second', '* * * * * *'],
  ['every ten seconds', '*/10 0 0 1 1 *'],
  ['four fields', '0 0 * *'],
  ['nothing', ''],
  ['spaces', '     '],
  ['an alias', '@hourly'],
  ['a random minute', 'H * * * *'],
  ['a range of random minutes', 'H(0-30) * * * *'],
  ['a question mark', '0 0 ? * *'],
  ['a comment', '0 0 * * * # x'],
  ['a minute of 60', '60 * * * *'],
  ['an hour of 24', '0 24 * * *'],
  ['a day of 0', '0 0 0 * *'],
  ['a step of nothing', '*/0 * * * *'],
  ['a range backwards', '30-10 * * * *'],
  ['an exponent', '1e1 * * * *'],
  ['a fraction', '0.5 * * * *'],
  ['a prototype', '0 0 * * __proto__'],
  ['a word', '0 0 * * noon'],
  ['a line break', '0 0 * *\n*'],
  ['a NUL', '0 0 * * *\u0000'],
  ['Arabic digits', '٠ ٠ * * *'],
  ['31 February', '0 0 31 2 *'],
  ['30 February, or 31 of short months', '0 0 30,31 2 *'],
  ['31 of months that have 30', '0 0 31 4,6 *'],
])('%s is no pattern', (_name, cron) => {
  expect(timetableFault(utc(cron), start)).toMatchObject({ of: 'cron' })
})

test('a pattern may have 100 characters, and not one more', () => {
  const minutes = Array.from({ length: 40 }, (_, minute) => minute).join(',')
  const cron = `${minutes}`.slice(0, 92).replace(/,\d*$/, '')
  const fits = `${cron} * * * *`
  expect(timetableFault(utc(fits.padEnd(100, ' ')), start)).toBeUndefined()
  expect(timetableFault(utc(fits.padEnd(101, ' ')), start)?.detail).toContain('100')
})

test.each([
  ['nothing', ''],
  ['an offset', '+02:00'],
  ['an offset by name', 'UTC+3'],
  ['the host’s own', 'local'],
  ['the system’s', 'system'],
  ['a city alone', 'Berlin'],
  ['a zone that is not there', 'Europe/Atlantis'],
  ['a path', '../../etc/localtime'],
  ['65 characters', `Europe/${'x'.repeat(58)}`],
  ['a NUL', 'UTC\u0000'],
])('%s is no time zone', (_name, timeZone) => {
  expect(timetableFault({ cron: '0 0 * * *', timeZone }, start)).toMatchObject({ of: 'timeZone' })
})

test.each(['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Etc/GMT+3'])(
  '%s is one',
  (timeZone) => {
    expect(timetableFault({ cron: '0 0 * * MON-FRI', timeZone }, start)).toBeUndefined()
  },
)

test('29 February comes every four years, and not in 2100', () => {
  expect(slots('0 0 29 2 *', 'UTC', '2026-01-01T00:00Z', 2)).toEqual([
    ...['2028-02-29T00:00', '2032-02-29T00:00'],
  ])
  expect(slots('0 0 29 2 *', 'UTC', '2096-03-01T00:00Z', 1)).toEqual(['2104-02-29T00:00'])
  expect(timetableFault(utc('0 0 29 2 *'), start)).toBeUndefined()
})

test('the last day and the last weekday of a month are L', () => {
  expect(slots('0 0 L * *', 'UTC', '2026-01-15T00:00Z', 2)).toEqual([
    ...['2026-01-31T00:00', '2026-02-28T00:00'],
  ])
  expect(slots('0 0 * * FRIL', 'UTC', '2026-01-15T00:00Z', 1)).toEqual(['2026-01-30T00:00'])
})

test.each([
  ['America/New_York', '30 2 * * *', '2026-03-07T12:00Z', ['2026-03-08T07:30', '2026-03-09T06:30']],
  ['Europe/Berlin', '30 2 * * *', '2026-03-28T12:00Z', ['2026-03-29T01:30', '2026-03-30T00:30']],
])('in %s a time that the clock skips is in the hour behind', (timeZone, cron, after, expected) => {
  expect(slots(cron, timeZone, after, 2)).toEqual(expected)
})

test.each([
  ['America/New_York', '30 1 * * *', '2026-10-31T12:00Z', ['2026-11-01T05:30', '2026-11-02T06:30']],
  ['Europe/Berlin', '30 2 * * *', '2026-10-24T12:00Z', ['2026-10-25T00:30', '2026-10-26T01:30']],
])('in %s a time that comes twice is meant the first time', (timeZone, cron, after, expected) => {
  expect(slots(cron, timeZone, after, 2)).toEqual(expected)
})

test('what runs every half hour runs in both of the doubled hours', () => {
  expect(slots('*/30 * * * *', 'Europe/Berlin', '2026-10-24T23:45Z', 5)).toEqual([
    ...['2026-10-25T00:00', '2026-10-25T00:30', '2026-10-25T01:00', '2026-10-25T01:30'],
    '2026-10-25T02:00',
  ])
})

const changes = [
  ['America/New_York', '2026-03-08'],
  ['America/New_York', '2026-11-01'],
  ['Europe/Berlin', '2026-03-29'],
  ['Europe/Berlin', '2026-10-25'],
  ['America/Havana', '2026-03-08'],
  ['America/Havana', '2026-11-01'],
  ['Asia/Kathmandu', '2026-03-08'],
] as const
const patterns = [
  ...['30 2 * * *', '30 1 * * *', '0 1,2 * * *', '*/15 1 * * *', '*/15 2 * * *', '0 * * * *'],
  ...['0 0 * * *', '30 0 * * *', '15 1-3 * * *', '0 */2 * * *', '45 1 * * 0', '0 3 * * *'],
]

test.each(changes)(
  'in %s around %s slots are the same from wherever one looks',
  (timeZone, day) => {
    const middle = Date.parse(`${day}T00:00Z`)
    for (const cron of patterns) {
      const timetable = { cron, timeZone }
      const early = new Date(middle - 30 * hourMs)
      const known = slotsBetween(timetable, {
        after: early,
        until: new Date(middle + 2e9),
        max: 999,
      })
      for (let at = middle - 26 * hourMs; at < middle + 36 * hourMs; at += hourMs / 6) {
        const expected = known.find((slot) => slot.getTime() > at)
        expect(nextSlots(timetable, new Date(at), 1)[0]).toEqual(expected)
      }
    }
  },
)

test('where summer is half an hour, a pattern that cron-parser gives up on goes on behind it', () => {
  const found = slots('0 1,2 * * *', 'Australia/Lord_Howe', '2026-04-03T00:00Z', 8)
  expect(found).toHaveLength(8)
  expect(found.at(-1)?.slice(0, 10) ?? '').toBeOneOf(['2026-04-06', '2026-04-07', '2026-04-08'])
})

test('after a year away the newest slots are found, oldest first, and no more than asked for', () => {
  const until = new Date('2026-06-01T00:00:30Z')
  const after = new Date('2025-06-01T00:00:00Z')
  const minutes = slotsBetween(utc('* * * * *'), { after, until, max: 100 })
  expect(minutes).toHaveLength(100)
  expect(minutes[0]?.toISOString()).toBe('2026-05-31T22:21:00.000Z')
  expect(minutes.at(-1)?.toISOString()).toBe('2026-06-01T00:00:00.000Z')
  const years = slotsBetween(utc('0 0 29 2 *'), { after: new Date(0), until, max: 2 })
  expect(years.map((slot) => slot.getUTCFullYear())).toEqual([2020, 2024])
  const none = slotsBetween(utc('0 0 * * *'), { after: until, until, max: 100 })
  expect(none).toEqual([])
})

test('a slot at the very instant is due, and settled it is not due again', () => {
  const slot = new Date('2026-01-01T12:00:00Z')
  const timetable = utc('0 12 * * *')
  const before = new Date(slot.getTime() - 1)
  expect(slotsBetween(timetable, { after: before, until: slot, max: 9 })).toEqual([slot])
  expect(slotsBetween(timetable, { after: slot, until: slot, max: 9 })).toEqual([])
})
