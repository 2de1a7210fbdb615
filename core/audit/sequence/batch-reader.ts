import { intakeCursor } from './intake-cursor.ts'
import type { LogDatabase } from './log-database.ts'
import { type PreparedBatch, prepareBatch } from './prepare-batch.ts'

/** Records of one transaction; more make it longer and not faster. */
const batchMax = 4_096
/** Batches read behind each other; a record that committed late waits for the next other one. */
const inRowMax = 8

export type Batch = PreparedBatch & {
  /** The largest id of the intake in it. */
  readonly lastId: number
  /** Batches in a row that this one is the last of. */
  readonly inRow: number
  /** More are likely to wait. */
  readonly isMore: boolean
}

export type BatchReader = {
  /** Undefined where nothing waits. Throws as the database does, like `behind`. */
  first(): Promise<Batch | undefined>
  /**
   * What follows a batch that is not in the log yet; undefined where nothing does, and at times
   * where something does.
   */
  behind(batch: Batch): Promise<Batch | undefined>
  /** The batch is in the log. */
  passed(batch: Batch): void
}

/** The waiting records, a batch at a time, for as long as one leads. */
export function batchReader(database: LogDatabase, nowMs: () => number): BatchReader {
  const cursor = intakeCursor(nowMs)

  async function read(after: number, inRow: number): Promise<Batch | undefined> {
    const { rows, isMore } = await database.readIntake({ after, limit: batchMax })
    const lastId = rows.at(-1)?.id
    return lastId === undefined ? undefined : { ...prepareBatch(rows), lastId, inRow, isMore }
  }

  return {
    first: () => read(cursor.start(), 1),
    async behind({ lastId, inRow, isMore }) {
      return isMore && inRow < inRowMax ? await read(lastId, inRow + 1) : undefined
    },
    passed: ({ lastId }) => cursor.passed(lastId),
  }
}
