import { expect, test } from 'bun:test'
import { PosternError } from '#core/errors.ts'
import type { Submission } from '#core/job/intake.ts'
import { batchJobsMax } from '#core/job/limits.ts'
import { countRows, newJob, submission } from '#test/support/job-engine.ts'
import { auditCounts, eventually, keyed, openWorld } from './world.ts'

async function refusalOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'none'
  } catch (error) {
    return error instanceof PosternError ? error.code : String(error)
  }
}

test.each([
  ['a NUL in a value', { step: 'a\u0000b' }],
  ['a NUL in a member name', { 'st\u0000ep': 'a' }],
  ['a lone high surrogate', { step: 'a\ud800' }],
  ['a lone low surrogate', { step: '\udc00a' }],
  ['nesting deeper than the parser of Postgres goes', { step: nested(30_000) }],
])('%s among 50 concurrent requests is refused alone, 49 are accepted', async (_, payload) => {
  await using world = await openWorld()
  const { intake } = await world.accept()
  const poisoned = submission([newJob('bad', { payload })])
  const good = Array.from({ length: 49 }, (_, index) => submission([newJob(`good-${index}`)]))
  const all = [...good.slice(0, 20), poisoned, ...good.slice(20)]
  const answers = await Promise.all(all.map((one) => refusalOf(intake.accept(one))))
  expect(answers.filter((answer) => answer === 'none')).toHaveLength(49)
  expect(answers[20]).toBe('request.body_invalid')
  expect(await countRows(world.sql, 'postern_job')).toBe(49)
  expect(await auditCounts(world.sql)).toEqual({ 'job.accepted': 49 })
})

test('a NUL in a tag or a request id is refused alone', async () => {
  await using world = await openWorld()
  const { intake } = await world.accept()
  const good = submission([newJob('good')])
  const foul: Submission = { ...good, jobs: [newJob('bad')], caller: withRequestId(good, 'a\0') }
  const answers = await Promise.all([
    refusalOf(intake.accept(submission([newJob('bad', { tag: 'a\0' })]))),
    refusalOf(intake.accept(foul)),
    refusalOf(intake.accept(good)),
  ])
  expect(answers).toEqual(['request.body_invalid', 'request.body_invalid', 'none'])
  expect(await countRows(world.sql, 'postern_job')).toBe(1)
})

test('a batch with one job that Postgres refuses stores none of its jobs', async () => {
  await using world = await openWorld()
  const { intake } = await world.accept()
  const batch = submission([newJob('a'), newJob('b', { payload: { step: '\0' } }), newJob('c')])
  const [answer, neighbour] = await Promise.all([
    refusalOf(intake.accept(batch)),
    refusalOf(intake.accept(submission([newJob('d')]))),
  ])
  expect([answer, neighbour]).toEqual(['request.body_invalid', 'none'])
  expect(await countRows(world.sql, 'postern_job')).toBe(1)
  expect(await countRows(world.sql, 'postern_audit_intake')).toBe(1)
})

test.each([0, batchJobsMax + 1])('a batch of %i jobs is refused', async (count) => {
  await using world = await openWorld()
  const { intake } = await world.accept()
  const jobs = Array.from({ length: count }, () => newJob('a'))
  expect(await refusalOf(intake.accept(submission(jobs)))).toBe('request.body_invalid')
})

test('a batch of the greatest size is accepted whole', async () => {
  await using world = await openWorld()
  const { intake } = await world.accept()
  const jobs = Array.from({ length: batchJobsMax }, () => newJob('a'))
  const { receipts } = await intake.accept(submission(jobs))
  expect(receipts.map((receipt) => receipt.id)).toEqual(jobs.map((job) => job.id))
  expect(await auditCounts(world.sql)).toEqual({ 'job.accepted': batchJobsMax })
})

test('a job id that exists already is refused alone', async () => {
  await using world = await openWorld()
  const { intake } = await world.accept()
  const job = newJob('a')
  await intake.accept(submission([job]))
  const answers = await Promise.all([
    refusalOf(intake.accept(submission([job]))),
    refusalOf(intake.accept(submission([newJob('b')]))),
  ])
  expect(answers).toEqual(['request.body_invalid', 'none'])
  expect(await auditCounts(world.sql)).toEqual({ 'job.accepted': 2 })
})

test('the same key and payload replays the first answer, in this process and in another', async () => {
  await using world = await openWorld()
  const [here, there] = [await world.accept(), await world.accept()]
  const first = await here.intake.accept(keyed('a', 'key-1'))
  const again = await here.intake.accept(keyed('a', 'key-1'))
  const elsewhere = await there.intake.accept(keyed('a', 'key-1'))
  expect(first.replayed).toBe(false)
  expect([again, elsewhere]).toEqual([
    { receipts: first.receipts, replayed: true },
    { receipts: first.receipts, replayed: true },
  ])
  expect(await countRows(world.sql, 'postern_job')).toBe(1)
  expect(await auditCounts(world.sql)).toEqual({ 'job.accepted': 1 })
})

