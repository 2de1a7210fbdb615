import type { TileSource } from '../store/tile-source.ts'

export type EntryFilter = {
  readonly subject?: string | undefined
  readonly type?: string | undefined
  readonly requestId?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
}

export type EntryPage = {
  /** In the order of the log. */
  readonly entries: readonly LogEntryText[]
  /** Where the next page begins; undefined after the last entry that there is now. */
  readonly next: number | undefined
}

export type LogEntryText = {
  readonly index: number
  /** The record's bytes as text: RFC 8785 JSON, to be hashed as it stands. */
  readonly record: string
}

/** The log as it is read by people and programs. All methods throw `database.unavailable`. */
export type AuditReader = {
  /** Entries from an index on that fit the filter, at most `limit`. */
  list(
    range: { readonly from: number; readonly to: number | undefined; readonly limit: number },
    filter: EntryFilter,
  ): Promise<EntryPage>
  /** The entry of a record; undefined while it has no place, and for an unknown id. */
  find(rec: string): Promise<LogEntryText | undefined>
  /** What was published; undefined where no store is configured. */
  readonly published: TileSource | undefined
}
