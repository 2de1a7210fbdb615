import { seededRandom } from '#core/order/venue/seeded-random.ts'
import type { RotationCheck } from '#core/secret/rotation/check-rotation.ts'
import type { DueStage } from './rotation-due-stage.ts'

export const dayMs = 86_400_000
const secondMs = 1_000

export type DueCase = {
  readonly title: string
  /** Of the database's sessions. */
  readonly zone: string
  readonly due: Date
  readonly days: number
  /** What Postgres goes through on the day before: `immediate` is a crash. */
  readonly restart?: 'fast' | 'immediate'
}

const at = (title: string, due: string, more: Partial<Omit<DueCase, 'title' | 'due'>> = {}) => ({
  ...{ title, zone: 'UTC', days: 90, ...more },
  due: new Date(due),
})

/** In the skipped hour's place, in the doubled hour, over the end of February and over a year's. */
export const fixedCases: readonly DueCase[] = [
  at('from its first use', '2027-03-01T12:00:00Z', { restart: 'fast' }),
  at('every 30 days', '2027-03-01T12:00:00Z', { days: 30, restart: 'immediate' }),
  at('every 365 days, 29 February between', '2029-02-10T12:00:00Z', { days: 365 }),
  at('over 28 February 2027', '2027-03-01T00:00:00Z'),
  at('on 29 February 2028', '2028-02-29T23:59:59Z'),
  at('over 29 February 2028', '2028-03-01T00:00:00Z', { restart: 'immediate' }),
  at('on New Year', '2028-01-01T00:00:00Z'),
  at('New York, 02:00 skipped', '2027-03-14T07:00:00Z', { zone: 'America/New_York' }),
  at('New York, 01:30 twice', '2027-11-07T05:30:00Z', { zone: 'America/New_York' }),
  at('Berlin, 02:00 skipped', '2027-03-28T01:00:00Z', { zone: 'Europe/Berlin', restart: 'fast' }),
  at('Berlin, 02:30 twice', '2027-10-31T01:30:00Z', { zone: 'Europe/Berlin' }),
  at('Lord Howe, half an hour back', '2027-04-03T15:00:00Z', { zone: 'Australia/Lord_Howe' }),
  at('Lord Howe, half an hour on', '2027-10-02T15:30:00Z', { zone: 'Australia/Lord_Howe' }),
]

const zones = ['UTC', 'America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kathmandu']
const firstDue = Date.UTC(2027, 11, 1)
const spanDays = 1_500
const daysMax = 400