test('the same key with another payload is a mismatch, in this process and in another', async () => {
  await using world = await openWorld()
  const [here, there] = [await world.accept(), await world.accept()]
  await here.intake.accept(keyed('a', 'key-1'))
  expect(await refusalOf(here.intake.accept(keyed('b', 'key-1')))).toBe('idempotency.mismatch')
  expect(await refusalOf(there.intake.accept(keyed('b', 'key-1')))).toBe('idempotency.mismatch')
  expect(await countRows(world.sql, 'postern_job')).toBe(1)
})

test('the same key while the first request runs is in flight', async () => {
  await using world = await openWorld()
  const { intake } = await world.accept()
  const first = intake.accept(keyed('a', 'key-1'))
  expect(await refusalOf(intake.accept(keyed('a', 'key-1')))).toBe('idempotency.in_flight')
  expect((await first).replayed).toBe(false)
})

test('a refused request frees its key', async () => {
  await using world = await openWorld()
  const { intake } = await world.accept()
  const foul = { ...keyed('x', 'key-1'), jobs: [newJob('x', { payload: { step: '\0' } })] }
  expect(await refusalOf(intake.accept(foul))).toBe('request.body_invalid')
  expect((await intake.accept(keyed('a', 'key-1'))).replayed).toBe(false)
})

test('a key belongs to its subject, issuer, method and route', async () => {
  await using world = await openWorld()
  const { intake } = await world.accept()
  const base = keyed('a', 'key-1')
  const { principal } = base.caller
  const { idempotency } = base
  if (idempotency === undefined) throw new Error('keyed submissions carry a key')
  const others: Submission[] = [
    { ...base, caller: { ...base.caller, principal: { ...principal, subject: 'service-b' } } },
    { ...base, caller: { ...base.caller, principal: { ...principal, issuer: 'https://b.test' } } },
    { ...base, idempotency: { ...idempotency, method: 'PUT' } },
    { ...base, idempotency: { ...idempotency, route: '/v1/jobs' } },
  ]
  await intake.accept(base)
  for (const other of others) {
    const { replayed } = await intake.accept({ ...other, jobs: [newJob('a')] })
    expect(replayed).toBe(false)
  }
  expect(await countRows(world.sql, 'postern_job')).toBe(5)
})

test('two gateways given the same keys in opposite order accept each once and refuse nobody', async () => {
  await using world = await openWorld()
  const [here, there] = [await world.accept(), await world.accept()]
  for (let round = 0; round < 20; round += 1) {
    const keys = Array.from({ length: 30 }, (_, index) => `key-${round}-${index}`)
    const answers = await Promise.all([
      ...keys.map((key) => refusalOf(here.intake.accept(keyed('a', key)))),
      ...keys.reverse().map((key) => refusalOf(there.intake.accept(keyed('a', key)))),
    ])
    expect(answers.filter((answer) => answer !== 'none')).toEqual([])
  }
  expect(await countRows(world.sql, 'postern_job')).toBe(600)
  expect(await countRows(world.sql, 'postern_idempotency')).toBe(600)
}, 60_000)

test('a closed intake refuses, and its dispatched jobs leave no outbox row', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  await Promise.all(
    ['a', 'b', 'c'].map((step) => accepting.intake.accept(submission([newJob(step)]))),
  )
  await accepting.intake.close()
  expect(await countRows(world.sql, 'postern_outbox')).toBe(0)
  expect(await refusalOf(accepting.intake.accept(submission([newJob('d')])))).toBe(
    'gateway.draining',
  )
})

test('a closing intake waits for the outbox rows that are just being taken away', async () => {
  await using world = await openWorld()
  const { intake } = await world.accept()
  await intake.accept(submission([newJob('a')]))
  const closing = await world.sql.begin(async (transaction) => {
    await transaction`lock table postern_outbox in access exclusive mode`
    await eventually(async () => {
      // A transaction sees what is under way as it was when it looked first.
      const waiting = await world.sql`
        select from pg_stat_activity where wait_event_type = 'Lock'
          and datname = current_database() and query like '%delete from postern_outbox%'`
      return waiting.length > 0
    })
    const closed = intake.close().then(() => 'closed')
    expect(await Promise.race([closed, Bun.sleep(50).then(() => 'waiting')])).toBe('waiting')
    return { closed }
  })
  await closing.closed
  expect(await countRows(world.sql, 'postern_outbox')).toBe(0)
})

test('an outbox row that another transaction holds never delays an acceptance', async () => {
  await using world = await openWorld()
  const { intake } = await world.accept()
  await intake.accept(submission([newJob('a')]))
  await world.sql.begin(async (transaction) => {
    await transaction`select from postern_outbox for update`
    for (let index = 0; index < 5; index += 1) await intake.accept(submission([newJob('b')]))
  })
})

function nested(depth: number): unknown {
  let value: unknown = 'x'
  for (let level = 0; level < depth; level += 1) value = [value]
  return value
}

function withRequestId(from: Submission, requestId: string): Submission['caller'] {
  return { ...from.caller, requestId }
}
