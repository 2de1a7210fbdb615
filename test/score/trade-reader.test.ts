import { expect, test } from 'bun:test'
import { PosternError } from '#core/errors.ts'
import { tradeColumns } from '#core/score/trade.ts'
import { readTrades, type TradeFormat } from '#core/score/trade-reader.ts'
import { jup, swap, wallet } from './swaps.ts'

type Row = Record<string, unknown>

const row = (change: Row = {}): Row => ({ wallet, ...swap(), ...change })
const ndjson = (rows: readonly Row[]) => rows.map((each) => JSON.stringify(each)).join('\n')
const csv = (rows: readonly Row[], columns: readonly string[] = tradeColumns) =>
  [columns, ...rows.map((each) => columns.map((column) => each[column] ?? ''))]
    .map((cells) => cells.join(','))
    .join('\n')

type Limits = { bytesMax?: number; rowsMax?: number; latestMs?: number; isOrderRequired?: boolean }

async function read(
  text: string | AsyncIterable<Uint8Array>,
  format: TradeFormat,
  limits: Limits = {},
) {
  const source = typeof text === 'string' ? new Blob([text]).stream() : text
  const batches = readTrades(source, {
    format,
    ...{ bytesMax: 1e9, rowsMax: 1e6, latestMs: Date.UTC(2026, 0, 1), isOrderRequired: true },
    ...limits,
  })
  return (await Array.fromAsync(batches)).flat()
}

async function refusal(text: string, format: TradeFormat, limits: Limits = {}) {
  try {
    await read(text, format, limits)
  } catch (error) {
    if (error instanceof PosternError) return error
    throw error
  }
  throw new Error('it was not refused')
}

const later = '2025-01-02T00:00:00Z'
const bad: [string, Row, string, RegExp][] = [
  [
    'negative quantity',
    { amountIn: '-3' },
    '/rows/1/amountIn',
    /column amountIn: must not be negative/,
  ],
  ['10^40', { usdOut: `1${'0'.repeat(40)}` }, '/rows/1/usdOut', /at most 20 digits/],
  ['NaN', { usdIn: 'NaN' }, '/rows/1/usdIn', /plain decimal/],
  ['a bad address', { mintOut: 'nobody' }, '/rows/1/mintOut', /base58 address/],
  ['out of order', { time: '2024-12-31T23:59:59Z' }, '/rows/1/time', /earlier than the row before/],
  ['the future', { time: '2026-01-01T00:00:01Z' }, '/rows/1/time', /lies in the future/],
  ['the same token twice', { mintIn: jup }, '/rows/1/mintOut', /must differ/],
]

