import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import postgres, { type Sql } from 'postgres'
import type { Caller } from '#core/access/principal.ts'
import { PosternError } from '#core/errors.ts'
import type { Attempt } from '#core/job/processor.ts'
import { silentLog } from '#core/log.ts'
import { connectPostgres } from '#core/postgres/connect.ts'
import { migrate } from '#core/postgres/migrate.ts'
import type { ScoreCohortPayload, ScoreWalletPayload } from '#core/score/kinds.ts'
import { postgresScoreStore } from '#core/score/postgres-score-store.ts'
import { postgresTradeStore } from '#core/score/postgres-trade-store.ts'
import { type Trade, tradeOf } from '#core/score/trade.ts'
import { testJournal } from '#test/support/job-engine.ts'
import { sharedPostgres } from '#test/support/postgres-server.ts'
import { scoreCohort } from '#workers/score-cohort.ts'
import { scoreWallet } from '#workers/score-wallet.ts'
import { swap, trade, wallet } from './swaps.ts'
import { syntheticWallets } from './synthetic-wallets.ts'

setDefaultTimeout(60_000)

const now = () => new Date('2025-10-01T12:00:00Z')
const selection = { algorithmVersion: 'xorj-1.0.0', costBasis: 'fifo' } as const
const caller: Caller = {
  principal: {
    ...{ issuer: 'https://issuer.test', subject: 'feeder', tokenId: 't', keyId: 'k' },
    ...{ scopes: new Set(['trades:write']), expiresAt: 0 },
  },
  ...{ clientAddress: '127.0.0.1', userAgent: '', requestId: 'r', traceparent: undefined },
}

let sql: Sql
/** With the rights of the processes that upload, read and score. */
let gateway: Sql
let worker: Sql
beforeAll(async () => {
  const url = await (await sharedPostgres()).createDatabase()
  const pool = { url, mode: 'development', applicationName: 'test', max: 4 } as const
  sql = connectPostgres(pool)
  gateway = connectPostgres({ ...pool, role: 'postern_gateway' })
  worker = connectPostgres({ ...pool, role: 'postern_worker' })
  await migrate({ sql, queue: 'redis' })
})
afterAll(() => Promise.all([sql, gateway, worker].map((each) => each.end({ timeout: 1 }))))
beforeEach(async () => {
  await sql`truncate postern_trade, postern_trade_staging, postern_score, postern_cohort,
    postern_audit_intake`
})

async function* inBatches(...batches: readonly Trade[][]) {
  for (const batch of batches) yield batch
}

const journal = testJournal()
const trades = () => postgresTradeStore({ sql: gateway, journal, now })
const scores = () => postgresScoreStore({ sql: gateway })
const count = async (table: string) =>
  Number((await sql`select count(*) from ${sql(table)}`)[0]?.['count'])

test('an upload is stored with its audit record, and what is read is what was written', async () => {
  const first = trade({ amountIn: '0.000000000000000001', time: '2025-01-02T00:00:00.123Z' })
  const second = trade({ usdOut: '99999999999999999999.999999999999999999', failed: true })
  const ingested = await trades().ingest(inBatches([first], [second]), caller)
  expect(ingested).toMatchObject({ rows: 2, stored: 2, duplicates: 0 })
  expect(await trades().tradesOf(wallet, '2025-01-03')).toEqual([second, first])
  const [record] = await sql`select rec, convert_from(body, 'UTF8')::jsonb as body
    from postern_audit_intake`
  expect(record).toMatchObject({
    rec: ingested.id,
    body: { type: 'trades.ingested', outcome: 'ok', details: { rows: 2, stored: 2 } },
  })
  expect(await count('postern_trade_staging')).toBe(0)
})

test('a source that fails after a batch leaves nothing behind', async () => {
  async function* failing() {
    yield [trade()]
    throw new PosternError('request.body_invalid')
  }
  expect(trades().ingest(failing(), caller)).rejects.toThrow(PosternError)
  await trades()
    .ingest(failing(), caller)
    .catch(() => undefined)
  for (const table of ['postern_trade', 'postern_trade_staging', 'postern_audit_intake']) {
    expect(await count(table)).toBe(0)
  }
})

test('the same upload twice stores once; a swap twice in one upload is kept once', async () => {
  const first = trade()
  const other = trade()
  await trades().ingest(inBatches([first, other, first]), caller)
  const again = await trades().ingest(inBatches([other, first]), caller)
  expect(again).toMatchObject({ rows: 2, stored: 0, duplicates: 2 })
  expect(await trades().tradesOf(wallet, '2025-01-01')).toEqual([first, other])
})

