import { expect, test } from 'bun:test'
import { PosternError } from '#core/errors.ts'
import { readMarketRows } from '#core/market/ingest-reader.ts'
import type { MarketRow } from '#core/market/ingest-row.ts'
import { readMarkets, readSymbolMarkets } from '#core/market/postgres-market-store.ts'
import { fileWorld } from '../order/desk/file-world.ts'
import {
  barRow,
  caller,
  inBatches,
  minuteMs,
  nowMs,
  openMarketWorld,
  quoteRow,
} from './ingest-world.ts'

const world = await fileWorld(openMarketWorld)

const tables = [
  ...['postern_bar', 'postern_instrument', 'postern_job', 'postern_outbox'],
  ...['postern_audit_intake', 'postern_market_staging'],
]
async function counts() {
  const rows = tables.map(async (table) => {
    const [row] = await world.sql`select count(*)::integer as n from ${world.sql(table)}`
    return [table, row?.['n']] as const
  })
  return Object.fromEntries(await Promise.all(rows))
}
const market = async (symbol = 'AAPL') =>
  (await readSymbolMarkets(world.gateway, [symbol])).get(symbol)
const hour = 60 * minuteMs

test('a source that fails after a batch leaves nothing behind', async () => {
  async function* failing() {
    yield [barRow({ close: '10' }), quoteRow()]
    throw new PosternError('request.body_invalid')
  }
  const error = await world.ingestBatches(failing(), caller).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'request.body_invalid' })
  for (const count of Object.values(await counts())) expect(count).toBe(0)
  expect(world.nudges()).toBe(0)
})

test('an upload whose staging was lost is an outage and stores nothing', async () => {
  async function* losing() {
    yield [barRow({ close: '10' })]
    await world.sql`truncate postern_market_staging`
  }
  const error = await world.ingestBatches(losing(), caller).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'database.unavailable' })
  for (const count of Object.values(await counts())) expect(count).toBe(0)
})

test('a fifth upload at once is refused and the four go on', async () => {
  const gate = Promise.withResolvers<void>()
  async function* slow() {
    await gate.promise
    yield [quoteRow()]
  }
  const four = [1, 2, 3, 4].map(() => world.ingestBatches(slow(), caller))
  const fifth = await world.ingestBatches(slow(), caller).catch((error: unknown) => error)
  expect(fifth).toMatchObject({ code: 'gateway.overloaded' })
  gate.resolve()
  expect(await Promise.all(four)).toHaveLength(4)
})

test('rows, job, outbox and records are one commit', async () => {
  const ingested = await world.ingest(barRow({ close: '10' }), barRow({ close: '11', symbol: 'B' }))
  const at = new Date(nowMs).toISOString()
  expect(ingested).toEqual({
    ...{ id: ingested.id, rows: 2, stored: 2, duplicates: 0, corrected: 0 },
    ...{ symbols: ['AAPL', 'B'], from: at, to: at, jobId: ingested.jobId ?? 'none' },
  })
  const [job] = await world.sql`select kind, subject, state, payload from postern_job`
  expect(job).toEqual({
    ...{ kind: 'apply-market-data', subject: 'feeder', state: 'accepted' },
    payload: { ingest: ingested.id, symbols: ['AAPL', 'B'], from: at, to: at },
  })
  const [outbox] = await world.sql`select jobs, due_at <= now() as "isDue" from postern_outbox`
  expect(outbox).toEqual({ jobs: [ingested.jobId], isDue: true })
  expect(world.nudges()).toBe(1)
  expect(await world.records('market.ingested')).toMatchObject([
    { id: ingested.id, details: { rows: 2, stored: 2, jobId: ingested.jobId } },
  ])
  expect(await world.records('job.accepted')).toMatchObject([{ id: ingested.jobId }])
  expect((await counts())['postern_market_staging']).toBe(0)
})

test('an upload without rows changes nothing and has no job', async () => {
  expect(await world.ingest()).toMatchObject({ rows: 0, symbols: [] })
  expect(await counts()).toMatchObject({ postern_job: 0, postern_outbox: 0 })
  expect(world.nudges()).toBe(0)
})

