import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import type { Sql } from 'postgres'
import { z } from 'zod'
import { silentLog } from '#core/log.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { migrate } from '#core/postgres/migrate.ts'
import {
  postgresScoreStore,
  rankedWalletSchema,
  storedScoreSchema,
} from '#core/score/postgres-score-store.ts'
import { postgresTradeStore } from '#core/score/postgres-trade-store.ts'
import sample from '#core/score/sample-trades.csv' with { type: 'text' }
import { scoreRoutes } from '#gateway/routes/scores.ts'
import { tradeRoutes } from '#gateway/routes/trades.ts'
import { memoryGateway, problemIn } from '#test/gateway/memory-gateway.ts'
import { testJournal } from '#test/support/job-engine.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'
import { scoreCohort } from '#workers/score-cohort.ts'
import { swap, wallet } from './swaps.ts'

setDefaultTimeout(60_000)

const now = () => new Date('2025-10-01T12:00:00Z')
const ranking = z.strictObject({
  scores: z.array(rankedWalletSchema),
  next: z.string().optional(),
})

let sql: Sql
/** With the rights of the processes that serve and score. */
let served: Sql
let worker: Sql
const journal = testJournal()
let gateway: ReturnType<typeof memoryGateway>
beforeAll(async () => {
  const url = await (await sharedPostgres()).createDatabase()
  const pool = { url, mode: 'development', applicationName: 'test', max: 4 } as const
  sql = connectPostgres(pool)
  await migrate({ sql, queue: 'redis' })
  worker = connectPostgres({ ...pool, role: 'postern_worker' })
  served = connectPostgres({ ...pool, role: 'postern_gateway' })
  const trades = tradeRoutes({ trades: postgresTradeStore({ sql: served, journal, now }), now })
  const scores = scoreRoutes({ scores: postgresScoreStore({ sql: served }) })
  gateway = memoryGateway({ overrides: { routes: [...trades, ...scores] } })
})
afterAll(() => Promise.all([sql, served, worker].map((each) => each.end({ timeout: 1 }))))
beforeEach(async () => {
  await sql`truncate postern_trade, postern_trade_staging, postern_score, postern_cohort`
})

const upload = (
  body: string | ReadableStream<Uint8Array>,
  type = 'application/x-ndjson',
  as = 'all',
) =>
  gateway.request('/v1/trades', {
    method: 'POST',
    headers: { 'content-type': type },
    body,
    as,
  })
const row = (change: Record<string, unknown> = {}) =>
  JSON.stringify({ wallet, ...swap(), ...change })
const stored = async () => Number((await sql`select count(*) from postern_trade`)[0]?.['count'])

test.each([
  ['negative', { amountIn: '-1' }, '/rows/1/amountIn'],
  ['10^40', { usdOut: `1${'0'.repeat(40)}` }, '/rows/1/usdOut'],
  ['unknown', { profit: '1' }, '/rows/1/profit'],
  ['of the future', { time: '2025-10-01T12:05:01Z' }, '/rows/1/time'],
])(
  'an upload with one row that is %s is refused by row and column and stores nothing',
  async (_name, change, pointer) => {
    const response = await upload([row(), row(change), row()].join('\n'))
    const problem = await problemIn(response)
    expect(problem).toMatchObject({ status: 422, code: 'request.body_invalid' })
    expect(problem.errors?.map((each) => each.pointer)).toEqual([pointer])
    expect(await stored()).toBe(0)
  },
)

test('an upload with 100,001 rows is refused and stores nothing', async () => {
  const line = `${row()}\n`
  const response = await upload(line.repeat(100_001))
  expect((await problemIn(response)).code).toBe('request.body_too_large')
  expect(await stored()).toBe(0)
  expect((await sql`select 1 from postern_trade_staging limit 1`).length).toBe(0)
})

test('an upload past 64 MiB is refused while it streams', async () => {
  const piece = new TextEncoder().encode(`${' '.repeat(1_048_575)}\n`)
  let sent = 0
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 1
      if (sent > 100) controller.close()
      else controller.enqueue(piece)
    },
  })
  const response = await upload(endless)
  expect((await problemIn(response)).code).toBe('request.body_too_large')
  expect(sent).toBeLessThan(80)
})

test.each(['application/json', 'text/plain', ''])('an upload as %p is refused', async (type) => {
  const response = await upload(row(), type)
  expect((await problemIn(response)).code).toBe('request.media_type_unsupported')
})

test('an upload without the scope is refused', async () => {
  expect((await problemIn(await upload(row(), 'application/x-ndjson', 'none'))).code).toBe(
    'access.scope_missing',
  )
})

test('the same upload twice is answered with what is new', async () => {
  const lines = [row(), row()].join('\n')
  expect(await (await upload(lines)).json()).toMatchObject({ rows: 2, stored: 2, duplicates: 0 })
  expect(await (await upload(lines)).json()).toMatchObject({ rows: 2, stored: 0, duplicates: 2 })
})

test('the sample as CSV is ingested, scored as a cohort and read back', async () => {
  const ingested = await upload(sample, 'text/csv; charset=utf-8')
  expect(await ingested.json()).toMatchObject({ duplicates: 0 })
  const jobId = Bun.randomUUIDv7()
  const work = await scoreCohort({ sql: worker, journal, now, log: silentLog() }).process(
    {
      ...{ jobId, payload: {}, issuer: undefined, attempt: 1, attemptsMax: 1 },
      ...{ requestId: 'r', traceparent: undefined },
    },
    new AbortController().signal,
  )
  await worker.begin(async (transaction) => work.effect?.(transaction))

  const page = ranking.parse(await (await gateway.request('/v1/scores?limit=2')).json())
  expect(page.scores).toHaveLength(2)
  const next = await gateway.request(`/v1/scores?limit=200&cursor=${page.next}`)
  expect(ranking.parse(await next.json()).scores).toHaveLength(19)
  const [best] = page.scores
  const response = await gateway.request(`/v1/wallets/${best?.wallet}/score`)
  const score = storedScoreSchema.parse(await response.json())
  expect(score).toMatchObject({ wallet: best?.wallet, jobId, status: 'eligible' })
  expect(score.trustScore).toBe(best?.trustScore ?? '')
})

test('a wallet that was never scored is not found', async () => {
  const response = await gateway.request(`/v1/wallets/${wallet}/score`)
  expect((await problemIn(response)).code).toBe('score.not_found')
})

test.each([
  '/v1/wallets/nobody/score',
  `/v1/wallets/${wallet}/score?algorithmVersion=xorj-9`,
  `/v1/wallets/${wallet}/score?window=30`,
  '/v1/scores?min=-1',
  '/v1/scores?min=101',
  '/v1/scores?min=NaN',
  '/v1/scores?min=1e1',
  '/v1/scores?limit=0',
  '/v1/scores?limit=201',
  '/v1/scores?cursor=x',
  '/v1/scores?status=eligible',
])('%s is no valid question', async (path) => {
  const problem = await problemIn(await gateway.request(path))
  expect(problem).toMatchObject({ status: 400, code: 'request.query_invalid' })
})

test.each(['/v1/scores', `/v1/wallets/${wallet}/score`])('%s asks for its scope', async (path) => {
  const problem = await problemIn(await gateway.request(path, { as: 'none' }))
  expect(problem.code).toBe('access.scope_missing')
})
