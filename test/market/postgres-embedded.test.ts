import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readMarketRows } from '#core/market/ingest-reader.ts'
import { readMarkets, readSymbolMarkets } from '#core/market/postgres-market-store.ts'
import { type EmbeddedEngine, openEmbeddedEngine } from '#core/postgres/embedded-engine.ts'
import { caller, nowMs, openMarketWorldOn, quoteRow } from './ingest-world.ts'

/** initdb in WebAssembly takes seconds where something else runs. */
setDefaultTimeout(60_000)

let directory: string
let engine: EmbeddedEngine
let world: Awaited<ReturnType<typeof openMarketWorldOn>>
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-market-'))
  engine = await openEmbeddedEngine({ directory })
  world = await openMarketWorldOn(engine.url)
})
afterAll(async () => {
  await world.close()
  await engine.close()
  await rm(directory, { recursive: true })
})

test('on the embedded engine twenty years are ingested, ingested again and applied', async () => {
  const file = Bun.file('node_modules/vega-datasets/data/sp500-2000.csv')
  const read = () =>
    readMarketRows(file.stream(), {
      ...{ format: 'csv', bytesMax: 1e9, rowsMax: 1e5, symbol: 'SPX', intervalMs: undefined },
      latestMs: nowMs,
    })
  const first = await world.ingestBatches(read(), caller)
  expect(first).toMatchObject({ stored: 5_105, corrected: 0 })
  const again = await world.ingestBatches(read(), caller)
  expect(again).toMatchObject({ stored: 0, corrected: 0, duplicates: 5_105 })
  await world.ingest(quoteRow())
  expect(await world.apply(['SPX', 'AAPL'])).toEqual({ bars: 5_105, quotes: 1, signals: 3 })
  expect((await readMarkets(world.sql)).replay.breaker).toMatchObject({ day: '2020-04-17' })
  const known = await readSymbolMarkets(world.sql, ['SPX', 'AAPL'])
  expect(known.get('AAPL')?.market.medianSpread).toBe(20_000_000n)
  expect(known.get('SPX')?.market.volatilityPercent).toBeGreaterThan(40)
})
