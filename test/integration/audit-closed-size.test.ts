import { expect, test } from 'bun:test'
import { type AuditJournal, auditJournal } from '#core/audit/journal.ts'
import { postgresAuditLog } from '#core/audit/postgres-audit-log.ts'
import { type AuditRecord, systemRecord } from '#core/audit/record.ts'
import { defineJobKind } from '#core/job/kind.ts'
import { silentLog } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import { memoryGateway, problemIn } from '#test/gateway/memory-gateway.ts'
import { countRows, newJob, probeKind, submission } from '#test/support/job-engine.ts'
import { auditCounts, finished, openWorld, type World } from './world.ts'

const tooLarge = { code: 'audit.record_too_large', status: 413 }
// What these tests look at is the size, not how soon a busy machine writes.
const patientMs = 15_000
const huge = { text: 'x'.repeat(1_048_576) }

function recordOf(details: AuditRecord['details']): AuditRecord {
  const at = new Date()
  return systemRecord({
    ...{ id: Bun.randomUUIDv7(), type: 'audit.read', at, target: 'audit/entries' },
    ...{ outcome: 'ok', details },
  })
}

async function openLog(world: World, journal: AuditJournal = openJournal()) {
  const { sql } = await world.accept()
  const metrics = createMetrics()
  const now = () => new Date()
  const log = silentLog()
  const audit = postgresAuditLog({ sql, journal, log, metrics, now, appendMs: patientMs })
  const lost = async () => (await metrics.auditLost.get()).values[0]?.value
  return { audit, lost }
}

const openJournal = () => auditJournal({ replica: 'test', epoch: 1, next: 1 })

test('a record too large is refused by name and its neighbours in the batch are written', async () => {
  await using world = await openWorld()
  const { audit, lost } = await openLog(world)
  const fates = await Promise.allSettled(
    [{ text: 'a' }, huge, { text: 'b' }].map((details) => audit.append(recordOf(details))),
  )
  expect(fates.map((fate) => fate.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(fates[1]).toMatchObject({ reason: tooLarge })
  for (const details of [{ text: 'c' }, huge, { text: 'd' }]) audit.note(recordOf(details))
  await audit.flush()
  expect(await lost()).toBe(1)
  expect(await auditCounts(world.sql)).toEqual({ 'audit.read': 4 })
  await audit.close()
})

test('the server holds a record of 65,535 bytes and refuses one of 65,536', async () => {
  await using world = await openWorld()
  const insert = (bytes: number) => world.sql`
    insert into postern_audit_intake (rec, body)
    values (gen_random_uuid(), ${Buffer.alloc(bytes, 'x')})`
  await insert(65_535)
  await expect(insert(65_536)).rejects.toMatchObject({
    ...{ code: '23514', constraint_name: 'postern_audit_intake_body' },
  })
})

test('a job whose acceptance does not fit into a record is refused, its neighbour accepted', async () => {
  await using world = await openWorld()
  const { intake } = await world.accept()
  const kind = defineJobKind({ ...probeKind, parameters: () => huge })
  const fates = await Promise.allSettled([
    intake.accept(submission([newJob('a', { kind })])),
    intake.accept(submission([newJob('b')])),
  ])
  expect(fates).toMatchObject([{ status: 'rejected', reason: tooLarge }, { status: 'fulfilled' }])
  expect(await countRows(world.sql, 'postern_job')).toBe(1)
  expect(await auditCounts(world.sql)).toEqual({ 'job.accepted': 1 })
})

test('a job whose outcome does not fit into a record fails with that code, its neighbour completes', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  await world.work(({ payload: { step } }) =>
    Promise.resolve({ result: step, ...(step === 'huge' ? { details: huge } : {}) }),
  )
  const jobs = [newJob('huge'), newJob('small')]
  await accepting.intake.accept(submission(jobs))
  const [first, second] = await Promise.all(jobs.map(({ id }) => finished(accepting, id)))
  expect(first).toMatchObject({ state: 'failed', problem: { status: 413 } })
  expect(second).toMatchObject({ state: 'completed' })
  expect(await auditCounts(world.sql)).toEqual({
    ...{ 'job.accepted': 2, 'job.completed': 1, 'job.failed': 1 },
  })
})

test('reads of the longest paths there are fit into their records', async () => {
  await using world = await openWorld()
  const { audit, lost } = await openLog(world)
  const { request, gateway } = memoryGateway({ overrides: { audit } })
  const path = `/v1/jobs/${'x'.repeat(16_000)}`
  for (let count = 0; count < 70; count += 1) {
    expect((await problemIn(await request(path))).code).toBe('request.query_invalid')
  }
  await gateway.close()
  await audit.flush()
  expect(await lost()).toBe(0)
  const [row] = await world.sql<{ reads: number; bytes: number }[]>`
    select sum(jsonb_array_length(convert_from(body, 'UTF8')::jsonb #> '{details,reads}'))::integer
      as reads, max(octet_length(body)) as bytes from postern_audit_intake`
  expect(row?.reads).toBe(70)
  expect(row?.bytes).toBeLessThan(65_535)
  await audit.close()
})

test('however many numbers are void, they fit into the records that report them', async () => {
  await using world = await openWorld()
  const journal = openJournal()
  const { audit } = await openLog(world, journal)
  // Every other number of 40,000: no two of them make a range.
  const records = Array.from({ length: 40_000 }, () => recordOf(undefined))
  const kept = new Set(records.filter((_, at) => at % 2 === 0).map(({ id }) => id))
  await journal.write(
    records,
    () => Promise.resolve(),
    () => kept,
  )
  await audit.close()
  const [row] = await world.sql<{ ranges: number; settled: number }[]>`
    select sum(jsonb_array_length(body #> '{details,ranges}'))::integer as ranges,
      max(body #>> '{details,settled}')::integer as settled
    from (select convert_from(body, 'UTF8')::jsonb as body from postern_audit_intake) r`
  expect(row).toEqual({ ranges: 20_000, settled: 40_000 })
  expect(journal.takeVoid()).toEqual([])
}, 30_000)
