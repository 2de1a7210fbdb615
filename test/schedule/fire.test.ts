import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { fireDue } from '#core/schedule/fire-schedule.ts'
import { asker, daily, openScheduleWorld, type ScheduleWorld } from './schedule-world.ts'

setDefaultTimeout(60_000)

let world: ScheduleWorld
beforeAll(async () => {
  world = await openScheduleWorld()
})
afterAll(() => world.close())
beforeEach(() => world.clear())

test('before its slot nothing fires, at its slot once, and then not again', async () => {
  await world.store.put('daily', daily, asker)
  world.setClock('2026-01-01T02:29:59.999Z')
  await world.fire()
  expect(await world.jobs()).toBe(0)
  world.setClock('2026-01-01T02:30:00Z')
  await world.fire()
  await world.fire()
  expect(await world.slots()).toEqual(['2026-01-01T02:30 cron submitted'])
  expect(world.sent.map(({ kind, payload }) => [kind.name, payload])).toEqual([
    ['tidy-up', { room: 'attic' }],
  ])
  const [job] = await world.sql`select issuer, subject, state from postern_job`
  expect(job).toMatchObject({ issuer: 'postern', subject: 'postern', state: 'accepted' })
})

test('ten processes that see a slot at the same moment accept one job', async () => {
  await world.store.put('daily', daily, asker)
  world.setClock('2026-01-01T02:30:00Z')
  const processes = Array.from({ length: 10 }, () => world.process())
  await Promise.all(processes.map((process) => fireDue(process, 'daily')))
  expect(await world.jobs()).toBe(1)
  expect(world.sent).toHaveLength(1)
  const fired = (await world.records()).filter(({ type }) => type === 'schedule.fired')
  expect(fired).toHaveLength(1)
})

test.each([
  ['postern_schedule_run', 'insert'],
  ['postern_job', 'insert'],
  ['postern_outbox', 'insert'],
  ['postern_schedule', 'update'],
  ['postern_audit_intake', 'insert'],
])(
  'when %s refuses its %s nothing of the run is there, and it is fired again',
  async (table, act) => {
    await world.store.put('daily', daily, asker)
    world.setClock('2026-01-01T02:30:00Z')
    await world.sql.unsafe(`
    create function refuse() returns trigger language plpgsql as
      $$ begin raise exception 'refused'; end $$;
    create trigger refuse before ${act} on ${table} for each statement execute function refuse()`)
    await expect(world.fire()).rejects.toThrow()
    await world.sql.unsafe(`drop trigger refuse on ${table}; drop function refuse`)
    expect(await world.jobs()).toBe(0)
    expect((await world.sql`select from postern_outbox`).length).toBe(0)
    expect(await world.slots()).toEqual([])
    expect(await world.records()).toHaveLength(1)
    expect(world.sent).toEqual([])
    await world.fire()
    expect(await world.slots()).toEqual(['2026-01-01T02:30 cron submitted'])
  },
)

test('a process that dies between commit and dispatch leaves its job to the sweeper', async () => {
  await world.store.put('daily', daily, asker)
  world.setClock('2026-01-01T02:30:00Z')
  const died = world.process({
    dispatch: {
      send: () => {
        throw new Error('killed')
      },
    },
  })
  await expect(fireDue(died, 'daily')).rejects.toThrow('killed')
  await world.fire()
  expect(await world.jobs()).toBe(1)
  const [row] = await world.sql`
    select cardinality(jobs) as jobs, jobs[1] = (select id from postern_job) as same
    from postern_outbox`
  expect(row).toMatchObject({ jobs: 1, same: true })
})

test.each([
  ['skip', ['misfire', 'misfire', 'misfire']],
  ['run_once', ['misfire', 'misfire', 'submitted']],
] as const)('after three days away, %s', async (misfire, outcomes) => {
  await world.store.put('daily', { ...daily, misfire }, asker)
  world.setClock('2026-01-03T12:00:00Z')
  await world.fire()
  const made = (await world.slots()).map((line) => line.split(' ')[2]?.replace('skipped_', ''))
  expect(made).toEqual([...outcomes])
  await world.fire()
  expect(await world.slots()).toHaveLength(3)
})

test('after a year away, a hundred slots of every minute are made up for and no more', async () => {
  const backfill = { ...daily, cron: '* * * * *', misfire: 'backfill', backfillMax: 100 } as const
  await world.store.put('daily', backfill, asker)
  world.setClock('2027-01-01T00:00:30Z')
  await world.fire()
  await world.fire()
  expect(await world.jobs()).toBe(100)
  expect((await world.slots()).at(-1)).toBe('2027-01-01T00:00 cron submitted')
})

test('while its job is unfinished a slot is left out, and the history says so', async () => {
  await world.store.put('daily', { ...daily, overlap: 'skip' }, asker)
  world.setClock('2026-01-01T02:30:00Z')
  await world.fire()
  world.setClock('2026-01-02T02:30:00Z')
  await world.fire()
  await world.finishJobs()
  world.setClock('2026-01-03T02:30:00Z')
  await world.fire()
  expect(await world.slots()).toEqual([
    '2026-01-01T02:30 cron submitted',
    '2026-01-02T02:30 cron skipped_overlap',
    '2026-01-03T02:30 cron submitted',
  ])
  expect((await world.records()).map(({ type }) => type)).toContain('schedule.skipped')
})

