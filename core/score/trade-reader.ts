import type { z } from 'zod'
import { type PointedError, PosternError } from '../errors.ts'
import type { RawRecord } from './raw-record.ts'
import { readCsv } from './read-csv.ts'
import { readNdjson } from './read-ndjson.ts'
import { type Trade, tradeOf, tradeRowSchema } from './trade.ts'

export const tradeFormats = ['csv', 'ndjson'] as const
export type TradeFormat = (typeof tradeFormats)[number]

/** Faults told to the caller; the rest of a bad file is mostly the same mistake. */
const faultsMax = 20
/** Rows handed on together. */
const batchRows = 1_000

export type TradeReaderOptions = {
  readonly format: TradeFormat
  readonly bytesMax: number
  readonly rowsMax: number
  /** A swap later than this has not happened yet. */
  readonly latestMs: number
  /** Files must be in order of time per wallet, each swap once; a stream into the store need not. */
  readonly isOrderRequired: boolean
}

/**
 * Reads swaps in batches. Throws `request.body_invalid` with the row and column of each fault (at
 * most 20) once the input is read or has too many, and `request.body_too_large` at either limit.
 * A batch may be handed on before a later row turns out bad: keep nothing until the end.
 */
export async function* readTrades(
  source: AsyncIterable<Uint8Array>,
  options: TradeReaderOptions,
): AsyncGenerator<readonly Trade[]> {
  const bounded = limitBytes(source, options.bytesMax)
  const records = options.format === 'csv' ? readCsv(bounded) : readNdjson(bounded)
  const rows = createRows(options)
  let batch: Trade[] = []
  for await (const record of records) {
    const trade = rows.take(record)
    if (rows.faults.length >= faultsMax) break
    // After the first fault the rest is read only to find its faults.
    if (trade === undefined || rows.faults.length > 0) continue
    batch.push(trade)
    if (batch.length < batchRows) continue
    yield batch
    batch = []
  }
  if (rows.faults.length > 0) refuse(rows.faults)
  if (batch.length > 0) yield batch
}

function createRows(options: TradeReaderOptions) {
  const faults: PointedError[] = []
  const sequence = createSequence()
  let count = 0
  return {
    faults,
    take(record: RawRecord): Trade | undefined {
      if (count >= options.rowsMax) refuseRows(options.rowsMax)
      const row = count
      count += 1
      const trade = checkRecord(record, { row, faults, latestMs: options.latestMs })
      if (trade === undefined || !options.isOrderRequired) return trade
      faults.push(...sequence.faults(trade, row, record.line))
      return trade
    },
  }
}

function checkRecord(
  record: RawRecord,
  context: { readonly row: number; readonly faults: PointedError[]; readonly latestMs: number },
): Trade | undefined {
  const { line, value, fault } = record
  const { row, faults, latestMs } = context
  if (fault !== undefined) {
    faults.push({ pointer: `/rows/${row}`, detail: `line ${line}: ${fault}` })
    return undefined
  }
  const parsed = tradeRowSchema.safeParse(value)
  if (!parsed.success) {
    faults.push(...schemaFaults(parsed.error.issues, row, line))
    return undefined
  }
  const trade = tradeOf(parsed.data.wallet, parsed.data)
  if (trade.timeMs <= latestMs) return trade
  faults.push(cellFault({ row, line, column: 'time', detail: 'lies in the future' }))
  return undefined
}

type Cell = {
  readonly row: number
  readonly line: number
  readonly column: string
  readonly detail: string
}

function cellFault({ row, line, column, detail }: Cell): PointedError {
  return {
    pointer: `/rows/${row}/${column.replaceAll('~', '~0').replaceAll('/', '~1')}`,
    detail: `line ${line}, column ${column}: ${detail}`,
  }
}

function schemaFaults(issues: readonly z.core.$ZodIssue[], row: number, line: number) {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const column = key.slice(0, columnCharactersMax)
        return cellFault({ row, line, column, detail: 'is not a known column' })
      })
    }
    const [column] = issue.path
    if (column === undefined) {
      return [{ pointer: `/rows/${row}`, detail: `line ${line}: must be an object of columns` }]
    }
    return [cellFault({ row, line, column: String(column), detail: issue.message })]
  })
}

/** A caller's own column name is repeated in the answer, but not at any length. */
const columnCharactersMax = 64

function createSequence() {
  const last = new Map<string, { timeMs: number; signatures: Set<string> }>()
  return {
    faults({ wallet, timeMs, signature }: Trade, row: number, line: number): PointedError[] {
      const seen = last.get(wallet)
      if (seen === undefined) {
        last.set(wallet, { timeMs, signatures: new Set([signature]) })
        return []
      }
      const faults: PointedError[] = []
      if (seen.signatures.has(signature)) {
        const detail = 'appears twice for this wallet'
        faults.push(cellFault({ row, line, column: 'signature', detail }))
      }
      if (timeMs < seen.timeMs) {
        const detail = 'is earlier than the row before it of the same wallet; sort by time'
        faults.push(cellFault({ row, line, column: 'time', detail }))
      }
      seen.signatures.add(signature)
      seen.timeMs = Math.max(seen.timeMs, timeMs)
      return faults
    },
  }
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

function refuse(faults: readonly PointedError[]): never {
  throw new PosternError('request.body_invalid', {
    detail: 'Nothing was taken: some rows are not valid swaps.',
    errors: faults.slice(0, faultsMax),
  })
}
