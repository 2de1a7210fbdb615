import { expect, test } from 'bun:test'
import { bullJobQueue } from '#core/job/bullmq-job-queue.ts'
import { connectProducer, connectWorker } from '#core/job/redis-connect.ts'
import { startSweeper } from '#core/job/sweeper.ts'
import { silentLog } from '#core/log.ts'
import { mwcbRules } from '#core/market/breaker.ts'
import { applyMarketDataKind } from '#core/market/market-kinds.ts'
import { postgresMarketIngest } from '#core/market/postgres-market-ingest.ts'
import { readSymbolMarkets } from '#core/market/postgres-market-store.ts'
import { createMetrics } from '#core/metrics.ts'
import { barRow, inBatches, now, nowMs } from '#test/market/ingest-world.ts'
import { testCaller, testJournal } from '#test/support/job-engine.ts'
import { applyMarketData } from '#workers/apply-market-data.ts'
import { eventually, finished, openWorld, type World } from './world.ts'

/** What a gateway opens for uploads, and who dispatches their jobs. */
function openUploads(world: World, sql: World['sql']) {
  const redis = { url: world.urls.redisUrl, mode: 'development', cluster: false } as const
  const producer = connectProducer(redis)
  const worker = connectWorker(redis)
  const log = silentLog()
  const journal = testJournal()
  const queue = bullJobQueue({ engine: { backend: 'redis', producer, worker }, sql, log })
  const kinds = new Map([[applyMarketDataKind.name, applyMarketDataKind]])
  const metrics = createMetrics()
  const sweeper = startSweeper({ sql, journal, queue, kinds, log, metrics, now: () => new Date() })
  world.atEnd(async () => {
    await sweeper.close()
    await queue.close()
    producer.disconnect()
    worker.disconnect()
  })
  return postgresMarketIngest({ sql, journal, now, onOutbox: () => sweeper.nudge() })
}

test('an upload is dispatched by its own outbox row, and a worker applies it', async () => {
  await using world = await openWorld()
  const accepting = await world.accept()
  const told: string[] = []
  const working = applyMarketData({
    ...{ sql: world.sql, journal: testJournal(), now, rules: mwcbRules, pairOf: () => undefined },
    desk: {
      onMarket: async ({ symbol }) => void told.push(symbol),
      onQuotes: () => Promise.resolve(),
    },
  })
  await world.work(() => Promise.reject(new Error('no probes here')), { others: [working] })
  const ingest = openUploads(world, accepting.sql)
  const rows = [1, 2, 3].map((n) => barRow({ close: '10', volume: n, time: nowMs - n * 60_000 }))
  const { jobId = '' } = await ingest(inBatches(rows), testCaller)
  const job = await finished(accepting, jobId, 20_000)
  expect(job).toMatchObject({ state: 'completed', result: { bars: 3, quotes: 0, signals: 3 } })
  expect(told).toEqual(['AAPL', 'AAPL'])
  const known = await readSymbolMarkets(accepting.sql, ['AAPL'])
  expect(known.get('AAPL')?.market.meanBarVolume).toBe(2)
  await eventually(async () => (await world.sql`select from postern_outbox`).length === 0)
})