test('with queue a slot waits for the job before it, and is then made up for', async () => {
  const queued = { ...daily, overlap: 'queue', misfire: 'backfill', backfillMax: 9 } as const
  await world.store.put('daily', queued, asker)
  world.setClock('2026-01-03T12:00:00Z')
  await world.fire()
  await world.fire()
  expect(await world.slots()).toEqual(['2026-01-01T02:30 backfill submitted'])
  await world.finishJobs()
  await world.fire()
  await world.finishJobs()
  await world.fire()
  await world.finishJobs()
  await world.fire()
  expect((await world.slots()).map((line) => line.slice(0, 10))).toEqual([
    ...['2026-01-01', '2026-01-02', '2026-01-03'],
  ])
})

test('paused it does not fire, and what it missed is left out when it goes on', async () => {
  const backfill = { ...daily, misfire: 'backfill', backfillMax: 9 } as const
  await world.store.put('daily', backfill, asker)
  await world.store.pause('daily', asker)
  world.setClock('2026-01-05T12:00:00Z')
  await world.fire()
  expect((await world.store.find('daily')).next_runs).toEqual([])
  await world.store.resume('daily', asker)
  await world.fire()
  expect(await world.slots()).toEqual([])
  world.setClock('2026-01-06T02:30:00Z')
  await world.fire()
  expect(await world.slots()).toEqual(['2026-01-06T02:30 cron submitted'])
})

test('another pattern or zone makes up for nothing; another payload forgets nothing', async () => {
  await world.store.put('daily', daily, asker)
  world.setClock('2026-01-01T12:00:00Z')
  await world.store.put('daily', { ...daily, cron: '0 1 * * *' }, asker)
  await world.fire()
  await world.store.put('daily', { ...daily, timeZone: 'Asia/Tokyo' }, asker)
  await world.fire()
  expect(await world.slots()).toEqual([])
  world.setClock('2026-01-01T17:29:00Z')
  await world.store.put('daily', { ...daily, timeZone: 'Asia/Tokyo' }, asker)
  world.setClock('2026-01-01T17:30:00Z')
  await world.store.put('daily', { ...daily, timeZone: 'Asia/Tokyo', payload: {} }, asker)
  await world.fire()
  expect(await world.slots()).toEqual(['2026-01-01T17:30 cron submitted'])
})

test('over both changes of the clock a day has one run, whoever looks how often', async () => {
  for (const [timeZone, cron, days] of [
    ['America/New_York', '30 2 * * *', ['2026-03-07', '2026-03-08', '2026-03-09']],
    ['Europe/Berlin', '30 2 * * *', ['2026-10-24', '2026-10-25', '2026-10-26']],
    ['America/New_York', '30 1 * * *', ['2026-10-31', '2026-11-01', '2026-11-02']],
  ] as const) {
    await world.clear()
    world.setClock(`${days[0]}T00:00:00Z`)
    await world.store.put('daily', { ...daily, cron, timeZone, misfire: 'skip' }, asker)
    const end = Date.parse(`${days[2]}T12:00:00Z`)
    for (let at = Date.parse(`${days[0]}T00:00:00Z`); at <= end; at += 15 * 60_000) {
      world.setClock(new Date(at).toISOString())
      await world.fire()
    }
    const ran = (await world.slots()).filter((line) => line.endsWith('submitted'))
    expect(ran.map((line) => line.slice(0, 10))).toEqual([...days])
  }
})

test('a kind that this process does not know is left to one that does', async () => {
  await world.store.put('daily', daily, asker)
  world.setClock('2026-01-01T02:30:00Z')
  await fireDue(world.process({ kinds: new Map() }), 'daily')
  expect(await world.slots()).toEqual([])
  await world.fire()
  expect(await world.jobs()).toBe(1)
})

test('lateness and outcomes are counted, by kind', async () => {
  await world.store.put('daily', daily, asker)
  world.setClock('2026-01-01T02:30:07Z')
  const before = await latenessSum()
  await world.fire()
  expect((await latenessSum()) - before).toBe(7)
})

async function latenessSum(): Promise<number> {
  const { values } = await world.metrics.scheduleLatenessSeconds.get()
  return values.find(({ metricName }) => metricName?.endsWith('_sum'))?.value ?? 0
}

test('the record says which slots and jobs, and that nobody asked', async () => {
  await world.store.put('daily', daily, asker)
  world.setClock('2026-01-01T02:30:00Z')
  await world.fire()
  const [made, fired] = await world.records()
  expect(made).toMatchObject({
    ...{ type: 'schedule.changed', target: 'schedule/daily' },
    actor: { sub: 'service-a' },
    details: { cron: '30 2 * * *', previous: null },
  })
  expect(JSON.stringify(made)).not.toContain('attic')
  expect(fired).toMatchObject({
    ...{ type: 'schedule.fired', target: 'schedule/daily' },
    details: { slots: ['2026-01-01T02:30:00.000Z'], jobs: [world.sent[0]?.id], by: 'postern' },
  })
  expect(fired?.['actor']).toBeUndefined()
})
