import { type Hash, hashLeaf, sameHash } from '../tree/hash.ts'
import { describeRecord } from './describe-record.ts'
import type { IntakeRow, SequencedEntry } from './log-database.ts'

/** Rows of the intake, told apart by what becomes of them. */
export type PreparedBatch = {
  readonly entries: readonly SequencedEntry[]
  readonly repeated: readonly IntakeRow[]
  readonly conflicting: readonly IntakeRow[]
}

/** All that can be done to a batch before its place in the log is known. */
export function prepareBatch(rows: readonly IntakeRow[]): PreparedBatch {
  return withoutKnown(rows.map(sequenced), new Map())
}

/** Takes out what the log holds already, by the leaves of `known`. */
export function withoutKnown(
  entries: readonly SequencedEntry[],
  known: ReadonlyMap<string, Hash>,
): PreparedBatch {
  const leaves = new Map(known)
  const fresh: SequencedEntry[] = []
  const repeated: IntakeRow[] = []
  const conflicting: IntakeRow[] = []
  for (const entry of entries) {
    const leaf = leaves.get(entry.rec)
    if (leaf === undefined) {
      leaves.set(entry.rec, entry.leaf)
      fresh.push(entry)
    } else if (sameHash(leaf, entry.leaf)) {
      repeated.push(entry)
    } else {
      conflicting.push(entry)
    }
  }
  return { entries: fresh, repeated, conflicting }
}

function sequenced({ id, rec, body }: IntakeRow): SequencedEntry {
  return { id, rec, body, leaf: hashLeaf(body), description: describeRecord(body) }
}
