import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { accountIds } from '#core/order/desk/account-ids.ts'
import { reconcileAccountKind } from '#core/order/kinds.ts'
import { openScheduleWorld, type ScheduleWorld } from '#test/schedule/schedule-world.ts'
import { reconcileAccounts } from '#workers/reconcile-accounts.ts'

setDefaultTimeout(60_000)

let world: ScheduleWorld
beforeAll(async () => {
  world = await openScheduleWorld()
})
afterAll(() => world.close())

const attempt = {
  ...{ jobId: Bun.randomUUIDv7(), payload: {}, attempt: 1, attemptsMax: 5 },
  ...{ requestId: 'request-7', traceparent: undefined },
}

async function process(at: string, accounts = () => accountIds(world.first.sql)) {
  const { signal } = new AbortController()
  return await reconcileAccounts({ accounts, now: () => new Date(at) }).process(attempt, signal)
}

test('each account gets one job, accepted with the outcome', async () => {
  const accounts = async () => ['main', 'paper']
  const { result, effect } = await process('2026-03-03T01:15:00Z', accounts)
  expect(result).toEqual({ accounts: 2, reconciliation_date: '2026-03-02' })
  await world.first.sql.begin((transaction) => effect?.(transaction).then(() => undefined))
  const jobs = await world.sql`select kind, payload, request_id from postern_job order by id`
  expect(jobs.map((job) => ({ ...job }))).toEqual(
    ['main', 'paper'].map((account) => ({
      ...{ kind: reconcileAccountKind.name, request_id: 'request-7' },
      payload: { account, reconciliation_date: '2026-03-02' },
    })),
  )
  const payloads = jobs.map((job) => reconcileAccountKind.payload.safeParse(job['payload']).success)
  expect(payloads).toEqual([true, true])
})

test('without an account there is nothing to accept', async () => {
  expect((await process('2026-03-03T01:15:00Z')).effect).toBeUndefined()
})

test.each([
  ['in the evening', '2026-03-03T01:15:00Z', '2026-03-02'],
  ['late, in the next morning', '2026-03-03T13:00:00Z', '2026-03-02'],
  ['late, while trading goes on', '2026-03-03T19:00:00Z', '2026-03-02'],
  ['on a Sunday', '2026-03-08T15:00:00Z', '2026-03-06'],
])('%s the day is the last one that is over', async (_name, at, day) => {
  expect((await process(at)).result.reconciliation_date).toBe(day)
})
