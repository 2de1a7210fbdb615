import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { silentLog } from '#core/log.ts'
import { fireDue } from '#core/schedule/fire-schedule.ts'
import { scheduleKeeper } from '#core/schedule/keep-schedules.ts'
import { openTickWorker } from '#core/schedule/tick-queue.ts'
import { eventually } from '#test/integration/world.ts'
import { asker, daily } from './schedule-world.ts'
import type { TickWorld } from './tick-worlds.ts'

/** What holds of schedules whatever engine ticks. */
export function tickContract(name: string, open: () => Promise<TickWorld>): () => TickWorld {
  let world: TickWorld
  beforeAll(async () => {
    world = await open()
  })
  afterAll(() => world.close())
  beforeEach(async () => {
    await world.clear()
    await world.wipe()
    world.metrics.scheduleDrift.reset()
  })

  const keeper = () =>
    scheduleKeeper({ ...world.first, metrics: world.metrics, ticks: world.ticks })
  const ticking = async () => (await world.ticks.list()).map(({ name: one, cron }) => [one, cron])

  test(`${name}: a schedule ticks at the engine by its pattern and zone`, async () => {
    const berlin = { ...daily, timeZone: 'Europe/Berlin' }
    await world.store.put('daily', berlin, asker)
    expect(await keeper().round()).toBe(true)
    const [ticker, ...more] = await world.ticks.list()
    expect(more).toEqual([])
    expect(ticker).toMatchObject({ name: 'daily', cron: daily.cron, timeZone: 'Europe/Berlin' })
    expect(ticker?.nextAt?.getTime() ?? 0).toBeGreaterThan(Date.now())
    expect(await world.drifted()).toEqual({})
  })

  test(`${name}: a tick fires what is due, and only that`, async () => {
    await world.store.put('daily', daily, asker)
    await world.store.put('later', { ...daily, cron: '0 5 * * *' }, asker)
    await keeper().round()
    world.setClock('2026-01-01T02:30:00Z')
    const ticked: string[] = []
    const onTick = async (schedule: string) => {
      await fireDue(world.first, schedule)
      ticked.push(schedule)
    }
    const worker = openTickWorker(world.engine, { onTick, log: silentLog() })
    try {
      await world.tickNow()
      await eventually(() => ticked.length === 2)
      expect(await world.slots()).toEqual(['2026-01-01T02:30 cron submitted'])
      expect(await world.slots('later')).toEqual([])
      // The engine has made the next ones by itself.
      expect((await ticking()).toSorted()).toEqual([
        ['daily', daily.cron],
        ['later', '0 5 * * *'],
      ])
    } finally {
      await worker.close()
    }
  })

  test(`${name}: a wiped engine is mended, it is counted, and no slot is lost or doubled`, async () => {
    await world.store.put('daily', daily, asker)
    const keep = keeper()
    await keep.round()
    await world.wipe()
    world.setClock('2026-01-01T02:30:03Z')
    await keep.round()
    expect(await ticking()).toEqual([['daily', daily.cron]])
    expect(await world.drifted()).toEqual({ missing: 1 })
    expect(await world.slots()).toEqual(['2026-01-01T02:30 cron submitted'])
    await keep.round()
    expect(await world.drifted()).toEqual({ missing: 1 })
    expect(await world.jobs()).toBe(1)
  })

  test(`${name}: what somebody changed at the engine is put back, and counted`, async () => {
    await world.store.put('daily', daily, asker)
    const keep = keeper()
    await keep.round()
    const template = { name: 'tick', data: { schedule: 'daily' } }
    await world.raw.upsertJobScheduler('daily', { pattern: '* * * * *', tz: 'UTC' }, template)
    await world.raw.upsertJobScheduler('mine', { pattern: '* * * * *', tz: 'UTC' }, template)
    await keep.round()
    expect(await ticking()).toEqual([['daily', daily.cron]])
    expect(await world.drifted()).toEqual({ changed: 1, stranger: 1 })
  })

  test(`${name}: what an operator changes the engine follows, and nothing drifted`, async () => {
    await world.store.put('daily', daily, asker)
    await world.store.put('other', daily, asker)
    const keep = keeper()
    await keep.round()
    await world.store.put('daily', { ...daily, cron: '0 7 * * *' }, asker)
    await world.store.remove('other', asker)
    await keep.round()
    expect(await ticking()).toEqual([['daily', '0 7 * * *']])
    await world.store.pause('daily', asker)
    await keep.round()
    expect(await ticking()).toEqual([])
    await world.store.resume('daily', asker)
    await keep.round()
    expect(await ticking()).toEqual([['daily', '0 7 * * *']])
    expect(await world.drifted()).toEqual({})
  })

  test(`${name}: of two processes one keeps the schedules`, async () => {
    await world.store.put('daily', daily, asker)
    const first = keeper()
    const second = keeper()
    expect([await first.round(), await second.round()]).toEqual([true, false])
    await world.sql`delete from postern_lease`
    expect([await second.round(), await first.round()]).toEqual([true, false])
    expect(await world.drifted()).toEqual({})
  })
  return () => world
}
