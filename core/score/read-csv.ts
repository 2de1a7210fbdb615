import { finished } from 'node:stream/promises'
import { CsvError, parse } from 'csv-parse'
import { z } from 'zod'
import { PosternError } from '../errors.ts'
import type { RawRecord } from './raw-record.ts'
import { optionalTradeColumns, tradeColumns } from './trade.ts'

/** Characters of one record: a swap has under 800; an unclosed quote would swallow the file. */
const recordCharactersMax = 4_096
const cellsSchema = z.array(z.string())

/** RFC 4180 with a header line that names the columns, in any order. */
export async function* readCsv(source: AsyncIterable<Uint8Array>): AsyncGenerator<RawRecord> {
  const parser = createParser()
  let columns: readonly string[] | undefined
  let line = 0

  function* records(): Generator<RawRecord> {
    for (const cells of parser.take()) {
      line += 1
      if (columns === undefined) columns = checkHeader(cells)
      else yield recordOf(columns, cells, line)
    }
  }

  for await (const chunk of source) {
    const fault = await parser.write(chunk)
    yield* records()
    if (fault === undefined) continue
    yield { line: line + 1, value: undefined, fault }
    return
  }
  const fault = await parser.end()
  yield* records()
  if (fault !== undefined) yield { line: line + 1, value: undefined, fault }
  else if (columns === undefined) checkHeader([])
}

/**
 * csv-parse as a stream throws away the records before an error, and with them the place of the
 * error: they are collected as they are found instead.
 */
function createParser() {
  let rows: string[][] = []
  const parser = parse({
    bom: true,
    max_record_size: recordCharactersMax,
    relax_column_count: true,
    record_delimiter: ['\r\n', '\n'],
    on_record: (row) => {
      rows.push(cellsSchema.parse(row))
      return null
    },
  })
  const ended = finished(parser).then(() => undefined, faultOf)
  parser.resume()
  return {
    /** Resolves with what is wrong, if anything is. */
    write: (chunk: Uint8Array) =>
      new Promise<string | undefined>((resolve, reject) => {
        parser.write(chunk, (error) => {
          if (error == null) resolve(undefined)
          else ended.then(resolve, reject)
        })
      }),
    async end() {
      parser.end()
      return await ended
    },
    take(): string[][] {
      const taken = rows
      rows = []
      return taken
    },
  }
}

function recordOf(columns: readonly string[], cells: readonly string[], line: number): RawRecord {
  if (cells.length === columns.length) return { line, value: objectOf(columns, cells) }
  const fault = `has ${cells.length} columns, the first line ${columns.length}`
  return { line, value: undefined, fault }
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

function faultOf(error: unknown): string {
  if (!(error instanceof CsvError)) throw error
  switch (error.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return 'has a quote that is not closed'
    case 'CSV_MAX_RECORD_SIZE':
      return `is longer than ${recordCharactersMax} characters`
    default:
      return 'is not well-formed CSV'
  }
}
