import type { LogEntry } from './log-database.ts'

/** Bytes of records kept for publishing; what was pushed out is read from the database again. */
const bytesMax = 32_000_000

export type RecentEntries = {
  /** Entries that were just committed, the first with the index `from`. */
  add(from: number, entries: readonly LogEntry[]): void
  /** Entries `from` … `to` − 1; undefined where not all are here. */
  read(from: number, to: number): readonly LogEntry[] | undefined
}

/** The newest entries of the log, without a gap. */
export function recentEntries(): RecentEntries {
  let first = 0
  let entries: LogEntry[] = []
  let bytes = 0

  function shorten(): void {
    let count = 0
    while (bytes > bytesMax && count < entries.length) {
      bytes -= entries[count]?.body.length ?? 0
      count += 1
    }
    // Copied at times only: a copy costs as much as what is kept.
    if (count === 0) return
    entries = entries.slice(count)
    first += count
  }

  return {
    add(from, added) {
      if (from !== first + entries.length) {
        entries = []
        bytes = 0
        first = from
      }
      for (const entry of added) {
        entries.push(entry)
        bytes += entry.body.length
      }
      shorten()
    },
    read(from, to) {
      if (from < first || to > first + entries.length) return undefined
      return entries.slice(from - first, to - first)
    },
  }
}
