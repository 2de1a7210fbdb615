import { intakeCursor } from './intake-cursor.ts'
import type { LogDatabase } from './log-database.ts'
import { type PreparedBatch, prepareBatch } from './prepare-batch.ts'

/** Records of one transaction; more make it longer and not faster. */
const batchMax = 4_096
/** Batches read ahead in a row; a record that committed late waits for the next other one. */
const aheadMax = 8

export type Batch = PreparedBatch & {
  /** More are likely to wait. */
  readonly isMore: boolean
  /** The largest id of the intake in it. */
  readonly lastId: number
}

export type BatchReader = {
  /** The batch that was read ahead, or else one that is read now; throws as the database does. */
  next(): Promise<Batch>
  /** Reads and hashes what follows a batch while that is being committed. */
  readAhead(batch: Batch): void
  /** The batch is in the log. */
  passed(batch: Batch): void
}

/** The waiting records, a batch at a time. One leadership long: what it read ahead goes with it. */
export function batchReader(database: LogDatabase, nowMs: () => number): BatchReader {
  const cursor = intakeCursor(nowMs)
  let ahead: Promise<Batch | undefined> | undefined
  let inRow = 0

  async function read(after: number): Promise<Batch> {
    const { rows, isMore } = await database.readIntake({ after, limit: batchMax })
    return { ...prepareBatch(rows), isMore, lastId: rows.at(-1)?.id ?? after }
  }

  return {
    async next() {
      const taken = await ahead
      ahead = undefined
      if (taken !== undefined) return taken
      inRow = 0
      return await read(cursor.start())
    },
    readAhead(batch) {
      if (!batch.isMore || inRow >= aheadMax) return
      inRow += 1
      // What fails here is read again, and fails, where it can be told.
      ahead = read(batch.lastId).catch(() => undefined)
    },
    passed(batch) {
      cursor.passed(batch.lastId)
    },
  }
}
