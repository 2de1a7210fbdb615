import { expect, test } from 'bun:test'
import type { JobKind } from '#core/job/kind.ts'
import { showJobs, watchJobs } from '#core/job/watch-jobs.ts'
import { silentLog } from '#core/log.ts'
import { createMetrics, type Metrics } from '#core/metrics.ts'
import { newJob, probeKind, submission } from '#test/support/job-engine.ts'
import { type Accepting, acceptSteps, eventually, openWorld } from './world.ts'

const kinds = new Map<string, JobKind>([[probeKind.name, probeKind]])
const log = silentLog()

/** As the gateway sees it, with the rights of its role. */
const show = ({ sql }: Accepting, metrics: Metrics) => showJobs({ sql, kinds, metrics, log })

async function figures(metrics: Metrics): Promise<ReadonlyMap<string, number>> {
  const lines = (await metrics.registry.metrics()).split('\n')
  return new Map(
    lines
      .filter((line) => /^postern_(?:jobs_(?:unfinished|oldest)|outbox)/.test(line))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  )
}

test('what waits, what is delayed and what runs is told apart, and how long the oldest has waited', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  const [oldest, running] = await acceptSteps(accepting, ['a', 'b', 'c'])
  await accepting.intake.accept(submission([newJob('later', { delayMs: 3_600_000 })]))
  await world.sql`update postern_job set accepted_at = now() - interval '90 s' where id = ${oldest ?? ''}`
  await world.sql`update postern_job set state = 'running',
    accepted_at = now() - interval '1 h' where id = ${running ?? ''}`
  const metrics = createMetrics()
  await show(accepting, metrics)
  const told = await figures(metrics)
  expect(told.get('postern_jobs_unfinished{kind="probe",state="waiting"}')).toBe(2)
  expect(told.get('postern_jobs_unfinished{kind="probe",state="delayed"}')).toBe(1)
  expect(told.get('postern_jobs_unfinished{kind="probe",state="running"}')).toBe(1)
  const seconds = told.get('postern_jobs_oldest_waiting_seconds{kind="probe"}') ?? 0
  expect(seconds).toBeGreaterThanOrEqual(90)
  expect(seconds).toBeLessThan(3_600)
})

test('a delay that is over counts from its end', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  await acceptSteps(accepting, ['a'])
  await world.sql`update postern_job
    set accepted_at = now() - interval '1 h', not_before = now() - interval '5 s'`
  const metrics = createMetrics()
  await show(accepting, metrics)
  const seconds = (await figures(metrics)).get('postern_jobs_oldest_waiting_seconds{kind="probe"}')
  expect(seconds).toBeGreaterThanOrEqual(5)
  expect(seconds).toBeLessThan(3_600)
})

test('what has ended is not told any more, and a kind that nobody knows has no label of its own', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  await acceptSteps(accepting, ['a', 'b'])
  await world.sql`update postern_job set kind = 'of-tomorrow'`
  const metrics = createMetrics()
  await show(accepting, metrics)
  const before = await figures(metrics)
  expect(before.get('postern_jobs_unfinished{kind="unknown",state="waiting"}')).toBe(2)
  expect(before.get('postern_jobs_unfinished{kind="probe",state="waiting"}')).toBe(0)
  await world.sql`update postern_job set state = 'failed', finished_at = now()`
  await show(accepting, metrics)
  const after = await figures(metrics)
  const ofJobs = [...after].filter(([series]) => series.startsWith('postern_jobs_'))
  expect(ofJobs.every(([, value]) => value === 0)).toBe(true)
  expect(JSON.stringify([...before.keys()])).not.toContain('of-tomorrow')
})

test('the outbox is as old as the oldest job in it, whatever the sweeper has tried since', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  await eventually(async () => (await world.sql`select from postern_outbox`).length === 0)
  for (const minutes of [2, 1]) {
    const job = Bun.randomUUIDv7('hex', Date.now() - minutes * 60_000)
    await world.sql`insert into postern_outbox (id, jobs, due_at)
      values (gen_random_uuid(), ${[job]}::uuid[], now() + interval '1 h')`
  }
  const metrics = createMetrics()
  await show(accepting, metrics)
  const told = await figures(metrics)
  expect(told.get('postern_outbox_rows')).toBe(2)
  const seconds = told.get('postern_outbox_oldest_seconds') ?? 0
  expect(seconds).toBeGreaterThanOrEqual(119)
  expect(seconds).toBeLessThan(600)
})

test('of several processes one tells, and one whose database is away tells nothing', async () => {
  await using world = await openWorld()
  const [first, second] = [await world.accept(), await world.accept()]
  const [telling, silent] = [createMetrics(), createMetrics()]
  const watched = watchJobs({ sql: first.sql, kinds, metrics: telling, log })
  await eventually(async () =>
    (await figures(telling)).has('postern_jobs_unfinished{kind="probe",state="waiting"}'),
  )
  const idle = watchJobs({ sql: second.sql, kinds, metrics: silent, log })
  await idle.close()
  await watched.close()
  expect([...(await figures(silent)).keys()]).toEqual([
    'postern_outbox_rows',
    'postern_outbox_oldest_seconds',
  ])
  await first.sql.end({ timeout: 1 })
  const cut = watchJobs({ sql: first.sql, kinds, metrics: telling, log })
  await cut.close()
  expect(
    (await figures(telling)).has('postern_jobs_unfinished{kind="probe",state="waiting"}'),
  ).toBe(false)
})
