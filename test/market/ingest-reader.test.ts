import { expect, test } from 'bun:test'
import { PosternError } from '#core/errors.ts'
import { type MarketReaderOptions, readMarketRows } from '#core/market/ingest-reader.ts'

type Row = Record<string, unknown>
type Change = Partial<MarketReaderOptions>

const minuteMs = 60_000
const bar = (change: Row = {}): Row => ({
  ...{ symbol: 'AAPL', time: '2024-03-01T15:00:00Z' },
  ...{ open: '10', high: '12', low: '9', close: '11', volume: '100' },
  ...change,
})
const day = (change: Row = {}): Row => {
  const { time: _time, ...rest } = bar()
  return { ...rest, date: '2024-03-01', ...change }
}
const quote = (change: Row = {}): Row => ({
  ...{ symbol: 'AAPL', time: '2024-03-01T15:00:00Z' },
  ...{ bid: '9.99', ask: '10.01', bid_size: '100', ask_size: '200' },
  ...change,
})

async function read(text: string, change: Change = {}) {
  const batches = readMarketRows(new Blob([text]).stream(), {
    ...{ format: 'ndjson', bytesMax: 1e9, rowsMax: 1e6, symbol: undefined, intervalMs: minuteMs },
    latestMs: Date.parse('2024-03-01T21:00:00Z'),
    ...change,
  })
  return (await Array.fromAsync(batches)).flat()
}
const json = (...rows: readonly Row[]) => rows.map((row) => JSON.stringify(row)).join('\n')
const csv = (...rows: readonly Row[]) =>
  [Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row))].join('\n')

async function refusal(text: string, change: Change = {}) {
  try {
    await read(text, change)
  } catch (error) {
    if (error instanceof PosternError) return error
    throw error
  }
  throw new Error('it was not refused')
}

const badBars: [string, Row, string, RegExp][] = [
  ['a high below the low', { high: '8' }, 'high', /must not be below low/],
  ['an open above the high', { open: '12.000000001' }, 'open', /between low and high/],
  ['a close below the low', { close: '8.999999999' }, 'close', /between low and high/],
  ['a negative price', { low: '-1' }, 'low', /must not be negative/],
  ['a price of zero', { low: '0.000' }, 'low', /above zero/],
  ['ten decimals', { high: '12.0000000001' }, 'high', /at most 9 digits before and 9/],
  ['a price that no double holds', { high: '9000000.000000001' }, 'high', /at most 9000000/],
  ['an exponent', { close: '1.1e1' }, 'close', /plain decimal/],
  ['no number', { close: 'NaN' }, 'close', /plain decimal/],
  ['a negative volume', { volume: '-1' }, 'volume', /plain decimal/],
  ['a volume that is endless', { volume: '1000000000000000' }, 'volume', /plain decimal/],
  ['a symbol in small letters', { symbol: 'aapl' }, 'symbol', /1 to 16 of/],
  ['a symbol of 17', { symbol: 'A'.repeat(17) }, 'symbol', /1 to 16 of/],
  ['a time without offset', { time: '2024-03-01T15:00:00' }, 'time', /RFC 3339/],
  ['30 February', { time: '2024-02-30T15:00:00Z' }, 'time', /RFC 3339/],
  ['an end in the future', { time: '2024-03-01T20:59:00.001Z' }, 'time', /ends in the future/],
]

test.each(badBars)('a bar with %s is refused by its column', async (_name, change, column, why) => {
  for (const [format, text] of [
    ['ndjson', json(bar(), bar(change))],
    ['csv', csv(bar(), bar(change))],
  ] as const) {
    const error = await refusal(text, { format })
    expect(error.code).toBe('request.body_invalid')
    expect(error.errors?.map(({ pointer }) => pointer)).toContain(`/rows/1/${column}`)
    expect(error.errors?.map(({ detail }) => detail).join()).toMatch(why)
  }
})

test.each([
  ['a Saturday', '2024-03-02', /is 2024-03-02, no trading day/],
  ['Good Friday', '2024-03-29', /is 2024-03-29, no trading day/],
  ['a day before the calendar', '1999-12-31', /calendar holds 2000/],
  ['a session that has not ended', '2024-03-04', /ends in the future/],
  ['31 November', '2023-11-31', /must be a date/],
])('the bar of %s is refused and the day is named', async (_name, date, why) => {
  const error = await refusal(json(day({ date })), { intervalMs: undefined })
  expect(error.errors).toHaveLength(1)
  expect(error.errors?.[0]?.pointer).toBe('/rows/0/date')
  expect(error.errors?.[0]?.detail).toMatch(why)
})

const badQuotes: [string, Row, string][] = [
  ['a bid above the ask', { bid: '10.010000001' }, 'bid'],
  ['a bid of zero', { bid: '0' }, 'bid'],
  ['a negative size', { ask_size: -1 }, 'ask_size'],
  ['a size that is no number', { ask_size: 'x' }, 'ask_size'],
  ['a time in the future', { time: '2024-03-01T21:00:00.001Z' }, 'time'],
  ['no ask', { ask: undefined }, 'ask'],
  ['21 levels', { levels: { bids: Array(21).fill(['1', '1']), asks: [] } }, 'levels'],
  [
    'rising bids',
    {
      levels: {
        bids: [
          ['1', '1'],
          ['2', '1'],
        ],
        asks: [],
      },
    },
    'levels',
  ],
  [
    'one ask twice',
    {
      levels: {
        bids: [],
        asks: [
          ['2', '1'],
          ['2', '1'],
        ],
      },
    },
    'levels',
  ],
  ['crossed levels', { levels: { bids: [['2', '1']], asks: [['1', '1']] } }, 'levels'],
]

