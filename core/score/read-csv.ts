import { Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { z } from 'zod'
import { PosternError } from '../errors.ts'
import type { RawRecord } from './raw-record.ts'
import { optionalTradeColumns, tradeColumns } from './trade.ts'

/** Characters of one record: a swap has under 800; an unclosed quote would swallow the file. */
const recordCharactersMax = 4_096
const record = z.array(z.string())

/** RFC 4180 with a header line that names the columns, in any order. */
export async function* readCsv(source: AsyncIterable<Uint8Array>): AsyncGenerator<RawRecord> {
  const parser = parse({ bom: true, max_record_size: recordCharactersMax })
  const input = Readable.from(source)
  // pipe() forwards no errors; without this an aborted upload would leave the parser waiting.
  input.on('error', (error) => parser.destroy(error))
  input.pipe(parser)
  let columns: readonly string[] | undefined
  let line = 0
  try {
    for await (const row of parser) {
      line += 1
      const cells = record.parse(row)
      if (columns === undefined) columns = checkHeader(cells)
      else yield { line, value: objectOf(columns, cells) }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    yield { line: line + 1, value: undefined, fault: describe(error) }
  } finally {
    input.destroy()
  }
  if (columns === undefined && line === 0) checkHeader([])
}

function checkHeader(columns: readonly string[]): readonly string[] {
  const problems = [
    ...columns
      .filter((column) => !tradeColumns.includes(column))
      .map((column) => `${JSON.stringify(column.slice(0, 64))} is not a known column`),
    ...columns
      .filter((column, index) => columns.indexOf(column) !== index)
      .map((column) => `${JSON.stringify(column.slice(0, 64))} stands twice`),
    ...tradeColumns
      .filter((column) => !columns.includes(column) && !optionalTradeColumns.has(column))
      .map((column) => `${column} is missing`),
  ]
  if (problems.length === 0) return columns
  throw new PosternError('request.body_invalid', {
    detail: `The first line must name the columns ${tradeColumns.join(',')}.`,
    errors: problems.slice(0, 20).map((problem) => ({
      pointer: '/header',
      detail: `line 1: ${problem}`,
    })),
  })
}

function objectOf(columns: readonly string[], cells: readonly string[]) {
  const row: Record<string, unknown> = {}
  for (const [index, column] of columns.entries()) {
    const cell = cells[index] ?? ''
    if (cell === '' && optionalTradeColumns.has(column)) continue
    row[column] = column === 'failed' ? booleanOf(cell) : cell
  }
  return row
}

function booleanOf(cell: string): boolean | string {
  if (cell === 'true') return true
  return cell === 'false' ? false : cell
}

function describe(error: CsvError): string {
  switch (error.code) {
    case 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH':
      return 'has another number of columns than the first line'
    case 'CSV_QUOTE_NOT_CLOSED':
      return 'has a quote that is not closed'
    case 'CSV_MAX_RECORD_SIZE':
      return `is longer than ${recordCharactersMax} characters`
    default:
      return 'is not well-formed CSV'
  }
}
