import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import type { Sql } from 'postgres'
import type { IncidentClass } from '#core/incident/incident.ts'
import { incidentReads } from '#core/incident/incident-reads.ts'
import type { ToldEpisode } from '#core/incident/postgres-incidents.ts'
import { treacherousProxy } from '#test/integration/treacherous-proxy.ts'
import { eventually } from '#test/integration/world.ts'
import { type IncidentWorld, openIncidentWorld } from './incident-world.ts'

setDefaultTimeout(60_000)

let world: IncidentWorld
beforeAll(async () => {
  world = await openIncidentWorld()
})
afterEach(() => world.clear())
afterAll(() => world.close())

function told(
  of: IncidentClass,
  [startedAge, failingAge, goodAge]: readonly [number, number, number?],
): ToldEpisode {
  return { class: of, reason: 'away', startedAge, failingAge, goodAge }
}

const row = (of: string, started: number, recovered: number | null) => ({
  ...{ class: of, reason: 'away', isUnseen: false, started, recovered },
})

test('two that see the same open one, and the earlier and the later sight count', async () => {
  const stores = [world.storeOn(world.gateway), world.storeOn(world.worker)]
  const opened = await Promise.all(
    stores.flatMap((store, at) =>
      [1, 2, 3].map(() => store.tell(told('database', [30 + at, 20 - at]))),
    ),
  )
  expect(opened.filter((isNew) => isNew)).toHaveLength(1)
  expect(await world.rows()).toEqual([row('database', 31, null)])
  expect(await stores[0]?.open()).toMatchObject([{ class: 'database' }])
  expect(await world.records()).toEqual({ 'incident.opened': 1 })
})

test('incidents of two classes are two', async () => {
  const store = world.storeOn(world.gateway)
  await store.tell(told('database', [30, 20]))
  await store.tell(told('queue', [25, 20]))
  expect(await world.rows()).toEqual([row('database', 30, null), row('queue', 25, null)])
})

test('what somebody has just seen failing is not closed, nor what nobody has opened', async () => {
  const store = world.storeOn(world.gateway)
  await store.tell(told('database', [30, 20, 19]))
  await world.storeOn(world.worker).tell(told('database', [12, 9]))
  expect(await store.close('database', 60)).toBeUndefined()
  expect(await store.close('queue', 60)).toBeUndefined()
  expect(await world.rows()).toEqual([row('database', 30, null)])
})

test('it ends with the first good sight of the last who saw it failing', async () => {
  const store = world.storeOn(world.gateway)
  await store.tell(told('database', [30, 20, 19]))
  await world.storeOn(world.worker).tell(told('database', [28, 15, 14]))
  const closed = await Promise.all([1, 2, 3].map(() => store.close('database', 60)))
  const seconds = closed.filter((one) => one !== undefined)
  expect(seconds).toHaveLength(1)
  expect(Math.round(seconds[0] ?? 0)).toBe(16)
  expect(await world.rows()).toEqual([row('database', 30, 14)])
  expect(await world.records()).toEqual({ 'incident.opened': 1, 'incident.recovered': 1 })
})

test('where its witnesses are gone it ends when whoever closes it saw it good', async () => {
  const store = world.storeOn(world.gateway)
  await store.tell(told('workers', [60, 40]))
  await store.close('workers', 25)
  await store.tell(told('queue', [60, 40]))
  await store.close('queue', 55)
  expect(await world.rows()).toEqual([row('workers', 60, 25), row('queue', 60, 40)])
})

test('who tells late that it still failed opens the same again; one apart is another', async () => {
  const store = world.storeOn(world.gateway)
  await store.tell(told('database', [100, 80, 79]))
  await store.close('database', 79)
  expect(await store.tell(told('database', [99, 50, 49]))).toBe(true)
  expect(await world.rows()).toEqual([row('database', 100, null)])
  await store.close('database', 49)
  expect(await store.tell(told('database', [40, 30, 29]))).toBe(true)
  expect(await world.rows()).toEqual([row('database', 100, 49), row('database', 40, null)])
})

test('what is told again when it is over changes nothing', async () => {
  const store = world.storeOn(world.gateway)
  const same = told('queue', [60, 40, 39])
  await store.tell(same)
  await store.close('queue', 39)
  expect(await store.tell(same)).toBe(false)
  expect(await store.close('queue', 39)).toBeUndefined()
  expect(await world.rows()).toEqual([row('queue', 60, 39)])
  expect(await world.records()).toEqual({ 'incident.opened': 1, 'incident.recovered': 1 })
})

