import { expect, setDefaultTimeout, test } from 'bun:test'
import { silentLog } from '#core/log.ts'
import { ensureBuiltIn } from '#core/schedule/built-in-schedules.ts'
import { scheduleKeeper } from '#core/schedule/keep-schedules.ts'
import { asker, daily } from './schedule-world.ts'
import { tickContract } from './tick-contract.ts'
import { postgresTicks, redisTicks } from './tick-worlds.ts'

setDefaultTimeout(60_000)

const opened = tickContract('BullMQ on Redis', redisTicks)
tickContract('BullMQ on Postgres', postgresTicks)

const keeper = (log = silentLog()) => {
  const world = opened()
  return scheduleKeeper({ ...world.first, metrics: world.metrics, ticks: world.ticks, log })
}

test('without an engine schedules fire all the same, and are mirrored when it is back', async () => {
  const world = opened()
  await world.store.put('daily', daily, asker)
  const keep = keeper()
  await world.stop()
  world.setClock('2026-01-01T02:30:00Z')
  await expect(keep.round()).rejects.toMatchObject({ code: 'queue.unavailable' })
  expect(await world.slots()).toEqual(['2026-01-01T02:30 cron submitted'])
  await world.start()
  let isMended = false
  for (let tries = 0; tries < 50 && !isMended; tries++) {
    isMended = await keep.round().catch(() => false)
    if (!isMended) await Bun.sleep(100)
  }
  expect((await world.ticks.list()).map(({ name }) => name)).toEqual(['daily'])
})

test('one schedule that cannot be fired keeps no other from its slot', async () => {
  const world = opened()
  await world.store.put('broken', daily, asker)
  await world.store.put('daily', daily, asker)
  await world.sql.unsafe(`
    create function refuse() returns trigger language plpgsql as
      $$ begin if new.schedule = 'broken' then raise check_violation; end if; return new; end $$;
    create trigger refuse before insert on postern_schedule_run
      for each row execute function refuse()`)
  const errors: string[] = []
  world.setClock('2026-01-01T02:30:00Z')
  const log = { ...silentLog(), error: (event: string) => void errors.push(event) }
  await keeper(log).round()
  await world.sql.unsafe('drop trigger refuse on postern_schedule_run; drop function refuse')
  expect(await world.slots()).toEqual(['2026-01-01T02:30 cron submitted'])
  expect(errors).toEqual(['schedule.not_fired'])
})

test.each([
  ['a keeper that died is followed at once where the clock was set back meanwhile', '1 hour', true],
  ['a keeper whose clock is a little ahead is left to it', '20 seconds', false],
])('%s', async (_, ahead, isTaken) => {
  const world = opened()
  expect(await keeper().round()).toBe(true)
  await world.sql`update postern_lease set until = now() + ${ahead}::interval where name = 'schedules'`
  expect(await keeper().round()).toBe(isTaken)
})

test('history is kept for ninety days', async () => {
  const world = opened()
  await world.store.put('daily', daily, asker)
  for (const [at, isKept] of [
    ['2025-10-04T00:00:00Z', true],
    ['2025-10-02T00:00:00Z', false],
  ] as const) {
    await world.sql`
      insert into postern_schedule_run (id, schedule, slot, cause, outcome, at, requested_by)
      values (${Bun.randomUUIDv7()}, 'daily', ${at}, 'cron', 'skipped_misfire', ${at},
        ${String(isKept)})`
  }
  await keeper().round()
  const rows = await world.sql`select requested_by from postern_schedule_run`
  expect(rows.map((row) => row['requested_by'])).toEqual(['true'])
})

test('built-in schedules are made once, follow the release, and yield to operators', async () => {
  const world = opened()
  const nightly = { name: 'nightly', ...daily }
  await Promise.all([1, 2, 3].map(() => ensureBuiltIn(world.process(), [nightly])))
  expect(await world.store.list()).toMatchObject([{ name: 'nightly', source: 'built_in' }])
  expect(await world.records()).toHaveLength(1)
  await ensureBuiltIn(world.first, [{ ...nightly, cron: '0 4 * * *' }])
  expect(await world.store.find('nightly')).toMatchObject({ cron: '0 4 * * *' })
  await world.store.pause('nightly', asker)
  await ensureBuiltIn(world.first, [nightly])
  expect(await world.store.find('nightly')).toMatchObject({ cron: daily.cron, paused: true })
  await world.store.put('nightly', { ...daily, cron: '0 5 * * *' }, asker)
  await ensureBuiltIn(world.first, [nightly])
  expect(await world.store.find('nightly')).toMatchObject({ cron: '0 5 * * *' })
})

test('what an operator calls by the name of a built-in one stays his', async () => {
  const world = opened()
  await world.store.put('nightly', daily, asker)
  await ensureBuiltIn(world.first, [{ name: 'nightly', ...daily, cron: '0 4 * * *' }])
  expect(await world.store.find('nightly')).toMatchObject({
    ...{ cron: daily.cron, source: 'operator' },
  })
})
