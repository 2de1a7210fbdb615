import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import type { Sql } from 'postgres'
import { failing, good, type IncidentClass, type Sight } from '#core/incident/incident.ts'
import { incidentWatch } from '#core/incident/watch-incidents.ts'
import { silentLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import { type IncidentWorld, openIncidentWorld } from './incident-world.ts'

setDefaultTimeout(60_000)

let world: IncidentWorld
beforeAll(async () => {
  world = await openIncidentWorld()
})
afterEach(() => world.clear())
afterAll(() => world.close())

/** A process that watches, with a clock that stands until it is moved, and what it is to see. */
function watcher(sql: Sql = world.gateway) {
  let nowMs = 1_000_000
  const sights: Partial<Record<IncidentClass, Sight>> = {}
  const metrics = createMetrics()
  const see = (of: IncidentClass) => () => sights[of] ?? good
  const watch = incidentWatch({
    store: world.storeOn(sql),
    looks: {
      ...{ process: see('process'), database: see('database'), queue: see('queue') },
      workers: see('workers'),
    },
    ...{ backend: 'redis', metrics, log: silentLog(), monotonicMs: () => nowMs },
  })
  return {
    sights,
    async second() {
      nowMs += 1_000
      await watch.look()
      await watch.tell()
    },
    standStill: (seconds: number) => {
      nowMs += seconds * 1_000
    },
    stop: () => watch.close(),
    async metric(name: string, of: IncidentClass) {
      const values = (await metrics.registry.getSingleMetric(name)?.get())?.values ?? []
      return values.find(({ labels }) => labels['class'] === of)?.value
    },
  }
}

type Watcher = ReturnType<typeof watcher>

/** All look once a second, tell, and the database's clock goes on as well. */
async function pass(seconds: number, ...watchers: readonly Watcher[]): Promise<void> {
  for (let at = 0; at < seconds; at += 1) {
    await shift(1)
    for (const one of watchers) await one.second()
  }
}

async function shift(seconds: number): Promise<void> {
  await world.sql`
    update postern_incident set started_at = started_at - make_interval(secs => ${seconds}),
      failing_at = failing_at - make_interval(secs => ${seconds}),
      good_at = good_at - make_interval(secs => ${seconds}),
      recovered_at = recovered_at - make_interval(secs => ${seconds})`
}

test('what fails is opened, and closed when it serves again, with metrics', async () => {
  const one = watcher()
  await pass(3, one)
  expect(await one.metric('postern_incidents_open', 'queue')).toBe(0)
  one.sights.queue = failing('away')
  await pass(7, one)
  expect(await world.rows()).toMatchObject([{ class: 'queue', recovered: null }])
  expect(await one.metric('postern_incidents_open', 'queue')).toBe(1)
  expect(await one.metric('postern_incidents_total', 'queue')).toBe(1)
  one.sights.queue = good
  await pass(12, one)
  expect(await world.rows()).toMatchObject([{ class: 'queue', recovered: expect.any(Number) }])
  expect(await one.metric('postern_incidents_open', 'queue')).toBe(0)
  expect(await one.metric('postern_incident_recovery_seconds', 'queue')).toBeDefined()
  expect(await world.records()).toEqual({ 'incident.opened': 1, 'incident.recovered': 1 })
})

test('while the database is away it is kept, and told with its true times when it is back', async () => {
  const one = watcher()
  await pass(2, one)
  one.sights.database = failing('away')
  await pass(20, one)
  expect(await world.rows()).toEqual([])
  expect(await one.metric('postern_incidents_open', 'database')).toBe(1)
  one.sights.database = good
  await pass(1, one)
  expect(await world.rows()).toMatchObject([{ class: 'database', recovered: null }])
  await pass(12, one)
  const [row] = await world.rows()
  expect(Math.abs((row?.started ?? 0) - (row?.recovered ?? 0) - 20)).toBeLessThanOrEqual(1)
})

test('an incident that begins and ends while the database is away is told too', async () => {
  const one = watcher()
  await pass(2, one)
  Object.assign(one.sights, { database: failing('away'), queue: failing('away') })
  await pass(8, one)
  one.sights.queue = good
  await pass(12, one)
  one.sights.database = good
  await pass(13, one)
  const rows = await world.rows()
  expect(rows.map((row) => row.class).sort()).toEqual(['database', 'queue'])
  const queue = rows.find((row) => row.class === 'queue')
  expect(Math.abs((queue?.started ?? 0) - (queue?.recovered ?? 0) - 8)).toBeLessThanOrEqual(1)
})

test('what fails because of something else is no incident of its own', async () => {
  const one = watcher()
  await pass(2, one)
  Object.assign(one.sights, { queue: failing('away'), workers: failing('late') })
  await pass(10, one)
  Object.assign(one.sights, { queue: good, workers: good })
  await pass(12, one)
  expect((await world.rows()).map((row) => row.class)).toEqual(['queue'])
})

test('one process does not close what another still sees', async () => {
  const [one, other] = [watcher(), watcher(world.worker)]
  for (const each of [one, other]) each.sights.queue = failing('away')
  await pass(7, one, other)
  one.sights.queue = good
  await pass(15, one, other)
  expect(await world.rows()).toMatchObject([{ class: 'queue', recovered: null }])
  other.sights.queue = good
  await pass(15, one, other)
  expect(await world.rows()).toMatchObject([{ class: 'queue', recovered: expect.any(Number) }])
  expect(await world.records()).toEqual({ 'incident.opened': 1, 'incident.recovered': 1 })
})

test('what a process that died has opened is closed by the next', async () => {
  const one = watcher()
  one.sights.workers = failing('late')
  await pass(7, one)
  await shift(15)
  const next = watcher(world.worker)
  await pass(12, next)
  expect(await world.rows()).toMatchObject([{ class: 'workers', recovered: expect.any(Number) }])
})

test('a process that stood still has seen nothing of that time', async () => {
  const one = watcher()
  await pass(2, one)
  one.sights.queue = failing('away')
  await pass(2, one)
  one.standStill(30)
  await pass(1, one)
  one.sights.queue = good
  await pass(1, one)
  expect(await world.rows()).toEqual([])
})

const setSign = (age: number, isStopped: boolean) => world.sql`
  update postern_alive set alive_at = now() - make_interval(secs => ${age}), is_stopped = ${isStopped}`

test('time in which no process lived is an incident, from the last sign of life on', async () => {
  await setSign(30, false)
  const processes = [watcher(), watcher(world.worker)]
  await pass(17, ...processes)
  const rows = await world.rows()
  expect(rows).toMatchObject([{ class: 'process', recovered: expect.any(Number) }])
  expect(await world.records()).toEqual({ 'incident.opened': 1, 'incident.recovered': 1 })
})

test.each<[string, () => Promise<unknown>]>([
  ['after a stop in order', () => setSign(3_600, true)],
  ['of eight seconds', () => setSign(7.5, false)],
  [
    'that another process has lived through',
    async () => {
      await setSign(30, false)
      await world.sql`
        insert into postern_process (id, role, host, version, started_at, seen_at)
        values (gen_random_uuid(), 'worker', 'h', 'v', now() - interval '1 hour',
          now() + interval '1 minute')`
    },
  ],
])('a silence %s is none', async (_title, prepare) => {
  await prepare()
  const one = watcher()
  await pass(8, one)
  expect(await world.rows()).toEqual([])
})

test('a process that is stopped in order says so, and one that goes on takes it back', async () => {
  const [one, other] = [watcher(), watcher(world.worker)]
  await pass(1, one)
  await pass(1, other)
  await one.stop()
  const sign = async () => await world.storeOn().lastSign()
  expect((await sign()).isStopped).toBe(true)
  await pass(3, other)
  expect((await sign()).isStopped).toBe(false)
})
