import { formatCheckpoint } from '../note/checkpoint.ts'
import { signNote } from '../note/note.ts'
import type { NoteSigner } from '../note/signer.ts'
import { appendLeaves, frontierRoot } from '../tree/frontier.ts'
import type { LogGrowth, LogHead } from './log-database.ts'
import type { PreparedBatch } from './prepare-batch.ts'

/**
 * The log with a batch at its end, signed. What it returns leaves the process only once it is
 * committed: two signed trees of one size would be two histories.
 */
export function growLog(
  head: LogHead,
  batch: PreparedBatch,
  by: { readonly origin: string; readonly signers: readonly NoteSigner[] },
): LogGrowth {
  const { epoch, size: oldSize, root: oldRoot } = head
  const leaves = batch.entries.map((entry) => entry.leaf)
  const frontier = appendLeaves(head.frontier, oldSize, leaves)
  const root = frontierRoot(frontier)
  const size = oldSize + leaves.length
  const text = formatCheckpoint({ origin: by.origin, size, root })
  const tree = leaves.length === 0 ? undefined : { size, root, note: signNote(text, by.signers) }
  return { ...batch, epoch, oldSize, oldRoot, frontier, root, tree }
}