test('uploads at once that share swaps all end, and every swap is there once', async () => {
  const all = Array.from({ length: 300 }, () => trade())
  const store = trades()
  const uploads = [all, all.toReversed(), all.slice(100), all.toReversed().slice(50)]
  const done = await Promise.all(uploads.map((rows) => store.ingest(inBatches(rows), caller)))
  expect(done.reduce((sum, { stored }) => sum + stored, 0)).toBe(300)
  expect(await count('postern_trade')).toBe(300)
})

test('a fifth upload at once is refused and the four go on', async () => {
  const store = trades()
  const gate = Promise.withResolvers<void>()
  async function* slow() {
    await gate.promise
    yield [trade()]
  }
  const four = [1, 2, 3, 4].map(() => store.ingest(slow(), caller))
  const fifth = await store.ingest(slow(), caller).catch((error: unknown) => error)
  expect(fifth).toMatchObject({ code: 'gateway.overloaded' })
  gate.resolve()
  expect(await Promise.all(four)).toHaveLength(4)
})

test('swaps of one instant keep the order they were uploaded in', async () => {
  const same = Array.from({ length: 50 }, () => trade())
  await trades().ingest(inBatches(same.slice(0, 20), same.slice(20)), caller)
  expect(await trades().tradesOf(wallet, '2025-01-01')).toEqual(same)
})

test('a swap after the end date is not read', async () => {
  const late = trade({ time: '2025-01-02T00:00:00Z' })
  await trades().ingest(inBatches([late]), caller)
  expect(await trades().tradesOf(wallet, '2025-01-01')).toEqual([])
  expect(await trades().tradesOf(wallet, '2025-01-02')).toEqual([late])
})

test('all wallets are found, over more than one page, each once and in order', async () => {
  const many = [...syntheticWallets({ wallets: 1_100, swapsPerWallet: 2, state: 4 })]
  const rows = many.flatMap((entry) => entry.rows.map((row) => tradeOf(entry.wallet, row)))
  await trades().ingest(inBatches(rows), caller)
  const found = (await Array.fromAsync(trades().wallets())).flat()
  expect(found).toEqual(many.map((entry) => entry.wallet).toSorted())
})

const attempt = <Payload>(payload: Payload): Attempt<Payload> => ({
  ...{ jobId: Bun.randomUUIDv7(), payload, issuer: undefined, attempt: 1, attemptsMax: 1 },
  ...{ requestId: 'r', traceparent: undefined },
})
const signal = new AbortController().signal

async function runCohort(payload: ScoreCohortPayload) {
  const job = attempt(payload)
  const work = await scoreCohort({ sql: worker, journal, now, log: silentLog() }).process(
    job,
    signal,
  )
  await worker.begin(async (transaction) => work.effect?.(transaction))
  return { ...work.result, jobId: job.jobId }
}

async function runWallet(payload: ScoreWalletPayload) {
  const work = await scoreWallet({ sql: worker, journal, now }).process(attempt(payload), signal)
  await worker.begin(async (transaction) => work.effect?.(transaction))
  return work.result
}

async function ingestWallets(wallets: number, swapsPerWallet = 60) {
  const made = [...syntheticWallets({ wallets, swapsPerWallet, state: 21 })]
  const rows = made.flatMap((entry) => entry.rows.map((row) => tradeOf(entry.wallet, row)))
  await trades().ingest(inBatches(rows), caller)
  return made.map((entry) => entry.wallet)
}

test('a cohort is scored and stored whole; a wallet without swaps in it says so', async () => {
  const wallets = await ingestWallets(25)
  const result = await runCohort({ wallets: [...wallets, wallet] })
  expect(result).toMatchObject({ statuses: { eligible: 25, no_data: 1 }, scored: 25 })
  const [some = ''] = wallets
  const stored = await scores().find(some, selection)
  expect(stored).toMatchObject({
    ...{ wallet: some, status: 'eligible', jobId: result.jobId, endDate: '2025-09-30' },
    ...{ algorithmVersion: 'xorj-1.0.0', cohort: { id: result.jobId, size: 25, screened: 26 } },
  })
  expect(stored?.equity).toHaveLength(90)
  const [row] = await sql`select * from postern_score where wallet = ${some}`
  expect(row).toMatchObject({
    cohort_size: 25,
    sharpe_min: stored?.cohort?.bounds?.sharpe.min,
    drawdown_percent_max: stored?.cohort?.bounds?.drawdownPercent.max,
    trust_score: stored?.trustScore,
  })
  expect(await scores().find(wallet, selection)).toMatchObject({
    status: 'no_data',
    trustScore: null,
  })
})

