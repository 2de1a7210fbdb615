import type { PointedError } from '../errors.ts'
import type { CsvColumns } from '../reading/read-csv.ts'
import { type RowFormat, readRows, rowFormats } from '../reading/read-rows.ts'
import { cellFault, type RowPlace, schemaFaults } from '../reading/row-faults.ts'
import { optionalTradeColumns, type Trade, tradeColumns, tradeOf, tradeRowSchema } from './trade.ts'

export const tradeFormats = rowFormats
export type TradeFormat = RowFormat

export type TradeReaderOptions = {
  readonly format: TradeFormat
  readonly bytesMax: number
  readonly rowsMax: number
  /** A swap later than this has not happened yet. */
  readonly latestMs: number
  /** Files must be in order of time per wallet, each swap once; a stream into the store need not. */
  readonly isOrderRequired: boolean
}

const columns: CsvColumns = {
  names: tradeColumns,
  optional: optionalTradeColumns,
  booleans: new Set(['failed']),
}

/**
 * Reads swaps in batches. Throws `request.body_invalid` with the row and column of each fault (at
 * most 20) once the input is read or has too many, and `request.body_too_large` at either limit.
 * A batch may be handed on before a later row turns out bad: keep nothing until the end.
 */
export function readTrades(
  source: AsyncIterable<Uint8Array>,
  options: TradeReaderOptions,
): AsyncGenerator<readonly Trade[]> {
  const sequence = createSequence()
  return readRows(source, options, {
    columnsOf: () => columns,
    check(value, place) {
      const parsed = tradeRowSchema.safeParse(value)
      if (!parsed.success) return { faults: schemaFaults(parsed.error.issues, place) }
      const row = tradeOf(parsed.data.wallet, parsed.data)
      if (row.timeMs > options.latestMs) {
        return { faults: [cellFault(place, 'time', 'lies in the future')] }
      }
      const faults = options.isOrderRequired ? sequence.faults(row, place) : []
      return faults.length > 0 ? { faults } : { row }
    },
    refusal: 'Nothing was taken: some rows are not valid swaps.',
  })
}

function createSequence() {
  const last = new Map<string, { timeMs: number; signatures: Set<string> }>()
  return {
    faults({ wallet, timeMs, signature }: Trade, place: RowPlace): PointedError[] {
      const seen = last.get(wallet)
      if (seen === undefined) {
        last.set(wallet, { timeMs, signatures: new Set([signature]) })
        return []
      }
      const faults: PointedError[] = []
      if (seen.signatures.has(signature)) {
        const detail = 'appears twice for this wallet'
        faults.push(cellFault(place, 'signature', detail))
      }
      if (timeMs < seen.timeMs) {
        const detail = 'is earlier than the row before it of the same wallet; sort by time'
        faults.push(cellFault(place, 'time', detail))
      }
      seen.signatures.add(signature)
      seen.timeMs = Math.max(seen.timeMs, timeMs)
      return faults
    },
  }
}