export function randomCase(seed: number): DueCase {
  const random = seededRandom(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  const seconds = below(spanDays * 86_400)
  return {
    title: `seed ${seed}`,
    zone: zones[below(zones.length)] ?? 'UTC',
    due: new Date(firstDue + seconds * secondMs),
    days: 1 + below(daysMax),
  }
}

/**
 * From its first use to the rotation behind its due date, at each moment that matters; by the commands
 * themselves where there is a restart, by what they call elsewhere.
 */
export async function runCase(stage: DueStage, number: number, one: DueCase): Promise<void> {
  const { title, zone, due, days, restart } = one
  const { clock, report } = stage
  const name = `desk/feed-${number}`
  const begin = new Date(due.getTime() - days * dayMs)
  const row = (looked: Date, of: string, expected: unknown, found: unknown) =>
    report({ title: `${title}: ${of}`, due, looked, expected, found })

  await clock.stop(begin)
  await stage.setZone(zone)
  const isWhole = restart !== undefined
  await (isWhole ? stage.firstUse(name, days) : stage.firstUseHere(name, days))
  row(begin, 'the date', due.toISOString(), (await stage.dueAt(name)).toISOString())

  const before = new Date(due.getTime() - secondMs)
  await clock.stop(before)
  if (isWhole) await stage.restart(restart)
  const check = isWhole ? stage.check : stage.checkHere
  const checked = async () => listsWith(name, await check())
  row(before, 'shown', false, await stage.isShownDue(name))
  if (isWhole) row(before, 'the gauge', 1, await stage.gauge(name))
  row(before, 'check', 'nothing', await checked())

  await clock.stop(due)
  row(due, 'shown', true, await stage.isShownDue(name))
  if (isWhole) row(due, 'the gauge', 0, await stage.gauge(name))
  const both = await Promise.all([checked(), checked()])
  row(due, 'two checks at once', 'opened, under_way', both.sort().join(', '))

  const after = new Date(due.getTime() + dayMs)
  await clock.stop(after)
  row(after, 'check, under way', 'under_way', await checked())
  if (isWhole) await goOn(stage, { name, due, after, days, row })
  row(after, 'rotations', 1, await stage.rotations(name))
  await stage.forget(name)
}

type GoingOn = Pick<DueCase, 'due' | 'days'> & {
  readonly name: string
  readonly after: Date
  readonly row: (looked: Date, of: string, expected: unknown, found: unknown) => void
}

/** The second that comes twice where a clock is set back; then the rotation, and its next date. */
async function goOn(stage: DueStage, { name, due, after, days, row }: GoingOn): Promise<void> {
  const { clock } = stage
  const earlier = new Date(due.getTime() - 3_600 * secondMs)
  await clock.stop(earlier)
  const checked = async () => listsWith(name, await stage.check())
  row(earlier, 'check, an hour set back', 'nothing', await checked())
  await clock.stop(due)
  row(due, 'check, there again', 'under_way', await checked())
  await clock.stop(after)
  row(after, 'rotated', 'done', await stage.rotate(name))
  const next = new Date(after.getTime() + days * dayMs).toISOString()
  row(after, 'the next date', next, (await stage.dueAt(name)).toISOString())
}

function listsWith(name: string, found: RotationCheck): string {
  const lists = Object.entries(found).filter(([, names]) => names.includes(name))
  return lists.map(([list]) => list).join() || 'nothing'
}

/** Where nobody but a person can rotate it: from 14 days before, and never a rotation. */
export async function runReminder(stage: DueStage): Promise<void> {
  const { clock, report } = stage
  const name = 'desk/by-hand'
  const begin = new Date('2027-12-01T08:00:00Z')
  const due = new Date(begin.getTime() + 90 * dayMs)
  await clock.stop(begin)
  await stage.firstUse(name, 90)
  await stage.makeManual(name)
  const looks = [
    [-14 * dayMs - secondMs, 'nothing'],
    [-14 * dayMs, 'reminded'],
    [0, 'reminded'],
    [dayMs, 'reminded'],
  ] as const
  for (const [offsetMs, expected] of looks) {
    const looked = new Date(due.getTime() + offsetMs)
    await clock.stop(looked)
    const found = listsWith(name, await stage.check())
    report({ title: 'by hand: check', due, looked, expected, found })
  }
  const found = await stage.rotations(name)
  report({ title: 'by hand: rotations', due, looked: due, expected: 0, found })
  await stage.forget(name)
}

/** A rotation that lasts: the next date counts from its end. */
export async function runGrace(stage: DueStage): Promise<void> {
  const { clock, report } = stage
  const name = 'desk/graceful'
  const begin = new Date('2027-12-01T08:00:00Z')
  await clock.stop(begin)
  await stage.firstUse(name, 90, 3_600)
  const looked = new Date(begin.getTime() + 5 * dayMs)
  const due = new Date(looked.getTime() + 90 * dayMs)
  const row = (of: string, expected: string, found: string) =>
    report({ title: `time of grace: ${of}`, due, looked, expected, found })
  row('begun', 'retire', await stage.rotate(name))
  await clock.stop(new Date(begin.getTime() + 3_599 * secondMs))
  row('one second before its end', 'retire', await stage.rotate(name))
  await stage.restart('immediate')
  await clock.stop(looked)
  row('ended days later', 'done', await stage.rotate(name))
  row('the next date', due.toISOString(), (await stage.dueAt(name)).toISOString())
  await stage.forget(name)
}