test('one wallet that cannot be reckoned with does not stop its cohort', async () => {
  const wallets = await ingestWallets(20)
  const [broken = ''] = wallets
  // No upload can bring this in; it stands for any fault of ours.
  await sql`update postern_trade set amount_out = 0 where wallet = ${broken}`
  const result = await runCohort({})
  expect(result.statuses).toEqual({ eligible: 19, calculation_error: 1 })
  expect((await scores().find(broken, selection))?.reasons.map(({ code }) => code)).toEqual([
    'CALCULATION_FAILED',
  ])
})

test('a wallet alone is placed in the last complete cohort, as its members were', async () => {
  const wallets = await ingestWallets(25)
  expect((await runWallet({ wallet: wallets[0] ?? '' })).reasons).toEqual([
    { code: 'COHORT_TOO_SMALL', detail: 'no reference cohort, 20 needed' },
  ])
  const { jobId } = await runCohort({})
  const before = await scores().find(wallets[0] ?? '', selection)
  const alone = await runWallet({ wallet: wallets[0] ?? '' })
  expect(alone.cohort?.id).toBe(jobId)
  expect(alone.trustScore).toBe(before?.trustScore ?? '')
  expect(alone.dsr).toBe(before?.dsr ?? 0)
})

test('a small cohort is no reference, and neither is one of another method', async () => {
  const wallets = await ingestWallets(25)
  await runCohort({ wallets: wallets.slice(0, 19) })
  expect(await scores().referenceCohort(selection)).toBeUndefined()
  await runCohort({ costBasis: 'average' })
  expect(await scores().referenceCohort(selection)).toBeUndefined()
  expect(await scores().referenceCohort({ ...selection, costBasis: 'average' })).toBeDefined()
})

test('inline swaps are scored without being ingested', async () => {
  const result = await runWallet({ wallet, swaps: [swap()], endDate: '2025-01-31' })
  expect(result).toMatchObject({ status: 'insufficient_history', history: { trades: 1 } })
  expect(await count('postern_trade')).toBe(0)
})

test('a score of an older end date does not replace a newer one', async () => {
  const [some = ''] = await ingestWallets(1)
  await runWallet({ wallet: some, endDate: '2025-09-30' })
  await runWallet({ wallet: some, endDate: '2025-08-31' })
  expect((await scores().find(some, selection))?.endDate).toBe('2025-09-30')
})

test('an end date in the future is refused', async () => {
  expect(runWallet({ wallet, endDate: '2025-10-02' })).rejects.toMatchObject({
    code: 'job.payload_refused',
  })
})

test('a cancelled cohort stops between wallets', async () => {
  const wallets = await ingestWallets(3)
  const stopped = AbortSignal.abort(new Error('cancelled'))
  const running = scoreCohort({ sql: worker, journal, now, log: silentLog() }).process(
    attempt({ wallets }),
    stopped,
  )
  expect(running).rejects.toThrow('cancelled')
})

test('the ranking is best first, has a floor, and its pages neither repeat nor skip', async () => {
  await ingestWallets(30)
  await runCohort({})
  const all = await scores().rank({ ...selection, min: '0', limit: 100, cursor: undefined })
  expect(all.scores).toHaveLength(30)
  expect(all.next).toBeUndefined()
  const scaled = all.scores.map((each) => Number(each.trustScoreScaled))
  expect(scaled).toEqual(scaled.toSorted((a, b) => b - a))

  const paged: string[] = []
  let cursor: string | undefined
  do {
    const page = await scores().rank({ ...selection, min: '0', limit: 7, cursor })
    paged.push(...page.scores.map((each) => each.wallet))
    cursor = page.next
  } while (cursor !== undefined)
  expect(paged).toEqual(all.scores.map((each) => each.wallet))

  const best = await scores().rank({ ...selection, min: '30', limit: 100, cursor: undefined })
  expect(best.scores).toEqual(all.scores.filter((each) => Number(each.trustScore) >= 30))
})

test.each(['', 'x', 'bm90IGpzb24', Buffer.from('["1; drop",1]').toString('base64url')])(
  'the cursor %p is not ours',
  async (cursor) => {
    const page = scores().rank({ ...selection, min: '0', limit: 1, cursor })
    expect(page).rejects.toMatchObject({ code: 'request.query_invalid' })
  },
)

test('a database that is away is an outage', async () => {
  const away = postgres('postgres://postern@127.0.0.1:1/none', { max: 1, connect_timeout: 1 })
  const outage = { code: 'database.unavailable' }
  expect(postgresScoreStore({ sql: away }).find(wallet, selection)).rejects.toMatchObject(outage)
  const store = postgresTradeStore({ sql: away, journal, now })
  expect(store.ingest(inBatches([trade()]), caller)).rejects.toMatchObject(outage)
  expect(await store.tradesOf(wallet, '2025-01-01').catch((error: unknown) => error)).toMatchObject(
    outage,
  )
  await away.end({ timeout: 0 })
})
