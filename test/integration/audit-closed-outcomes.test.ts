import { expect, test } from 'bun:test'
import type { TransactionSql } from 'postgres'
import { PosternError } from '#core/errors.ts'
import { countRows } from '#test/support/job-engine.ts'
import { acceptSteps, auditCounts, eventually, finished, openWorld } from './world.ts'

const onInsert = (timing: string, body: string) => `
  create function test_break() returns trigger language plpgsql as $$ begin ${body} end $$;
  create trigger test_break before insert on postern_audit_intake
    for each ${timing} execute function test_break()`
const endTrigger = 'drop function test_break() cascade'

const breaks: readonly (readonly [string, string, string])[] = [
  ['has no room', onInsert('row', "raise exception 'full' using errcode = '53100';"), endTrigger],
  ['discards rows silently', onInsert('row', 'return null;'), endTrigger],
  [
    'discards inserts by a rule',
    'create rule test_break as on insert to postern_audit_intake do instead nothing',
    'drop rule test_break on postern_audit_intake',
  ],
  ['is slow', onInsert('statement', 'perform pg_sleep(1); return null;'), endTrigger],
]

/** Grouped, with an effect of its own, and final failure: the three ways in which a job ends. */
const steps = ['plain', 'effect', 'refused']

test.each(breaks)(
  'an intake that %s: no job ends without its record, and all end once it is well again',
  async (name, begin, end) => {
    await using world = await openWorld()
    const accepting = await world.accept()
    const attempts: number[] = []
    const gate = Promise.withResolvers<void>()
    await world.work(async ({ jobId, attempt, payload: { step } }) => {
      await gate.promise
      attempts.push(attempt)
      if (step === 'refused') throw new PosternError('request.body_invalid')
      if (step === 'plain') return { result: step }
      const effect = (transaction: TransactionSql) =>
        transaction`insert into test_effect values (${jobId}, ${attempt})`
      return { result: step, effect }
    })
    const ids = await acceptSteps(accepting, steps)
    await world.sql.unsafe(begin)
    gate.resolve()
    // Each has run, and has been put back or, where the log is only slow, has ended.
    await eventually(() => attempts.length >= steps.length)
    if (name !== 'is slow') {
      await eventually(() => attempts.length > steps.length)
      const rows = await world.sql`select state from postern_job where finished_at is not null`
      expect([...rows]).toEqual([])
      expect(await countRows(world.sql, 'test_effect')).toBe(0)
      expect(await auditCounts(world.sql)).toEqual({ 'job.accepted': 3 })
    }
    await world.sql.unsafe(end)
    const jobs = await Promise.all(ids.map((id) => finished(accepting, id, 20_000)))
    expect(jobs.map(({ state }) => state)).toEqual(['completed', 'completed', 'failed'])
    expect(await countRows(world.sql, 'test_effect')).toBe(1)
    expect(await auditCounts(world.sql)).toEqual({
      ...{ 'job.accepted': 3, 'job.completed': 2, 'job.failed': 1 },
    })
    // The log's outage is not the job's failure: no attempt was spent.
    expect(new Set(attempts)).toEqual(new Set([1]))
  },
  60_000,
)