test.each(badQuotes)('a quote with %s is refused by its column', async (_name, change, column) => {
  const error = await refusal(json(quote(), quote(change)))
  expect(new Set(error.errors?.map(({ pointer }) => pointer))).toEqual(
    new Set([`/rows/1/${column}`]),
  )
})

test.each<[string, string, Change, RegExp]>([
  ['an unknown member', json(bar({ vwap: '1' })), {}, /vwap: is not a known column/],
  ['date and time', json(bar({ date: '2024-03-01' })), {}, /must stand alone/],
  ['neither date nor time', json(bar({ time: undefined })), {}, /must stand alone/],
  ['a time without interval', json(bar()), { intervalMs: undefined }, /name its interval/],
  ['a time of a day', json(bar()), { intervalMs: 86_400_000 }, /must be a date/],
  ['a date of a minute', json(day()), {}, /for bars of a day only/],
  ['no symbol', json(bar({ symbol: undefined })), {}, /here or in the query/],
  ['another symbol', json(bar()), { symbol: 'MSFT' }, /is not the query's MSFT/],
  ['a quote of another symbol', json(quote()), { symbol: 'MSFT' }, /is not the query's MSFT/],
  ['an inexact number', json(bar()).replace('"12"', '11.123456789012345678'), {}, /not exact/],
  ['a list', '[1]', {}, /must be an object/],
  ['a quote as a bar', json(bar({ bid: '1' })), {}, /open: is not a known column/],
])('a row with %s is refused', async (_name, text, change, why) => {
  const error = await refusal(text, change)
  expect(error.errors?.map(({ detail }) => detail).join('\n')).toMatch(why)
})

test.each([
  ['an unknown column', 'time,symbol,open,high,low,close,volume,vwap', /"vwap" is not a known/],
  ['a missing column', 'time,symbol,open,high,low,close', /volume is missing/],
  ['date and time', 'date,time,symbol,open,high,low,close,volume', /"time" is not a known/],
  ['no symbol', 'date,open,high,low,close,volume', /symbol is missing/],
  ['bars and quotes', 'time,symbol,bid,ask,bid_size,ask_size,open', /"open" is not a known/],
  ['levels', 'time,symbol,bid,ask,bid_size,ask_size,levels', /"levels" is not a known/],
  ['nothing', '', /is missing/],
])('a first line with %s is refused', async (_name, header, why) => {
  const error = await refusal(header, { format: 'csv' })
  expect(error.errors?.map(({ detail }) => detail).join('\n')).toMatch(why)
})

test('the 1,001st symbol of an upload is refused', async () => {
  const rows = (count: number) =>
    json(...Array.from({ length: count }, (_, n) => quote({ symbol: `S${n}` })))
  expect(await read(rows(1_000))).toHaveLength(1_000)
  expect((await refusal(rows(1_001))).errors?.[0]?.pointer).toBe('/rows/1000/symbol')
})

test('a bar is known at the end of its interval, the bar of a day at the close', async () => {
  const times = async (text: string, change: Change = {}) =>
    (await read(text, change)).map(({ time }) => new Date(time).toISOString())
  expect(await times(json(bar()))).toEqual(['2024-03-01T15:01:00.000Z'])
  expect(await times(json(bar({ time: '2024-03-01T10:00:00-05:00' })))).toEqual([
    '2024-03-01T15:01:00.000Z',
  ])
  const days = ['2024-03-01', '2023-11-24', '2023-07-05'].map((date) => day({ date }))
  expect(await times(json(...days), { intervalMs: undefined })).toEqual([
    '2024-03-01T21:00:00.000Z',
    // The day after Thanksgiving ends at one o'clock.
    '2023-11-24T18:00:00.000Z',
    '2023-07-05T20:00:00.000Z',
  ])
})

test('bars, quotes and books may stand in one upload', async () => {
  const levels = {
    bids: [['9.99', '100']],
    asks: [
      ['10.01', 5],
      ['10.02', '7.5'],
    ],
  }
  const rows = await read(json(bar({ open: 10, volume: 1.5 }), quote({ levels })))
  expect(rows).toEqual([
    {
      ...{ type: 'bar', symbol: 'AAPL', intervalMs: minuteMs },
      ...{ time: Date.parse('2024-03-01T15:01:00Z'), volume: 1.5 },
      ...{ open: '10', high: '12', low: '9', close: '11' },
    },
    {
      ...{ type: 'quote', symbol: 'AAPL', time: Date.parse('2024-03-01T15:00:00Z') },
      ...{ bid: '9.99', ask: '10.01', bidSize: 100, askSize: 200 },
      levels: {
        bids: [['9.99', 100]],
        asks: [
          ['10.01', 5],
          ['10.02', 7.5],
        ],
      },
    },
  ])
})

test('the S&P 500 of twenty years is read whole, under the symbol of the query', async () => {
  const text = await Bun.file('node_modules/vega-datasets/data/sp500-2000.csv').text()
  const rows = await read(text, { format: 'csv', symbol: 'SPX', intervalMs: undefined })
  expect(rows).toHaveLength(5_105)
  expect(rows[0]).toMatchObject({ symbol: 'SPX', open: '1469.25', low: '1438.359985' })
  expect(rows.at(-1)).toMatchObject({ time: Date.parse('2020-04-17T20:00:00Z') })
})
