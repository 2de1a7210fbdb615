import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sql } from 'postgres'
import { recordedTransaction } from '#core/audit/journal-rows.ts'
import { decideStep } from '#core/drift/decide-step.ts'
import type { DriftReport } from '#core/drift/finding.ts'
import { applyDriftStep, driftReads, readDriftState } from '#core/drift/postgres-drift.ts'
import { lookAtRuntime } from '#core/drift/read-runtime.ts'
import { showDrift } from '#core/drift/watch-drift.ts'
import { silentLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { openEmbeddedEngine } from '#core/postgres/embedded-engine.ts'
import { expectedRights } from '#core/postgres/expected-rights.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { readRights } from '#core/postgres/read-rights.ts'
import { ensureBuiltIn } from '#core/schedule/built-in-schedules.ts'
import { databaseClock } from '#core/schedule/schedule-rows.ts'
import { testJournal } from '#test/support/job-engine.ts'
import { builtInSchedules } from '../../commands/built-in-schedules.ts'
import { report } from './drift-world.ts'

setDefaultTimeout(60_000)

let folder: string
let sql: Sql
const stack = new AsyncDisposableStack()
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-drift-embedded-'))
  const engine = await openEmbeddedEngine({ directory: folder, fresh: true })
  stack.adopt(engine, (open) => open.close())
  sql = connectPostgres({
    ...{ url: engine.url, mode: 'development', applicationName: 'test', max: 2 },
  })
  stack.defer(() => sql.end({ timeout: 1 }))
  await migrate({ sql, queue: 'postgres', queues: ['probe'] })
})
afterAll(async () => {
  await stack.disposeAsync()
  await rm(folder, { recursive: true })
})

async function check(of: DriftReport): Promise<void> {
  const at = new Date()
  const about = { by: 'test', startedAt: at, endedAt: at }
  const step = decideStep(await readDriftState(sql, of.source), of, about)
  await recordedTransaction(sql, testJournal(), async (transaction, record) => {
    await applyDriftStep(transaction, step)
    await record(step.records)
  })
}

const builtIn = builtInSchedules({ isLogPublished: true })
const look = () => lookAtRuntime({ sql, redis: undefined, builtIn, imageDigest: undefined })

test('migrations have granted there what they grant elsewhere', async () => {
  expect(await readRights(sql)).toEqual([...expectedRights])
})

test('findings are opened, resolved and opened anew on the embedded engine', async () => {
  const reads = driftReads(sql)
  const states = async () =>
    (await reads.list({ state: 'all', limit: 9 })).map((one) => [one.state, one.opened_count])
  await check(report(['a']))
  await check(report(['a']))
  expect(await states()).toEqual([['open', 1]])
  await check(report([]))
  expect(await states()).toEqual([['resolved', 1]])
  await check(report(['a']))
  expect(await states()).toEqual([['open', 2]])
})

test('a check behind which another was stored is overtaken', async () => {
  const at = new Date()
  const about = { by: 'test', startedAt: at, endedAt: at }
  const step = decideStep(await readDriftState(sql, 'plan'), report(['b']), about)
  await check(report(['a']))
  const late = sql.begin((transaction) => applyDriftStep(transaction, step))
  await expect(late).rejects.toMatchObject({ code: 'drift.overtaken' })
})

test('what runs is clean once the schedules are made, and what somebody changes is found', async () => {
  const missing = await look()
  expect(missing.findings.map(({ address }) => address).sort()).toEqual(
    builtIn.map(({ name }) => `schedule/${name}`).sort(),
  )
  await ensureBuiltIn({ sql, journal: testJournal(), clock: databaseClock }, builtIn)
  expect(await look()).toMatchObject({ verdict: 'clean', findings: [] })
  await sql`grant select on postern_job to public`
  await sql`update postern_schedule set paused_at = now(), paused_by = 'x' where name = 'check-drift'`
  await sql`
    insert into postern_process (id, role, host, version, started_at, access_in_force, access_on_disk)
    values (gen_random_uuid(), 'gateway', 'a', '1', now() - interval '1 hour', 'f1', 'f2')`
  await sql`
    insert into postern_secret (name, current_version, fingerprint, due_at)
    values ('postern/database', '2', '', now())`
  await sql`
    insert into postern_secret_ack (process, name, version, fingerprint)
    select id, 'postern/database', '1', '' from postern_process`
  const { verdict, findings } = await look()
  expect([verdict, ...findings.map(({ address, attribute }) => `${address} ${attribute}`)]).toEqual(
    [
      ...['drift', 'access-file in_force', 'schedule/check-drift paused'],
      ...['right/PUBLIC postern_job', 'secret/postern/database version'],
    ],
  )
})

test('metrics are as it is stored', async () => {
  const metrics = createMetrics()
  await showDrift({ sql, expected: ['runtime'], metrics, log: silentLog() })
  const text = await metrics.registry.metrics()
  expect(text).toContain('postern_drift_findings{source="plan",severity="high"} 1')
  expect(text).toMatch(/postern_drift_last_check_timestamp_seconds\{source="plan"\} \d/)
  expect(text).toMatch(/postern_drift_last_check_timestamp_seconds\{source="runtime"\} \d/)
})