for (const format of ['csv', 'ndjson'] as const) {
  const write = format === 'csv' ? csv : ndjson
  // The header is line 1 of a CSV.
  const line = format === 'csv' ? 3 : 2
  test.each(bad)(
    `${format}: %s is refused with row and column`,
    async (_name, change, pointer, detail) => {
      const error = await refusal(
        write([row(), row({ time: later, ...change }), row({ time: later })]),
        format,
      )
      expect(error.code).toBe('request.body_invalid')
      expect(error.errors).toHaveLength(1)
      expect(error.errors?.[0]?.pointer).toBe(pointer)
      expect(error.errors?.[0]?.detail).toMatch(detail)
      expect(error.errors?.[0]?.detail).toStartWith(`line ${line}, `)
    },
  )

  test(`${format}: a swap that stands twice is refused where order counts`, async () => {
    const twice = row()
    const error = await refusal(write([twice, twice]), format)
    expect(error.errors?.[0]?.pointer).toBe('/rows/1/signature')
    expect(await read(write([twice, twice]), format, { isOrderRequired: false })).toHaveLength(2)
  })

  test(`${format}: what comes in is what was written`, async () => {
    const rows = [row({ amountIn: '1.000000000000000001' }), row({ time: later, failed: true })]
    const [first, second] = await read(write(rows), format)
    expect(first?.amountIn).toBe(10n ** 18n + 1n)
    expect(second).toMatchObject({ failed: true, timeMs: Date.parse(later), wallet })
  })

  test(`${format}: one row and one byte past the limits are refused`, async () => {
    const text = write([row(), row({ time: later })])
    expect((await refusal(text, format, { rowsMax: 1 })).code).toBe('request.body_too_large')
    expect(await read(text, format, { rowsMax: 2 })).toHaveLength(2)
    expect((await refusal(text, format, { bytesMax: text.length - 1 })).code).toBe(
      'request.body_too_large',
    )
    expect(await read(text, format, { bytesMax: text.length })).toHaveLength(2)
  })

  test(`${format}: at most 20 faults are told`, async () => {
    const rows = Array.from({ length: 30 }, () => row({ amountIn: 'x' }))
    expect((await refusal(write(rows), format)).errors).toHaveLength(20)
  })

  test(`${format}: cut anywhere, the rows are the same`, async () => {
    const text = write([row(), row({ time: later })])
    for (const size of [1, 7, 64]) {
      const bytes = new TextEncoder().encode(text)
      async function* pieces() {
        for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size)
      }
      expect(await read(pieces(), format)).toEqual(await read(text, format))
    }
  })

  test(`${format}: a source that fails ends the reading with its error`, async () => {
    async function* broken() {
      yield new TextEncoder().encode(`${write([row()])}\n`)
      throw new Error('connection reset')
    }
    expect(read(broken(), format)).rejects.toThrow('connection reset')
  })

  test(`${format}: a batch before a bad row is handed on, and the end still throws`, async () => {
    const many = Array.from({ length: 1_500 }, () => row())
    const seen: number[] = []
    const text = write([...many, row({ amountIn: '-1' })])
    const source = new Blob([text]).stream()
    const limits = { bytesMax: 1e9, rowsMax: 1e6, latestMs: Date.now(), isOrderRequired: true }
    const reading = (async () => {
      for await (const batch of readTrades(source, { format, ...limits })) seen.push(batch.length)
    })()
    expect(reading).rejects.toThrow(PosternError)
    await reading.catch(() => undefined)
    expect(seen).toEqual([1_000])
  })
}

test('ndjson: an unknown field is named', async () => {
  const error = await refusal(ndjson([row({ profit: '9' })]), 'ndjson')
  expect(error.errors).toEqual([
    { pointer: '/rows/0/profit', detail: 'line 1, column profit: is not a known column' },
  ])
})

test.each([
  ['not JSON', '{"wallet":', /line 1: is not JSON/],
  ['a number', '17', /line 1: must be an object/],
  ['an array', '[]', /line 1: must be an object/],
  ['null', 'null', /line 1: must be an object/],
  ['a line without end', `{"wallet":"${'1'.repeat(10_000)}`, /longer than 4096 characters/],
  ['an amount that is a number', ndjson([row({ amountIn: 1e40 })]), /decimal in quotes/],
])('ndjson: %s is refused', async (_name, text, detail) => {
  expect((await refusal(text, 'ndjson')).errors?.[0]?.detail).toMatch(detail)
})

test('ndjson: blank lines and carriage returns are nothing', async () => {
  const text = `\r\n${JSON.stringify(row())}\r\n\n`
  expect(await read(text, 'ndjson')).toHaveLength(1)
})

test.each([
  ['nothing at all', '', /wallet is missing/],
  [
    'an unknown column',
    csv([row()], [...tradeColumns, 'profit']),
    /"profit" is not a known column/,
  ],
  ['a column twice', csv([row()], [...tradeColumns, 'time']), /"time" stands twice/],
  ['a missing column', csv([row()], tradeColumns.slice(1)), /wallet is missing/],
  ['a short row', `${csv([row()])}\n1,2`, /line 3: has 2 columns, the first line 11/],
  [
    'a quote that is not closed',
    `${csv([row()])}\n"${wallet},1`,
    /line 3: has a quote that is not closed/,
  ],
  ['a row without end', `${csv([row()])}\n"${'1'.repeat(10_000)}`, /longer than 4096/],
  ['a flag in words', csv([row({ failed: 'yes' })]), /column failed: must be true or false/],
  ['an empty cell', csv([row({ usdIn: '' })]), /column usdIn: must be a plain decimal/],
])('csv: %s is refused', async (_name, text, detail) => {
  expect((await refusal(text, 'csv')).errors?.[0]?.detail).toMatch(detail)
})

test('csv: a byte order mark, quotes and columns in another order are as good', async () => {
  const columns = tradeColumns.toReversed()
  const quoted = csv([row()], columns).replaceAll(wallet, `"${wallet}"`)
  expect(await read(`\uFEFF${quoted}\r\n`, 'csv')).toHaveLength(1)
})
