import { z } from 'zod'
import { dayMs } from './rotation-due-cases.ts'
import type { DueStage } from './rotation-due-stage.ts'
import { databaseSecret, users } from './rotation-stage.ts'

const endMsMax = 60_000
/** Two rounds of whoever keeps the schedules, and the job. */
const quietMs = 12_000
const name = 'desk/live'
const slotTime = '04:23:00'

const jobRows = z.array(
  z.object({ slot: z.date(), outcome: z.string(), state: z.string().nullable() }),
)

/**
 * A worker and a rotator at work while the clock jumps: the schedule's slot opens what is due, once
 * a day, however often the clock shows it.
 */
export async function runLive(stage: DueStage): Promise<void> {
  const { clock, report, postern } = stage
  const begin = new Date('2027-12-01T04:30:00Z')
  const due = new Date(begin.getTime() + 90 * dayMs)
  const row = (looked: Date, of: string, expected: unknown, found: unknown) =>
    report({ title: `at work: ${of}`, due, looked, expected, found })

  await clock.run(begin)
  await stage.forget(databaseSecret).catch(() => undefined)
  await stage.setZone('Europe/Berlin')
  await stage.gateway.stop('SIGTERM')
  await Promise.all([stage.start('serve'), stage.start('rotator')])
  const worker = await stage.start('work')
  await stage.firstUse(name, 90)
  await postern([
    ...['secrets', 'set-rotation', databaseSecret, '--kind', 'postgres-role'],
    ...['--users', users.join(), '--admin', 'secret:postern/rotator#url'],
  ])
  row(begin, 'slots so far', '', await slots(stage))

  const eve = new Date(due.getTime() - 60_000)
  await clock.run(eve)
  await until(async () => (await slots(stage)).includes('completed'))
  row(eve, '90 slots missed, one is run', `${dayOf(eve)} completed`, await slots(stage))
  row(eve, 'nothing is due', 0, await stage.rotations(name))

  const second = slotOf(new Date(due.getTime() + dayMs))
  await clock.run(new Date(second.getTime() - 15_000))
  row(second, 'due, its slot to come', 0, await stage.rotations(name))
  await stage.restart('immediate')
  await until(async () => (await stage.rotations(name)) > 0)
  const two = `${dayOf(eve)} completed, ${dayOf(second)} completed`
  await until(async () => (await slots(stage)) === two)
  await until(() => ended(stage, name))
  await until(() => ended(stage, databaseSecret))
  row(
    second,
    'both ended',
    'done, done',
    `${await end(stage, name)}, ${await end(stage, databaseSecret)}`,
  )
  row(second, 'slots', two, await slots(stage))
  row(second, 'next dates', true, await isCountedFromEnd(stage))

  await worker.stop('SIGKILL')
  await clock.run(new Date(second.getTime() - 3_600_000))
  const next = await stage.start('work')
  // The rotator is at it too: the command may be overtaken.
  await stage.tryPostern(['secrets', 'rotate', name])
  await until(() => ended(stage, name))
  await stage.sql`update postern_secret set due_at = now() where name = ${name}`
  await clock.run(new Date(second.getTime() - 5_000))
  await Bun.sleep(quietMs)
  row(second, 'an hour set back, the slot once more', two, await slots(stage))

  const third = new Date(second.getTime() + dayMs)
  await clock.run(new Date(third.getTime() - 5_000))
  const three = `${two}, ${dayOf(third)} completed`
  await until(async () => (await slots(stage)) === three).catch(() => undefined)
  row(third, 'the day after', three, await slots(stage))
  await until(() => ended(stage, name))
  row(third, 'rotations', 3, await stage.rotations(name))

  await runSetBack(stage, { third, row })
  await next.stop('SIGTERM')
}

/** What was planned an hour ahead of the clock does not wait for that hour, nor for who is dead. */
async function runSetBack(
  stage: DueStage,
  about: {
    readonly third: Date
    readonly row: (looked: Date, of: string, expected: unknown, found: unknown) => void
  },
): Promise<void> {
  const { clock, sql } = stage
  const { third, row } = about
  await sql`update postern_secret set due_at = now() where name = ${name}`
  await clock.run(new Date(third.getTime() + 7_200_000))
  await sql`
    insert into postern_secret_rotation (id, name, step, epoch, base_version, next_try_at, opened_by, opened_at)
    select ${Bun.randomUUIDv7()}, name, 'stage', epoch, current_version, now() + interval '1 hour', 'test', now()
    from postern_secret where name = ${name}`
  await until(() => ended(stage, name)).catch(() => undefined)
  row(third, 'planned before an hour was set back', 'done', await end(stage, name))
}

function slotOf(day: Date): Date {
  return new Date(`${day.toISOString().slice(0, 10)}T${slotTime}Z`)
}

const dayOf = (at: Date) => at.toISOString().slice(0, 10)

/** What was submitted, by its day. */
async function slots({ sql }: DueStage): Promise<string> {
  const rows = jobRows.parse(
    await sql`
      select r.slot, r.outcome, j.state from postern_schedule_run r left join postern_job j on j.id = r.job
      where r.schedule = 'check-rotation' and r.outcome = 'submitted' order by r.slot, r.id`,
  )
  return rows.map(({ slot, state }) => `${dayOf(slot)} ${state}`).join(', ')
}

async function end({ sql }: DueStage, of: string): Promise<string> {
  const [row] = await sql<{ step: string; error: string | null }[]>`
    select step, error from postern_secret_rotation where name = ${of} order by id desc limit 1`
  return row === undefined ? 'none' : [row.step, row.error].filter(Boolean).join(' ')
}

async function ended(stage: DueStage, of: string): Promise<boolean> {
  return ['done', 'undone'].includes((await end(stage, of)).split(' ')[0] ?? '')
}

/** Days of 24 hours, from the end of the last rotation. */
async function isCountedFromEnd({ sql }: DueStage): Promise<boolean> {
  const rows = await sql`
    select from postern_secret s where due_at <> make_interval(hours => 24 * rotation_days) + (
      select max(ended_at) from postern_secret_rotation r where r.name = s.name)`
  return rows.length === 0
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + endMsMax
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > giveUpAt) throw new Error(`not within ${endMsMax} ms: ${isSo}`)
    await Bun.sleep(100)
  }
}
