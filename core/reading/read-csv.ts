import { finished } from 'node:stream/promises'
import { CsvError, parse } from 'csv-parse'
import { z } from 'zod'
import { PosternError } from '../errors.ts'
import type { RawRecord } from './raw-record.ts'

/** What a header may and must name. */
export type CsvColumns = {
  /** All of them, in the order in which they are told to a caller. */
  readonly names: readonly string[]
  /** An empty cell of these is as good as none. */
  readonly optional: ReadonlySet<string>
  /** Cells of these are `true` or `false`. */
  readonly booleans: ReadonlySet<string>
}

/** Characters of one record: a swap has under 800; an unclosed quote would swallow the file. */
const recordCharactersMax = 4_096
const cellsSchema = z.array(z.string())

/**
 * RFC 4180 with a header line that names the columns, in any order; `columnsOf` says by that line
 * which ones it may name. Throws `request.body_invalid` for any other header.
 */
export async function* readCsv(
  source: AsyncIterable<Uint8Array>,
  columnsOf: (header: readonly string[]) => CsvColumns,
): AsyncGenerator<RawRecord> {
  const parser = createParser()
  let header: Header | undefined
  let line = 0

  function* records(): Generator<RawRecord> {
    for (const cells of parser.take()) {
      line += 1
      if (header === undefined) header = checkHeader(cells, columnsOf(cells))
      else yield recordOf(header, cells, line)
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
  else if (header === undefined) checkHeader([], columnsOf([]))
}

/** The columns as they stand in the first line, all of them known. */
type Header = { readonly columns: readonly string[]; readonly known: CsvColumns }

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

function recordOf(header: Header, cells: readonly string[], line: number): RawRecord {
  const { columns } = header
  if (cells.length === columns.length) return { line, value: objectOf(header, cells) }
  const fault = `has ${cells.length} columns, the first line ${columns.length}`
  return { line, value: undefined, fault }
}

function checkHeader(columns: readonly string[], known: CsvColumns): Header {
  const problems = [
    ...columns
      .filter((column) => !known.names.includes(column))
      .map((column) => `${JSON.stringify(column.slice(0, 64))} is not a known column`),
    ...columns
      .filter((column, index) => columns.indexOf(column) !== index)
      .map((column) => `${JSON.stringify(column.slice(0, 64))} stands twice`),
    ...known.names
      .filter((column) => !columns.includes(column) && !known.optional.has(column))
      .map((column) => `${column} is missing`),
  ]
  if (problems.length === 0) return { columns, known }
  throw new PosternError('request.body_invalid', {
    detail: `The first line must name the columns ${known.names.join(',')}.`,
    errors: problems.slice(0, 20).map((problem) => ({
      pointer: '/header',
      detail: `line 1: ${problem}`,
    })),
  })
}

function objectOf({ columns, known }: Header, cells: readonly string[]) {
  const row: Record<string, unknown> = {}
  for (const [index, column] of columns.entries()) {
    const cell = cells[index] ?? ''
    if (cell === '' && known.optional.has(column)) continue
    row[column] = known.booleans.has(column) ? booleanOf(cell) : cell
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
