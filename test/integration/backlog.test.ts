import { afterAll, beforeAll, expect, test } from 'bun:test'
import postgres, { type Sql } from 'postgres'
import { boundedIntake, watchBacklog } from '#core/job/backlog.ts'
import type { Accepted, Intake, Submission } from '#core/job/intake.ts'
import { silentLog } from '#core/log.ts'
import { migrate } from '#core/postgres/migrate.ts'
import { newJob, submission } from '#test/support/job-engine.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'

let sql: Sql

beforeAll(async () => {
  sql = postgres(await (await sharedPostgres()).createDatabase(), { onnotice: () => undefined })
  await migrate({ sql, queue: 'redis' })
})
afterAll(() => sql.end({ timeout: 1 }))

/** Counts what gets through; the limit is what is under test, not the commit behind it. */
function countingIntake(): Intake & { readonly passed: Submission[] } {
  const passed: Submission[] = []
  return {
    passed,
    accept(request): Promise<Accepted> {
      passed.push(request)
      return Promise.resolve({ receipts: [], replayed: false })
    },
    close: () => Promise.resolve(),
  }
}

test('one job past the limit of unfinished jobs is refused with job.queue_full', async () => {
  using backlog = disposable(watchBacklog({ sql, log: silentLog(), limit: 3 }))
  const inner = countingIntake()
  const intake = boundedIntake(inner, backlog)
  for (let count = 0; count < 3; count += 1) await intake.accept(submission([newJob('fits')]))
  await expect(intake.accept(submission([newJob('one too many')]))).rejects.toMatchObject({
    code: 'job.queue_full',
    status: 429,
  })
  expect(inner.passed).toHaveLength(3)
})

test('a batch that would pass the limit is refused whole and counts nothing', async () => {
  using backlog = disposable(watchBacklog({ sql, log: silentLog(), limit: 3 }))
  const intake = boundedIntake(countingIntake(), backlog)
  const tooMany = submission([newJob('1'), newJob('2'), newJob('3'), newJob('4')])
  await expect(intake.accept(tooMany)).rejects.toMatchObject({ code: 'job.queue_full' })
  await intake.accept(submission([newJob('1'), newJob('2'), newJob('3')]))
})

function disposable<Open extends { close(): void }>(open: Open): Open & Disposable {
  return { ...open, [Symbol.dispose]: () => open.close() }
}
