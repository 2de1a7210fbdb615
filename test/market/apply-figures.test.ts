import { expect, test } from 'bun:test'
import { readSignals } from '#core/market/apply-signals.ts'
import { dayIntervalMs } from '#core/market/bar-interval.ts'
import { readMarketRows } from '#core/market/ingest-reader.ts'
import {
  readMarkets,
  readSymbolMarkets,
  readSymbolRecords,
} from '#core/market/postgres-market-store.ts'
import { fileWorld } from '../order/desk/file-world.ts'
import {
  barRow,
  caller,
  index,
  keepingDesk,
  minuteMs,
  nowMs,
  openMarketWorld,
  own,
  priorCloseMs,
  quoteRow,
} from './ingest-world.ts'

const world = await fileWorld(openMarketWorld)

const market = async (symbol = 'AAPL') =>
  (await readSymbolMarkets(world.worker, [symbol])).get(symbol)

async function signal(symbol: string, strategy: 'momentum' | 'pairs') {
  const [found] = await readSignals(world.worker, [{ symbol, strategy }])
  return found
}

test('the mean volume is of the last twenty bars of the newest length', async () => {
  await world.ingest(...Array.from({ length: 30 }, (_, n) => own(n + 1)))
  await world.apply(['AAPL'])
  expect((await market())?.market.meanBarVolume).toBe(20.5)
})

test('a quote reckons no figure anew, a corrected bar does', async () => {
  await world.ingest(own(1), own(2))
  await world.apply(['AAPL'])
  await world.ingest(quoteRow())
  expect(await world.apply(['AAPL'])).toEqual({ bars: 0, quotes: 1, signals: 0 })
  expect((await market())?.market.meanBarVolume).toBe(1.5)
  await world.ingest({ ...own(1), volume: 9 })
  expect(await world.apply(['AAPL'])).toEqual({ bars: 0, quotes: 0, signals: 3 })
  expect((await market())?.market.meanBarVolume).toBe(5.5)
  expect(await world.apply(['AAPL'])).toMatchObject({ signals: 0 })
})

test('bars of a live symbol make its bands, and those of the past do not', async () => {
  await world.ingest(own(1))
  await world.apply(['AAPL'])
  expect((await market())?.instrument.band).toBeUndefined()
  await world.ingest(
    barRow({ close: '20' }),
    quoteRow({ bid: '19.99', ask: '20.01', time: nowMs + 1 }),
  )
  await world.apply(['AAPL'])
  expect((await market())?.instrument.band).toEqual({
    lower: 19_000_000_000n,
    upper: 21_000_000_000n,
  })
  const recordOf = await readSymbolRecords(world.worker, ['AAPL'], 0)
  const replayed = recordOf('AAPL', 'replay')
  expect(replayed?.instrument.band).toBeUndefined()
})

test('a symbol whose bid stands at its upper band for 15 s is paused for five minutes', async () => {
  await world.ingest(barRow({ close: '20', time: nowMs - 60_000 }))
  await world.apply(['AAPL'])
  for (const time of [nowMs - 20_000, nowMs - 5_000]) {
    await world.ingest(quoteRow({ bid: '21', ask: '21.01', time }))
    await world.apply(['AAPL'])
  }
  expect((await market())?.instrument.haltedUntilMs).toBe(nowMs - 5_000 + 300_000)
})

test('VIX of the same days is the volatility, otherwise that of the returns', async () => {
  const days = ['2024-02-22', '2024-02-23', '2024-02-26', '2024-02-27', '2024-02-28', '2024-02-29']
  const rows = days.map((day, n) =>
    barRow({
      intervalMs: dayIntervalMs,
      time: Date.parse(`${day}T21:00:00Z`),
      close: String(100 + (n % 2)),
    }),
  )
  await world.ingest(...rows)
  await world.apply(['AAPL'])
  const realised = (await market())?.market.volatilityPercent
  expect(realised).toBeCloseTo(17.3, 0)
  await world.ingest(
    barRow({ symbol: 'VIX', time: priorCloseMs - 10 * dayIntervalMs, close: '30' }),
  )
  expect((await market())?.market.volatilityPercent).toBe(realised)
  await world.ingest(barRow({ symbol: 'VIX', time: priorCloseMs, close: '45.5' }))
  expect((await market())?.market.volatilityPercent).toBe(45.5)
})

test('twenty years of the index are applied in order, with signals and figures of their end', async () => {
  const file = Bun.file('node_modules/vega-datasets/data/sp500-2000.csv')
  const rows = readMarketRows(file.stream(), {
    ...{ format: 'csv', bytesMax: 1e9, rowsMax: 1e5, symbol: 'SPX', intervalMs: undefined },
    latestMs: nowMs,
  })
  await world.ingestBatches(rows, caller)
  const desk = keepingDesk()
  expect(await world.apply(['SPX'], { desk })).toEqual({ bars: 5_105, quotes: 0, signals: 3 })
  const times = desk.bars('replay')
  expect(times).toHaveLength(5_105)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  const { replay } = await readMarkets(world.worker)
  expect(replay.breaker).toMatchObject({ status: 'OPEN', day: '2020-04-17', closeCents: 287_456 })
  const closes = (await file.text())
    .trim()
    .split('\n')
    .map((line) => Number(line.split(',')[4]))
  const momentum = await signal('SPX', 'momentum')
  const expected = (closes.at(-22) ?? 0) / (closes.at(-253) ?? 0) - 1
  expect(momentum).toMatchObject({ time: new Date('2020-04-17T20:00:00Z'), signal: 'sell' })
  expect(momentum?.value).toBeCloseTo(expected, 12)
  const pairs = await signal('SPX', 'pairs')
  expect(pairs).toMatchObject({ signal: 'hold', value: null })
  expect((await market('SPX'))?.market.volatilityPercent).toBeGreaterThan(40)
})

test('a symbol is paired with the index, bar by bar of the same time', async () => {
  const rows = Array.from({ length: 70 }, (_, n) => [
    index(n + 1, String(100 + (n % 5))),
    own(n + 1, String(50 + (n % 5) / 2 + (n === 69 ? 1 : 0))),
  ]).flat()
  await world.ingest(...rows)
  await world.apply(['AAPL', 'SPX'])
  const pairs = await signal('AAPL', 'pairs')
  expect(pairs).toMatchObject({ signal: 'sell', other: 'SPX', intervalMs: minuteMs, reasons: [] })
})
