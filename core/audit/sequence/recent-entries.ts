import type { LogEntry } from './log-database.ts'

/** Bytes of records kept for publishing; what was pushed out is read from the database again. */
const bytesMax = 32_000_000

export type RecentEntries = {
  /** Entries that were just committed, the first with the index `from`. */
  add(from: number, entries: readonly LogEntry[]): void
  /** Entries `from` … `to` − 1; undefined where not all are here. */
  read(from: number, to: number): readonly LogEntry[] | undefined
}

type Batch = {
  readonly from: number
  readonly entries: readonly LogEntry[]
  readonly bytes: number
}

/** The newest entries of the log, without a gap. */
export function recentEntries(): RecentEntries {
  let batches: Batch[] = []
  let end = 0
  let bytes = 0

  return {
    add(from, entries) {
      if (from !== end) {
        batches = []
        bytes = 0
      }
      const added = entries.reduce((sum, entry) => sum + entry.body.length, 0)
      batches.push({ from, entries, bytes: added })
      end = from + entries.length
      bytes += added
      while (bytes > bytesMax) bytes -= batches.shift()?.bytes ?? bytes
    },
    read(from, to) {
      const [first] = batches
      if (first === undefined || from < first.from || to > end) return undefined
      return batches.flatMap((batch) =>
        batch.entries.slice(Math.max(0, from - batch.from), Math.max(0, to - batch.from)),
      )
    },
  }
}
