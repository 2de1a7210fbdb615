import type { TileSource } from './tile-source.ts'

/**
 * Where the sequencer publishes. Whatever was written stays, but for `checkpoint`. Safe
 * concurrently, but for one `writeCheckpoint` at a time. Throws `SourceUnreachable`; what failed may
 * have been written all the same.
 */
export type TileStore = TileSource & {
  /** The same bytes may be written again; others throw `TileConflict` and change nothing. */
  writeOnce(path: string, bytes: Uint8Array): Promise<void>
  /** Replaces `checkpoint`, after everything written before it is durable. */
  writeCheckpoint(bytes: Uint8Array): Promise<void>
}

/** An object that never changes is there with other bytes: an integrity alarm. */
export class TileConflict extends Error {
  override readonly name = 'TileConflict'
  readonly path: string
  constructor(path: string) {
    super(`${path} is published with other bytes`)
    this.path = path
  }
}