test('the same upload again changes nothing', async () => {
  const levels = { bids: [], asks: [] }
  const rows = [
    barRow({ close: '10' }),
    barRow({ close: '10', time: nowMs - minuteMs }),
    quoteRow({ time: nowMs - 1 }),
    quoteRow({ levels }),
  ]
  await world.ingest(...rows)
  const state = () => world.sql`select i.*, m.time from postern_instrument i, postern_market m`
  const before = await state()
  const again = await world.ingest(...rows)
  expect(again).toMatchObject({ rows: 4, stored: 0, duplicates: 4, corrected: 0 })
  expect(await state()).toEqual(before)
})

test('a row with other figures is a correction; of a row twice in an upload the later counts', async () => {
  await world.ingest(barRow({ close: '10' }), barRow({ close: '9', time: nowMs - minuteMs }))
  const again = await world.ingest(
    barRow({ close: '10' }),
    barRow({ close: '12', time: nowMs - minuteMs }),
    barRow({ close: '8', time: nowMs - minuteMs }),
    barRow({ close: '13', time: nowMs + minuteMs }),
    barRow({ close: '13', time: nowMs + minuteMs }),
  )
  expect(again).toMatchObject({ rows: 5, stored: 1, corrected: 1, duplicates: 3 })
  const closes = await world.sql`select close::float8 from postern_bar order by time`
  expect(closes.map((row) => row['close'])).toEqual([8, 10, 13])
})

test('a correction of the newest bar corrects the last price, an older bar leaves it', async () => {
  await world.ingest(barRow({ close: '10' }))
  await world.ingest(barRow({ close: '11' }))
  expect((await market())?.last).toEqual({ price: 11_000_000_000n, atMs: nowMs })
  await world.ingest(barRow({ close: '7', time: nowMs - minuteMs }))
  expect((await market())?.last).toEqual({ price: 11_000_000_000n, atMs: nowMs })
})

test('quotes count by time: newer ones are stored, the known one is corrected, older ones are not', async () => {
  await world.ingest(quoteRow({ bid: '9.98' }))
  const again = await world.ingest(
    quoteRow({ time: nowMs - 1, bid: '1' }),
    quoteRow(),
    quoteRow({ time: nowMs + 1, ask: '10.03' }),
    quoteRow({ time: nowMs + 2 }),
  )
  expect(again).toMatchObject({ rows: 4, stored: 2, corrected: 1, duplicates: 1 })
  const [row] = await world.sql`select spreads, quote from postern_instrument`
  expect(row).toEqual({
    spreads: [20_000_000, 40_000_000, 20_000_000],
    quote: {
      ...{ time: nowMs + 2, bid: '9.99', ask: '10.01', bidSize: 100, askSize: 200 },
      medianSpread: 20_000_000,
      isLive: true,
    },
  })
})

test('of spreads the last hundred are kept, over uploads and within one', async () => {
  const at = (from: number, count: number): MarketRow[] =>
    Array.from({ length: count }, (_, n) => quoteRow({ time: nowMs + from + n, ask: `1${n % 3}` }))
  await world.ingest(...at(0, 150))
  await world.ingest(...at(150, 30))
  const [row] = await world.sql`select spreads from postern_instrument`
  const all = [...at(0, 150), ...at(150, 30)].flatMap((each) =>
    each.type === 'quote' ? [Math.round((Number(each.ask) - 9.99) * 1e9)] : [],
  )
  expect(row?.['spreads']).toEqual(all.slice(-100))
})

test('a book stays until a newer one comes, whatever quotes come between', async () => {
  const levels = (price: string) => ({ bids: [[price, 1] satisfies [string, number]], asks: [] })
  await world.ingest(quoteRow({ levels: levels('9') }))
  await world.ingest(quoteRow({ time: nowMs - 1, levels: levels('8') }))
  await world.ingest(quoteRow({ time: nowMs + 1 }))
  const read = async () => (await world.sql`select levels from postern_instrument`)[0]?.['levels']
  expect(await read()).toEqual({ ...levels('9'), time: nowMs })
  await world.ingest(quoteRow({ time: nowMs + 2, levels: levels('7') }))
  expect(await read()).toEqual({ ...levels('7'), time: nowMs + 2 })
})