test('what nobody can tell anything of for an hour is closed without a recovery', async () => {
  const store = world.storeOn(world.gateway)
  await store.tell(told('venue', [3_700, 3_599]))
  await store.closeUnseen('venue')
  expect(await world.rows()).toMatchObject([{ recovered: null }])
  await store.tell(told('issuer', [3_700, 3_601]))
  await store.closeUnseen('issuer')
  expect((await world.rows())[1]).toMatchObject({
    class: 'issuer',
    recovered: 3_601,
    isUnseen: true,
  })
  const reads = incidentReads(world.gateway)
  const { incidents } = await reads.list({ state: 'unseen', limit: 9 })
  expect(incidents.map((one) => one.class)).toEqual(['issuer'])
  expect((await reads.recoveries(90)).find((one) => one.class === 'issuer')).toMatchObject({
    ...{ incidents: 1, open: 0, recovered: 0, mttr_seconds: null, worst_seconds: null },
  })
})

test('a clock that was set back holds no incident open, and gives none less than no time', async () => {
  const store = world.storeOn(world.gateway)
  await store.tell(told('database', [60, 40]))
  await world.sql`update postern_incident set started_at = started_at + interval '1 hour',
    failing_at = failing_at + interval '1 hour'`
  expect(await store.close('database', 30)).toBe(0)
})

test('means are of what recovered within the days asked for, and of every class there is one', async () => {
  const store = world.storeOn(world.gateway)
  for (const seconds of [10, 30]) {
    await store.tell(told('queue', [1_000 - seconds, 1_000 - 2 * seconds, 1_000 - 2 * seconds]))
    await store.close('queue', 100)
  }
  await world.sql`
    insert into postern_incident (id, class, reason, started_at, failing_at, recovered_at)
    values (${Bun.randomUUIDv7()}, 'queue', 'away', now() - interval '89 days',
      now() - interval '89 days', now() - interval '89 days' + interval '50 seconds')`
  const of = async (days: number) =>
    (await incidentReads(world.gateway).recoveries(days)).find((one) => one.class === 'queue')
  expect(await of(90)).toMatchObject({ incidents: 3, recovered: 3, worst_seconds: 50 })
  expect((await of(90))?.mttr_seconds).toBeCloseTo(30, 1)
  expect((await of(30))?.mttr_seconds).toBeCloseTo(20, 1)
  expect(await incidentReads(world.gateway).recoveries(90)).toHaveLength(10)
})

const acts = [
  ['the incident', 'insert into postern_incident', 'INSERT '],
  ['the record of it', 'insert into postern_audit_intake', 'SELECT '],
  ['the commit', 'commit', 'COMMIT'],
] as const

test.each(
  (['opening', 'closing'] as const).flatMap((act) =>
    acts.flatMap((write) =>
      (['lost', 'done, answer lost'] as const).map((how) => [act, write[0], how, write] as const),
    ),
  ),
)(
  '%s: %s is %s: one row with its records, and told again it is right',
  async (act, _w, how, write) => {
    const begunMs = performance.now()
    const proxied = await throughProxy()
    const same = told('database', [60, 40, 39])
    const store = world.storeOn(proxied.sql)
    const run = async () =>
      act === 'opening' ? await store.tell(same) : await store.close('database', 39)
    if (act === 'closing') await world.storeOn().tell(same)
    const [, isWrite, isDone] = write
    const text =
      act === 'closing' && write[0] === 'the incident' ? 'update postern_incident' : isWrite
    await proxied.betray(how, text, act === 'closing' && isDone === 'INSERT ' ? 'UPDATE ' : isDone)
    await expect(run()).rejects.toThrow()
    await proxied.betrayed()
    await eventually(() =>
      run()
        .then(() => true)
        .catch(() => false),
    )
    if (act === 'opening') await world.storeOn().close('database', 39)
    const [only, ...more] = await world.rows()
    expect(more).toEqual([])
    expect(only).toMatchObject({ class: 'database', reason: 'away', isUnseen: false })
    // What was a time ago at the first attempt is longer ago now.
    const late = Math.round((performance.now() - begunMs) / 1_000)
    expect(only?.started).toBeWithin(60, 60 + late + 1)
    expect(only?.recovered).toBeWithin(39, 39 + late + 1)
    expect(await world.records()).toEqual({ 'incident.opened': 1, 'incident.recovered': 1 })
    await proxied.close()
  },
)

type How = 'lost' | 'done, answer lost'

async function throughProxy() {
  const parsed = new URL(world.url)
  const proxy = await treacherousProxy(Number(parsed.port))
  parsed.port = String(proxy.port)
  const sql: Sql = world.connect('postern_gateway', parsed.href)
  let committed: Promise<void> | undefined
  return {
    sql,
    async betray(how: How, write: string, done: string) {
      // The connection has said who it is before it is betrayed.
      await sql`select 1`
      committed = proxy.arm({
        how,
        isWrite: (text) => text.includes(write),
        isDone: (text) => text.includes(done),
      })
    },
    betrayed: async () => await committed,
    async close() {
      await sql.end({ timeout: 1 })
      await proxy.close()
    },
  }
}
