import { type Checkpoint, openCheckpoint } from '../note/checkpoint.ts'
import type { Note } from '../note/note.ts'
import { NoteError } from '../note/note-error.ts'
import type { VerifierKey } from '../note/verifier-key.ts'
import { SourceUnreachable, type TileSource } from '../store/tile-source.ts'
import { historyPath } from './check-history.ts'
import type { Finding } from './findings.ts'
import type { LogReader } from './log-reader.ts'

/** A log is published history first: for how long `checkpoint` may be behind it, and be asked again. */
const publishMsMax = 3_000
const askAgainMs = 250

export type OpenedLog = {
  readonly checkpoint: Checkpoint
  readonly note: Note
}

export type PublishedLog = {
  /** Undefined where it is missing or refused; a finding says which. */
  readonly opened: OpenedLog | undefined
  /** Sizes under `checkpoints/`, ascending; undefined where the source cannot list them. */
  readonly sizes: readonly number[] | undefined
}

/**
 * Reads the checkpoint and believes it if one of the keys signed it. A checkpoint behind one that
 * was published before is a rollback.
 */
export async function openLog(options: {
  readonly source: TileSource
  readonly reader: LogReader
  readonly logKeys: readonly VerifierKey[]
  readonly add: (finding: Finding) => void
}): Promise<PublishedLog> {
  const { source, reader, logKeys, add } = options
  // Listed first: whatever is published meanwhile makes the checkpoint larger, not smaller.
  const sizes = await listSizes(source, add)
  const newest = sizes?.at(-1) ?? 0
  let opened = await openNewest(reader, logKeys)
  for (let waited = 0; isBehind(opened, newest) && waited < publishMsMax; waited += askAgainMs) {
    await Bun.sleep(askAgainMs)
    opened = await openNewest(reader, logKeys)
  }
  if (!('checkpoint' in opened)) {
    opened.forEach(add)
    return { opened: undefined, sizes }
  }
  const { size } = opened.checkpoint
  if (size < newest) {
    const path = historyPath(newest)
    add({ code: 'truncated', path, detail: `checkpoint is of size ${size}, ${path} was published` })
  }
  return { opened, sizes }
}

function isBehind(opened: OpenedLog | readonly Finding[], newest: number): boolean {
  return 'checkpoint' in opened && opened.checkpoint.size < newest
}

/** The newest checkpoint if one of the keys signed it, or what is wrong with it. */
export async function openNewest(
  reader: LogReader,
  logKeys: readonly VerifierKey[],
): Promise<OpenedLog | readonly Finding[]> {
  const path = 'checkpoint'
  const { value, findings } = await reader.note(path)
  if (value === undefined) return findings
  try {
    return openCheckpoint(value, logKeys)
  } catch (error) {
    if (!(error instanceof NoteError)) throw error
    return [{ code: 'checkpoint_refused', path, detail: error.message }]
  }
}

async function listSizes(
  source: TileSource,
  add: (finding: Finding) => void,
): Promise<readonly number[] | undefined> {
  try {
    return await source.listCheckpoints?.()
  } catch (error) {
    if (!(error instanceof SourceUnreachable)) throw error
    add({ code: 'source_unreachable', path: 'checkpoints', detail: error.message })
    return undefined
  }
}
