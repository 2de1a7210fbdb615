import type { Frontier } from '../tree/frontier.ts'
import type { Hash } from '../tree/hash.ts'

/** A record that waits for its place in the log. */
export type IntakeRow = {
  /** The intake's own number. Rows commit out of its order. */
  readonly id: number
  /** The record's id, a UUID. */
  readonly rec: string
  readonly body: Uint8Array
}

/** `isMore`: the limit or the bytes ended it, not the intake. */
export type IntakeRead = { readonly rows: readonly IntakeRow[]; readonly isMore: boolean }

/** The end of the log, as one leader took it over. */
export type LogHead = {
  readonly size: number
  readonly root: Hash
  readonly frontier: Frontier
  /** Counts leaders; what one writes is stored only while its epoch is the newest. */
  readonly epoch: number
  readonly frozenAt: Date | undefined
}

/** What filters ask for, read out of a record's bytes; undefined where they do not have it. */
export type Description = {
  /** Milliseconds since the epoch. */
  readonly atMs: number | undefined
  readonly type: string | undefined
  readonly subject: string | undefined
  readonly requestId: string | undefined
}

export type SequencedEntry = IntakeRow & { readonly leaf: Hash; readonly description: Description }

/** A tree that was signed. `note` is the signed checkpoint. */
export type SignedTree = { readonly size: number; readonly root: Hash; readonly note: string }

/** What one transaction makes of the log. */
export type LogGrowth = {
  readonly epoch: number
  /** Entries before it, and their root: a database put back in between may have the same size. */
  readonly oldSize: number
  readonly oldRoot: Hash
  /** In order; the first gets the index `oldSize`. */
  readonly entries: readonly SequencedEntry[]
  /** After `entries`, like `root`. */
  readonly frontier: Frontier
  readonly root: Hash
  /** Undefined where nothing is added. */
  readonly tree: SignedTree | undefined
  /** In the log already, with the same bytes: dropped. */
  readonly repeated: readonly IntakeRow[]
  /** Their id is in the log with other bytes: moved aside. */
  readonly conflicting: readonly IntakeRow[]
}

export type LogEntry = { readonly rec: string; readonly body: Uint8Array; readonly leaf: Hash }

/**
 * The log in the database. Safe with several leaders: one is effective. Throws what the driver
 * throws; after a throw of `append` nobody knows whether it happened, and only `lead`, which
 * outlasts or defeats a commit still under way, may be asked next.
 */
export type LogDatabase = {
  /** Takes the next epoch for `owner`; undefined while another leads. */
  lead(owner: string): Promise<LogHead | undefined>
  /** Stays the leader without appending; false when another leads. */
  renew(epoch: number): Promise<boolean>
  /** Lets another lead at once. */
  release(epoch: number): Promise<void>
  /**
   * Waiting records with an id above `after`, by id, at most `limit` and a few megabytes. Locks
   * nothing: only an append takes them away.
   */
  readIntake(range: { readonly after: number; readonly limit: number }): Promise<IntakeRead>
  /**
   * All of it or nothing, and after the append that was called before. `superseded`: another leads.
   * `repeated`: one of the record ids is in the log already; ask `leavesOf`.
   */
  append(growth: LogGrowth): Promise<'appended' | 'superseded' | 'repeated'>
  /** The leaves of those of the record ids that are in the log. */
  leavesOf(recs: readonly string[]): Promise<ReadonlyMap<string, Hash>>
  /**
   * No more records, ever. False when another leads, the log has grown or a record waits. Writers
   * wait meanwhile, and are refused afterwards.
   */
  freeze(head: LogHead): Promise<boolean>
  treeAt(size: number): Promise<SignedTree | undefined>
  newestTree(): Promise<SignedTree | undefined>
  /** Entries `from` … `to` − 1. */
  readEntries(from: number, to: number): Promise<LogEntry[]>
  notePublished(size: number): Promise<void>
  noteWitnessed(size: number, note: string): Promise<void>
  /** How many records wait, counted up to a bound, and the id of the oldest. */
  backlog(): Promise<{ readonly records: number; readonly oldestRec: string | undefined }>
  /**
   * Adds entries that were published and lost here, at the end of the log; `tree` where they end
   * with a signed one. False when another leads or the log has grown.
   */
  restore(lost: LostEntries): Promise<boolean>
}

export type LostEntries = {
  readonly epoch: number
  readonly oldSize: number
  readonly oldRoot: Hash
  readonly entries: readonly (LogEntry & { readonly description: Description })[]
  readonly frontier: Frontier
  readonly root: Hash
  readonly tree: SignedTree | undefined
}
