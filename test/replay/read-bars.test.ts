import { describe, expect, test } from 'bun:test'
import { createReadStream } from 'node:fs'
import { PosternError } from '#core/errors.ts'
import { type ReadBarsOptions, readBars } from '#core/replay/read-bars.ts'
import { barsIn, type TestBar, takeBars } from './replay-world.ts'

const base = {
  format: 'csv',
  name: 'test',
  symbol: 'SPX',
  series: 'stock',
  intervalMs: 60_000,
  vix: 20,
  spreadBasisPoints: 2,
} as const satisfies Omit<ReadBarsOptions, 'source'>
const header = 'time,open,high,low,close,volume'
const row = '2024-03-04T14:30:00Z,100,101.5,99.25,100.75,1200'

async function* bytesOf(text: string, chunk = 65_536): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at < bytes.length; at += chunk) yield bytes.slice(at, at + chunk)
}

async function read(text: string, options: Partial<ReadBarsOptions> & { chunk?: number } = {}) {
  const source = readBars({ ...base, source: bytesOf(text, options.chunk), ...options })
  const bars: TestBar[] = []
  for await (const block of source.blocks) bars.push(...barsIn(block))
  return { bars, manifest: source.manifest() }
}

async function faultsOf(text: string, options: Partial<ReadBarsOptions> = {}): Promise<string> {
  try {
    await read(text, options)
    return 'taken'
  } catch (error) {
    if (!(error instanceof PosternError)) throw error
    return [error.code, error.detail, ...(error.errors ?? []).map(({ detail }) => detail)].join(
      ' | ',
    )
  }
}

describe('a file is refused, by line and column,', () => {
  test.each([
    ['for a header without a close', 'time,open,high,low,volume', 'once'],
    ['for a column nobody knows', `${header},colour`, 'colour is not a known column'],
    ['for a column twice', `${header},open`, 'once'],
    ['for date and time together', `date,${header}`, 'date or time'],
    [
      'for a high below the low',
      `${header}\n2024-03-04T14:30:00Z,100,99,100,100,1`,
      'line 2, column high',
    ],
    [
      'for a close above the high',
      `${header}\n2024-03-04T14:30:00Z,100,101,99,102,1`,
      'line 2, column close',
    ],
    [
      'for a price of nothing',
      `${header}\n2024-03-04T14:30:00Z,0,101,0,100,1`,
      'must be above zero',
    ],
    ['for ten decimals', `${header}\n2024-03-04T14:30:00Z,1.0000000001,2,1,1,1`, 'column open'],
    ['for an exponent', `${header}\n2024-03-04T14:30:00Z,1e2,101,99,100,1`, 'column open'],
    ['for a leading zero', `${header}\n2024-03-04T14:30:00Z,0100,101,99,100,1`, 'column open'],
    ['for a negative volume', `${header}\n${row.replace('1200', '-1')}`, 'column volume'],
    ['for a time without a zone', `${header}\n${row.replace('Z', '')}`, 'column time'],
    ['for a day that is none', `${header}\n${row.replace('03-04', '02-30')}`, 'column time'],
    ['for a missing cell', `${header}\n2024-03-04T14:30:00Z,100,101,99,100`, 'line 2'],
    ['for a cell too many', `${header}\n${row},5`, 'line 2'],
    ['for a time that stands still', `${header}\n${row}\n${row}`, 'line 3: is not later'],
    ['for another symbol', `symbol,${header}\nAAPL,${row}`, 'is of AAPL'],
    ['for a line without an end', `${header}\n${'9'.repeat(5_000)}`, 'longer than 4096 bytes'],
  ])('%s', async (_, text, told) => {
    const fault = await faultsOf(text)
    expect(fault).toStartWith('request.body_invalid')
    expect(fault).toContain(told)
  })

  test('for times without an interval and for days with one', async () => {
    expect(await faultsOf(`${header}\n${row}`, { intervalMs: undefined })).toContain('interval')
    expect(await faultsOf('date,open,high,low,close,volume')).toContain('no interval')
  })

  test('for a day without trading, which it names', async () => {
    const text = `date,open,high,low,close,volume\n2024-03-02,1,1,1,1,1`
    expect(await faultsOf(text, { intervalMs: undefined })).toContain(
      '2024-03-02 is no trading day',
    )
  })

  test('for a line that is no JSON', async () => {
    expect(await faultsOf('{"open":', { format: 'ndjson' })).toContain('line 1: is not JSON')
  })
})

test('a row is its end, its prices in nanos, and a book of the assumed spread', async () => {
  const { bars, manifest } = await read(`${header}\r\n\r\n${row}\r\n`)
  expect(bars).toEqual([
    {
      time: Date.parse('2024-03-04T14:31:00Z'),
      ...{ open: 100e9, high: 101.5e9, low: 99.25e9, close: 100.75e9, volume: 1_200 },
      ...{ bid: 100.75e9 - 10_075_000, ask: 100.75e9 + 10_075_000 },
      ...{ volatility: 20, arrival: Date.parse('2024-03-04T14:31:00Z') },
    },
  ])
  expect(manifest).toMatchObject({ model: 'file', bars: 1 })
})

test.each([1, 7, 64, 1_000])(
  'in chunks of %i bytes, quoted or as NDJSON: the same bars',
  async (chunk) => {
    const generated = (await takeBars({ scenario: 'volatility', seed: 3, bars: 300 })).bars
    const rows = generated.map((bar) => ({
      time: new Date(bar.time - 60_000).toISOString().replace('.000', ''),
      open: `${bar.open / 1e9}`,
      high: `${bar.high / 1e9}`,
      low: `${bar.low / 1e9}`,
      close: `${bar.close / 1e9}`,
      volume: bar.volume,
    }))
    const plain = [header, ...rows.map((each) => Object.values(each).join(','))].join('\n')
    const quoted = [header, ...rows.map((each) => `"${Object.values(each).join('","')}"`)].join(
      '\n',
    )
    const ndjson = rows.map((each) => JSON.stringify(each)).join('\n')
    const expected = generated.map(({ time, open, high, low, close, volume }) => ({
      ...{ time, open, high, low, close, volume },
    }))
    for (const [text, format] of [
      [plain, 'csv'],
      [quoted, 'csv'],
      [ndjson, 'ndjson'],
    ] as const) {
      const { bars } = await read(text, { format, chunk })
      expect(
        bars.map(({ time, open, high, low, close, volume }) => ({
          time,
          open,
          high,
          low,
          close,
          volume,
        })),
      ).toEqual(expected)
    }
  },
)

test('the real index since 2000 is read to its last day', async () => {
  const source = readBars({
    ...base,
    source: createReadStream('node_modules/vega-datasets/data/sp500-2000.csv'),
    series: 'index',
    intervalMs: undefined,
  })
  const bars: TestBar[] = []
  for await (const block of source.blocks) bars.push(...barsIn(block))
  expect(bars).toHaveLength(5_105)
  expect(bars[0]).toMatchObject({ time: Date.parse('2000-01-03T21:00:00Z'), low: 1438.359985e9 })
  expect(bars.at(-1)?.time).toBe(Date.parse('2020-04-17T20:00:00Z'))
})
