import { PosternError } from '../errors.ts'
import { nanosOf } from '../market/bar.ts'
import { dayIntervalMs } from '../market/bar-interval.ts'
import { barRowSchema } from '../market/ingest-row.ts'
import { sessionOfDay } from '../market/session.ts'
import { type RowPlace, rowFault, schemaFaults } from '../reading/row-faults.ts'
import { type Assumed, appendBar } from './assumed-book.ts'
import {
  type BarBlock,
  type BarSource,
  blockBars,
  newBlock,
  openManifest,
  type SeriesKind,
  toldBlocks,
} from './bar-block.ts'
import { type BarColumn, type BarLine, barColumns, barLineParser } from './bar-line.ts'
import { type ByteLine, byteLines } from './byte-lines.ts'
import { sessionMs } from './scenario.ts'

export type ReadBarsOptions = Assumed & {
  readonly source: AsyncIterable<Uint8Array>
  readonly format: 'csv' | 'ndjson'
  /** For the manifest and for the order's symbol. */
  readonly name: string
  readonly symbol: string
  readonly series: SeriesKind
  /** Milliseconds of a bar that is sent by its time; undefined: bars of a day, sent by their date. */
  readonly intervalMs: number | undefined
}

/**
 * Bars of a file in the columns that ingest takes, in the order of their times. Throws
 * `request.body_invalid` with line and column at the first row that is none: what was replayed
 * until then counts for nothing.
 */
export function readBars(options: ReadBarsOptions): BarSource {
  const { name, symbol, series, intervalMs, vix, spreadBasisPoints } = options
  const parameters = { name, intervalMs: intervalMs ?? dayIntervalMs, vix, spreadBasisPoints }
  const manifest = openManifest({ model: 'file', parameters, seed: undefined })
  return {
    ...{ symbol, series, priorClose: undefined, barsExpected: undefined },
    barMs: intervalMs ?? sessionMs,
    blocks: toldBlocks(readBlocks(options), manifest),
    manifest: manifest.manifest,
  }
}

async function* readBlocks(options: ReadBarsOptions): AsyncGenerator<BarBlock> {
  const lines = byteLines()
  const full: BarBlock[] = []
  const writer = blockWriter(options, (block) => full.push(block))
  const each = rowReader(options, writer.write)
  for await (const chunk of options.source) {
    lines.take(chunk, each)
    yield* full.splice(0)
  }
  lines.finish(each)
  yield* full.splice(0)
  const last = writer.rest()
  if (last.length > 0) yield last
}

/** A block of its own each time: one chunk of a file may fill several. */
function blockWriter(assumed: Assumed, onFull: (block: BarBlock) => void) {
  let block = newBlock()
  let lastMs = Number.NEGATIVE_INFINITY
  return {
    write(row: BarLine, line: number): void {
      if (!(row.time > lastMs)) refuse(line, 'is not later than the row before it; sort by time')
      lastMs = row.time
      if (block.length === blockBars) {
        onFull(block)
        block = newBlock()
      }
      appendBar(block, row, assumed)
    },
    rest: () => block,
  }
}

type TakeLine = (line: ByteLine) => void

function rowReader(
  options: ReadBarsOptions,
  write: (row: BarLine, line: number) => void,
): TakeLine {
  const row: BarLine = { time: 0, open: 0, high: 0, low: 0, close: 0, volume: 0 }
  const decoder = new TextDecoder()
  const textOf = ({ bytes, from, to }: ByteLine) => decoder.decode(bytes.subarray(from, to))
  if (options.format === 'ndjson') {
    return (line) => {
      takeChecked(row, jsonOf(textOf(line), line.number), { line: line.number, options })
      write(row, line.number)
    }
  }
  let columns: readonly BarColumn[] | undefined
  let parse: ReturnType<typeof barLineParser> | undefined
  return (line) => {
    if (columns === undefined || parse === undefined) {
      columns = columnsOf(textOf(line), options)
      parse = barLineParser({ ...options, columns })
      return
    }
    if (!parse(row, line)) {
      const checking = { line: line.number, options }
      takeChecked(row, recordOf(columns, textOf(line)), checking)
    }
    write(row, line.number)
  }
}

function columnsOf(header: string, options: ReadBarsOptions): readonly BarColumn[] {
  const names = header.replace(/^\ufeff/, '').split(',')
  const columns = names.map((name) => barColumns.find((column) => column === name.trim()))
  const unknown = columns.indexOf(undefined)
  if (unknown !== -1) refuse(1, `${names[unknown] ?? ''} is not a known column`)
  const known = columns.flatMap((column) => column ?? [])
  const needed: readonly BarColumn[] = ['open', 'high', 'low', 'close', 'volume']
  const missing = needed.filter((column) => !known.includes(column))
  const hasTime = known.includes('time') !== known.includes('date')
  if (missing.length > 0 || !hasTime || new Set(known).size < known.length) {
    refuse(1, `must name date or time, and each of ${needed.join(', ')} once`)
  }
  refuseInterval(known.includes('date'), { line: 1, options })
  return known
}

function recordOf(columns: readonly BarColumn[], text: string): Record<string, unknown> {
  const cells = text.split(',')
  const entries = columns.map((column, index) => [column, cells[index]?.replace(/^"(.*)"$/, '$1')])
  return cells.length === columns.length ? Object.fromEntries(entries) : {}
}

function jsonOf(text: string, line: number): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return refuse(line, 'is not JSON')
  }
}

type Checking = { readonly line: number; readonly options: ReadBarsOptions }

/** The rules of ingest, for what the fast parser was not sure of. */
function takeChecked(row: BarLine, value: unknown, { line, options }: Checking): void {
  const place: RowPlace = { row: line - 1, line }
  const parsed = barRowSchema.safeParse(value)
  if (!parsed.success) {
    const errors = schemaFaults(parsed.error.issues, place)
    throw new PosternError('request.body_invalid', { detail: 'The bars cannot be read.', errors })
  }
  const { date, time, open, high, low, close, volume, symbol } = parsed.data
  if (symbol !== undefined && symbol !== options.symbol) {
    refuse(line, `is of ${symbol}; one file holds one symbol, here ${options.symbol}`)
  }
  refuseInterval(date !== undefined, { line, options })
  row.time = date === undefined ? endOf(time, options) : closeOf(date, line)
  row.open = nanosOf(open)
  row.high = nanosOf(high)
  row.low = nanosOf(low)
  row.close = nanosOf(close)
  row.volume = volume
}

function refuseInterval(isDay: boolean, { line, options: { intervalMs } }: Checking): void {
  if (isDay && intervalMs !== undefined) refuse(line, 'a date is for bars of a day: no interval')
  if (!isDay && intervalMs === undefined) {
    refuse(line, 'time is the start of a bar: its interval has to be named')
  }
}

function endOf(time: string | undefined, { intervalMs }: ReadBarsOptions): number {
  return Date.parse(time ?? '') + (intervalMs ?? Number.NaN)
}

function closeOf(date: string, line: number): number {
  return sessionOfDay(date)?.closeMs ?? refuse(line, `${date} is no trading day`)
}

function refuse(line: number, detail: string): never {
  const errors = [rowFault({ row: line - 1, line }, detail)]
  throw new PosternError('request.body_invalid', { detail: 'The bars cannot be read.', errors })
}
