import { type PointedError, PosternError } from '../errors.ts'
import type { RawRecord } from './raw-record.ts'
import { type CsvColumns, readCsv } from './read-csv.ts'
import { readNdjson } from './read-ndjson.ts'
import { type RowPlace, rowFault } from './row-faults.ts'

export const rowFormats = ['csv', 'ndjson'] as const
export type RowFormat = (typeof rowFormats)[number]

/** Faults told to the caller; the rest of a bad file is mostly the same mistake. */
const faultsMax = 20
/** Rows handed on together. */
const batchRows = 1_000

export type RowLimits = {
  readonly format: RowFormat
  readonly bytesMax: number
  readonly rowsMax: number
}

/** What a row came to: the row, or what is wrong with it. */
export type CheckedRow<Row> =
  | { readonly row: Row; readonly faults?: undefined }
  | { readonly faults: readonly PointedError[] }

export type RowRules<Row> = {
  columnsOf(header: readonly string[]): CsvColumns
  /** Rows are checked in order, those behind a bad one too. */
  check(value: unknown, place: RowPlace): CheckedRow<Row>
  /** For the caller, beside the faults. */
  readonly refusal: string
}

/**
 * Reads rows in batches. Throws `request.body_invalid` with the row and column of each fault (at
 * most 20) once the input is read or has too many, and `request.body_too_large` at either limit.
 * A batch may be handed on before a later row turns out bad: keep nothing until the end.
 */
export async function* readRows<Row>(
  source: AsyncIterable<Uint8Array>,
  limits: RowLimits,
  rules: RowRules<Row>,
): AsyncGenerator<readonly Row[]> {
  const rows = createRows(limits, rules)
  let batch: Row[] = []
  for await (const record of recordsIn(source, limits, rules)) {
    batch.push(...rows.take(record))
    if (rows.faults.length >= faultsMax) break
    if (batch.length < batchRows) continue
    yield batch
    batch = []
  }
  if (rows.faults.length > 0) refuse(rows.faults, rules.refusal)
  if (batch.length > 0) yield batch
}

function createRows<Row>(limits: RowLimits, rules: RowRules<Row>) {
  const faults: PointedError[] = []
  let count = 0
  return {
    faults,
    /** The row, if it and all before it are good: after the first fault only faults are looked for. */
    take(record: RawRecord): readonly Row[] {
      if (count >= limits.rowsMax) refuseRows(limits.rowsMax)
      const checked = checkRecord(record, count, rules)
      count += 1
      if (checked.faults !== undefined) faults.push(...checked.faults)
      return checked.faults !== undefined || faults.length > 0 ? [] : [checked.row]
    },
  }
}

function recordsIn<Row>(
  source: AsyncIterable<Uint8Array>,
  { format, bytesMax }: RowLimits,
  { columnsOf }: RowRules<Row>,
): AsyncGenerator<RawRecord> {
  const bounded = limitBytes(source, bytesMax)
  return format === 'csv' ? readCsv(bounded, columnsOf) : readNdjson(bounded)
}

function checkRecord<Row>(
  { line, value, fault }: RawRecord,
  row: number,
  rules: RowRules<Row>,
): CheckedRow<Row> {
  const place = { row, line }
  return fault === undefined ? rules.check(value, place) : { faults: [rowFault(place, fault)] }
}

async function* limitBytes(
  source: AsyncIterable<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of source) {
    bytes += chunk.byteLength
    if (bytes > bytesMax) {
      const detail = `The input may have ${bytesMax} bytes; send it in parts.`
      throw new PosternError('request.body_too_large', { detail })
    }
    yield chunk
  }
}

function refuseRows(rowsMax: number): never {
  const detail = `The input may have ${rowsMax} rows; send it in parts.`
  throw new PosternError('request.body_too_large', { detail })
}

function refuse(faults: readonly PointedError[], detail: string): never {
  throw new PosternError('request.body_invalid', { detail, errors: faults.slice(0, faultsMax) })
}