test('the live clock follows events of now, the replayed one all, and neither goes back', async () => {
  const clocks = async () => {
    const { live, replay } = await readMarkets(world.worker)
    return [live.timeMs, replay.timeMs]
  }
  await world.ingest(barRow({ close: '1', time: nowMs - hour }))
  expect(await clocks()).toEqual([undefined, nowMs - hour])
  await world.ingest(barRow({ close: '1', time: nowMs - 5 * minuteMs - 1 }))
  expect(await clocks()).toEqual([undefined, nowMs - 5 * minuteMs - 1])
  await world.ingest(
    quoteRow({ time: nowMs - 5 * minuteMs }),
    barRow({ close: '1', time: nowMs - hour }),
  )
  expect(await clocks()).toEqual([nowMs - 5 * minuteMs, nowMs - 5 * minuteMs])
  await world.ingest(barRow({ close: '1', time: nowMs - 2 * hour }))
  expect(await clocks()).toEqual([nowMs - 5 * minuteMs, nowMs - 5 * minuteMs])
})

test.each<[string, MarketRow[], bigint, number]>([
  ['the last price without quote', [barRow({ close: '10' })], 10_000_000_000n, nowMs],
  ['the mid of a quote alone', [quoteRow()], 10_000_000_000n, nowMs],
  ['the mid of an equally new quote', [barRow({ close: '9' }), quoteRow()], 10_000_000_000n, nowMs],
  [
    'the last price after the quote',
    [barRow({ close: '9' }), quoteRow({ time: nowMs - 1 })],
    9_000_000_000n,
    nowMs,
  ],
  [
    'a spread of 1 %',
    [barRow({ close: '9' }), quoteRow({ bid: '9.95', ask: '10.05' })],
    10_000_000_000n,
    nowMs,
  ],
  [
    'the last price beside a wider one',
    [barRow({ close: '9' }), quoteRow({ bid: '9.949999999', ask: '10.05' })],
    9_000_000_000n,
    nowMs,
  ],
])('the reference price is %s', async (_name, rows, price, atMs) => {
  await world.ingest(...rows)
  expect((await market())?.market.reference).toMatchObject({ price, atMs })
})

test('without a price and a sane quote there is no reference, without an upload no symbol', async () => {
  await world.ingest(quoteRow({ bid: '1' }))
  expect((await market())?.market.reference).toBeUndefined()
  expect(await market('NONE')).toBeUndefined()
})

test('uploads at once that share bars all end, and every bar is there once', async () => {
  const all = Array.from({ length: 300 }, (_, n) =>
    barRow({ close: '10', time: nowMs - n * minuteMs, symbol: `S${n % 7}` }),
  )
  const uploads = [all, all.toReversed(), all.slice(100), all.toReversed().slice(50)]
  const done = await Promise.all(uploads.map((rows) => world.ingest(...rows)))
  expect(done.reduce((sum, { stored }) => sum + stored, 0)).toBe(300)
  expect(await counts()).toMatchObject({ postern_bar: 300, postern_instrument: 7 })
})

test('twenty years of the S&P 500 are stored as they stand in the file', async () => {
  const file = Bun.file('node_modules/vega-datasets/data/sp500-2000.csv')
  const read = () =>
    readMarketRows(file.stream(), {
      ...{ format: 'csv', bytesMax: 1e9, rowsMax: 1e5, symbol: 'SPX', intervalMs: undefined },
      latestMs: nowMs,
    })
  const ingested = await world.ingestBatches(read(), caller)
  expect(ingested).toMatchObject({ rows: 5_105, stored: 5_105, duplicates: 0, symbols: ['SPX'] })
  expect(ingested).toMatchObject({
    from: '2000-01-03T21:00:00.000Z',
    to: '2020-04-17T20:00:00.000Z',
  })
  const rows =
    await world.sql`select to_char(time at time zone 'America/New_York', 'YYYY-MM-DD') as day,
    open, high, low, close, volume from postern_bar order by time`
  const lines = (await file.text()).trim().split('\n').slice(1)
  const expected = lines.map((line) => {
    const [day, open, high, low, close, , volume] = line.split(',')
    return {
      day,
      open: `${open}000`,
      high: `${high}000`,
      low: `${low}000`,
      close: `${close}000`,
      volume: Number(volume),
    }
  })
  expect([...rows]).toEqual(expected)
  const again = await world.ingestBatches(read(), caller)
  expect(again).toMatchObject({ stored: 0, corrected: 0, duplicates: 5_105 })
  expect(await world.ingestBatches(inBatches(), caller)).toMatchObject({ rows: 0 })
})
