import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { driftReads } from '#core/drift/postgres-drift.ts'
import { showDrift } from '#core/drift/watch-drift.ts'
import { silentLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import { treacherousProxy } from '#test/integration/treacherous-proxy.ts'
import { eventually } from '#test/integration/world.ts'
import { type DriftWorld, finding, openDriftWorld, report } from './drift-world.ts'

setDefaultTimeout(60_000)

let world: DriftWorld
beforeAll(async () => {
  world = await openDriftWorld()
})
afterEach(() => world.clear())
afterAll(() => world.close())

const list = (state: 'open' | 'resolved' | 'all' = 'all') =>
  driftReads(world.gateway).list({ state, limit: 100 })
const open = async () => (await list('open')).map(({ address }) => address).sort()

test('a finding is opened, seen again, resolved and opened anew, under one fingerprint', async () => {
  await world.check(report(['a']))
  const [first] = await list()
  await world.check(report(['a']))
  const [again] = await list()
  expect(again).toMatchObject({ ...first, last_seen_at: again?.last_seen_at, state: 'open' })
  await world.check(report([]))
  const [resolved] = await list()
  expect(resolved).toMatchObject({ fingerprint: first?.fingerprint, state: 'resolved' })
  await world.check(report(['a']))
  const [anew] = await list()
  expect(anew).toMatchObject({
    ...{ fingerprint: first?.fingerprint, state: 'open', resolved_at: null, opened_count: 2 },
  })
  expect(anew?.id).not.toBe(first?.id)
  expect(Date.parse(anew?.first_seen_at ?? '')).toBeGreaterThan(
    Date.parse(first?.first_seen_at ?? ''),
  )
  expect(await world.records()).toEqual({
    ...{ 'drift.opened': 2, 'drift.resolved': 1, 'drift.checked': 4 },
  })
})

test('a run that ended with an error closes nothing, and is a finding itself', async () => {
  await world.check(report(['a']))
  const unread = finding('plan', { attribute: 'plan', kind: 'unread' })
  const failed = { source: 'plan', verdict: 'error', findings: [unread], noise: 0 } as const
  await world.check({ ...failed, reason: 'stale' })
  expect(await open()).toEqual(['a', 'plan'])
  await world.check(report(['a']))
  expect(await open()).toEqual(['a'])
})

test('a source closes nothing of another', async () => {
  await world.check(report(['a']))
  await world.check(report(['b'], { source: 'runtime' }))
  await world.check(report([], { source: 'terraform' }))
  expect(await open()).toEqual(['a', 'b'])
  expect(
    await driftReads(world.gateway).list({ state: 'all', source: 'runtime', limit: 9 }),
  ).toMatchObject([{ address: 'b' }])
})

test('of two checks at once one is stored, and the other begins anew', async () => {
  const both = await Promise.all([world.decide(report(['a'])), world.decide(report([]))])
  const fates = await Promise.allSettled(both.map((step) => world.store(step)))
  expect(fates.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  const lost = fates.find(({ status }) => status === 'rejected')
  expect(lost).toMatchObject({ reason: { code: 'drift.overtaken', status: 503 } })
  expect((await world.records())['drift.checked']).toBe(1)
})

test('until when plans were judged only grows', async () => {
  const until = async () => (await world.state()).judgedUntil?.toISOString()
  expect(await until()).toBeUndefined()
  await world.check(report([], { planMadeAt: new Date('2026-03-02T00:00:00Z') }))
  await world.check(report([], { planMadeAt: new Date('2026-03-01T00:00:00Z') }))
  await world.check(report([]))
  expect(await until()).toBe('2026-03-02T00:00:00.000Z')
})

test('a run whose records cannot be stored is not stored either', async () => {
  await world.sql`alter table postern_audit_intake rename to away`
  await expect(world.check(report(['a']))).rejects.toMatchObject({ code: 'audit.unavailable' })
  await world.sql`alter table away rename to postern_audit_intake`
  expect([await list(), (await world.state()).run]).toEqual([[], undefined])
})

test('pages follow each other, and what is unknown is not there', async () => {
  await world.check(report(['a', 'b', 'c']))
  const reads = driftReads(world.gateway)
  const page = await reads.list({ state: 'open', limit: 2 })
  const rest = await reads.list({ state: 'open', limit: 2, cursor: page.at(-1)?.id })
  expect([...page, ...rest].map(({ address }) => address).sort()).toEqual(['a', 'b', 'c'])
  for (const one of rest) expect(await reads.read(one.fingerprint)).toEqual(one)
  await expect(reads.read('0'.repeat(64))).rejects.toMatchObject({ code: 'drift.not_found' })
})

test('metrics are as Postgres has it, from the start of a process on', async () => {
  const metrics = createMetrics()
  const show = () =>
    showDrift({ sql: world.worker, expected: ['runtime', 'plan'], metrics, log: silentLog() })
  const value = async (name: string) =>
    (await metrics.registry.getSingleMetric(name)?.get())?.values ?? []
  await world.sql`
    insert into postern_schedule (name, kind, payload, cron, time_zone, misfire, backfill_max,
      overlap, source, settled_until, created_at, changed_at, changed_by)
    values ('check-drift', 'check-drift', '{}', '0 0 * * *', 'UTC', 'run_once', 1, 'skip',
      'built_in', now(), '2026-01-01Z', now(), 'postern')`
  await world.check(report(['a', 'b']))
  await show()
  const findings = await value('postern_drift_findings')
  expect(findings).toContainEqual({ labels: { source: 'plan', severity: 'high' }, value: 2 })
  expect(findings).toContainEqual({ labels: { source: 'plan', severity: 'low' }, value: 0 })
  const checks = await value('postern_drift_last_check_timestamp_seconds')
  expect(checks.find(({ labels }) => labels['source'] === 'runtime')?.value).toBe(1_767_225_600)
  expect(checks.map(({ labels }) => labels['source']).sort()).toEqual(['plan', 'runtime'])
  await world.sql`delete from postern_schedule`
})

const writes = [
  ['the head of the source', 'update postern_drift_source', 'UPDATE '],
  ['the run', 'insert into postern_drift_run', 'INSERT '],
  ['the findings', 'insert into postern_drift_finding', 'INSERT '],
  ['what is resolved', 'update postern_drift_finding', 'UPDATE '],
  ['the records', 'insert into postern_audit_intake', 'SELECT '],
  ['the commit', 'commit', 'COMMIT'],
] as const

test.each(
  writes.flatMap((write) =>
    (['lost', 'done, answer lost'] as const).map((how) => [write[0], how, write] as const),
  ),
)(
  '%s is %s: a run is stored whole or not at all, and the next is right',
  async (_n, how, write) => {
    const parsed = new URL(world.url)
    const proxy = await treacherousProxy(Number(parsed.port))
    parsed.port = String(proxy.port)
    const through = world.connect(parsed.href, 'postern_worker', 1)
    await world.check(report(['gone', 'stays']))
    // The connection has said who it is before it is betrayed.
    await through`select 1`
    const [, isWrite, isDone] = write
    const committed = proxy.arm({
      how,
      isWrite: (text) => text.includes(isWrite),
      isDone: (text) => text.includes(isDone),
    })
    const asked = report(['stays', 'new'])
    await expect(world.check(asked, through)).rejects.toThrow()
    await committed
    const isStored = write[0] === 'the commit' && how === 'done, answer lost'
    await invariants(isStored ? ['new', 'stays'] : ['gone', 'stays'])
    await eventually(() =>
      world.check(asked, through).then(
        () => true,
        () => false,
      ),
    )
    await invariants(['new', 'stays'])
    await through.end({ timeout: 1 })
    await proxy.close()
  },
)

async function invariants(addresses: readonly string[]): Promise<void> {
  expect(await open()).toEqual([...addresses])
  const records = await world.records()
  const [counts] = await world.sql<{ runs: number; opened: number; resolved: number }[]>`
    select count(*)::integer as runs, sum(opened)::integer as opened,
      sum(resolved)::integer as resolved from postern_drift_run`
  expect(records['drift.checked']).toBe(counts?.runs ?? -1)
  expect(records['drift.opened']).toBe(counts?.opened ?? -1)
  expect(records['drift.resolved'] ?? 0).toBe(counts?.resolved ?? -1)
  const [last] = await world.sql<{ id: string }[]>`
    select id::text from postern_drift_run order by ended_at desc, id desc limit 1`
  expect((await world.state()).run).toBe(last?.id ?? '')
}
