import type { PointedError } from '../errors.ts'
import type { CsvColumns } from '../reading/read-csv.ts'
import { type CheckedRow, type RowLimits, readRows } from '../reading/read-rows.ts'
import { cellFault, type RowPlace, schemaFaults } from '../reading/row-faults.ts'
import { dayIntervalMs } from './bar-interval.ts'
import { calendarYears } from './calendar.ts'
import {
  type BarRow,
  barRowSchema,
  type MarketRow,
  type QuoteRow,
  quoteRowSchema,
} from './ingest-row.ts'
import { sessionOfDay } from './session.ts'

/** They stand in the payload of the job that applies them, and in the audit record. */
const symbolsMax = 1_000

export type MarketReaderOptions = RowLimits & {
  /** Of every row; undefined: each row names its own. */
  readonly symbol: string | undefined
  /** Of bars that are sent by their time. */
  readonly intervalMs: number | undefined
  /** An event later than this has not happened yet. */
  readonly latestMs: number
}

/**
 * Reads bars and quotes in batches. Throws `request.body_invalid` with the row and column of each
 * fault and `request.body_too_large` at either limit; keep nothing until the end.
 */
export function readMarketRows(
  source: AsyncIterable<Uint8Array>,
  options: MarketReaderOptions,
): AsyncGenerator<readonly MarketRow[]> {
  const symbols = new Set<string>()
  return readRows(source, options, {
    columnsOf: (header) => columnsOf(header, options),
    check(value, place) {
      const checked = isQuote(value)
        ? checkQuote(value, place, options)
        : checkBar(value, place, options)
      if (checked.faults !== undefined) return checked
      symbols.add(checked.row.symbol)
      if (symbols.size <= symbolsMax) return checked
      return { faults: [cellFault(place, 'symbol', `is one more than ${symbolsMax}; send parts`)] }
    },
    refusal: 'Nothing was taken: some rows are no valid bars or quotes.',
  })
}

const noBooleans: ReadonlySet<string> = new Set()

/** By its prices a header is one of quotes, by `date` one of days. */
function columnsOf(header: readonly string[], { symbol }: MarketReaderOptions): CsvColumns {
  const optional = new Set(symbol === undefined ? ['adjclose'] : ['adjclose', 'symbol'])
  const booleans = noBooleans
  if (header.includes('bid') || header.includes('ask')) {
    return { names: ['time', 'symbol', 'bid', 'ask', 'bid_size', 'ask_size'], optional, booleans }
  }
  const when = header.includes('date') ? 'date' : 'time'
  const names = [when, 'symbol', 'open', 'high', 'low', 'close', 'adjclose', 'volume']
  return { names, optional, booleans }
}

function isQuote(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('bid' in value || 'ask' in value)
}

function checkBar(
  value: unknown,
  place: RowPlace,
  options: MarketReaderOptions,
): CheckedRow<MarketRow> {
  const parsed = barRowSchema.safeParse(value)
  if (!parsed.success) return { faults: schemaFaults(parsed.error.issues, place) }
  const row = parsed.data
  const symbol = symbolOf(row.symbol, place, options)
  const end = endOf(row, place, options)
  const faults = [...symbol.faults, ...end.faults]
  if (faults.length > 0) return { faults }
  const { open, high, low, close, volume } = row
  const { intervalMs, time } = end
  return {
    row: {
      ...{ type: 'bar', symbol: symbol.symbol, intervalMs, time },
      ...{ open, high, low, close, volume },
    },
  }
}

type End = {
  readonly time: number
  readonly intervalMs: number
  readonly faults: readonly PointedError[]
}

function endOf(row: BarRow, place: RowPlace, options: MarketReaderOptions): End {
  const { intervalMs = dayIntervalMs, latestMs } = options
  const column = row.date === undefined ? 'time' : 'date'
  const fault = intervalFault(row, options)
  const time = row.date === undefined ? startOf(row) + intervalMs : closeOf(row.date)
  if (fault !== undefined) return { time, intervalMs, faults: [cellFault(place, column, fault)] }
  if (time <= latestMs) return { time, intervalMs, faults: [] }
  const detail = 'ends in the future'
  return { time, intervalMs, faults: [cellFault(place, column, detail)] }
}

function intervalFault(row: BarRow, { intervalMs }: MarketReaderOptions): string | undefined {
  if (row.date === undefined) {
    if (intervalMs === undefined) return 'is the start of a bar: name its interval in the query'
    return intervalMs === dayIntervalMs ? 'must be a date for the bar of a day' : undefined
  }
  if (intervalMs !== undefined && intervalMs !== dayIntervalMs) return 'is for bars of a day only'
  if (sessionOfDay(row.date) !== undefined) return undefined
  const { first, last } = calendarYears
  return `is ${row.date}, no trading day (the calendar holds ${first} to ${last})`
}

function startOf({ time }: BarRow): number {
  return time === undefined ? Number.NaN : Date.parse(time)
}

function closeOf(date: string): number {
  return sessionOfDay(date)?.closeMs ?? Number.NaN
}

function checkQuote(
  value: unknown,
  place: RowPlace,
  options: MarketReaderOptions,
): CheckedRow<MarketRow> {
  const parsed = quoteRowSchema.safeParse(value)
  if (!parsed.success) return { faults: schemaFaults(parsed.error.issues, place) }
  const row: QuoteRow = parsed.data
  const { symbol, faults } = symbolOf(row.symbol, place, options)
  if (faults.length > 0) return { faults }
  const time = Date.parse(row.time)
  if (time > options.latestMs) return { faults: [cellFault(place, 'time', 'lies in the future')] }
  const { bid, ask, bid_size: bidSize, ask_size: askSize, levels } = row
  return { row: { type: 'quote', symbol, time, bid, ask, bidSize, askSize, levels } }
}

function symbolOf(
  own: string | undefined,
  place: RowPlace,
  { symbol }: MarketReaderOptions,
): { readonly symbol: string; readonly faults: readonly PointedError[] } {
  if (own !== undefined && symbol !== undefined && own !== symbol) {
    return { symbol, faults: [cellFault(place, 'symbol', `is not the query's ${symbol}`)] }
  }
  const known = own ?? symbol
  if (known !== undefined) return { symbol: known, faults: [] }
  return { symbol: '', faults: [cellFault(place, 'symbol', 'must be given, here or in the query')] }
}
