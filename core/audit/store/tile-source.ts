/**
 * Where a published log is read, by the paths of C2SP tlog-tiles: `checkpoint`, `tile/0/000.p/5`,
 * `tile/entries/000`, and our own `checkpoints/<size>`. Bundles come unpacked. Safe concurrently.
 */
export type TileSource = {
  /**
   * Undefined: not there. Throws `SourceUnreachable` when that cannot be told. Bytes may be wrong:
   * a bundle that does not unpack comes as it is.
   */
  read(path: string): Promise<Uint8Array | undefined>
  /** Sizes under `checkpoints/`, ascending; undefined where a source cannot be listed. */
  listCheckpoints?(): Promise<readonly number[]>
  /**
   * Every version of an object, oldest first; only stores that keep them have this. The oldest is
   * the truth, a second one of anything but `checkpoint` an alarm, a marker always.
   */
  versions?(path: string): Promise<readonly ObjectVersion[]>
}

export type ObjectVersion = {
  readonly id: string
  readonly at: Date
  /** A marker that hides the object; it has no bytes. */
  readonly isDeleted: boolean
}

/** Nobody knows whether the object is there: not to be taken for missing. */
export class SourceUnreachable extends Error {
  override readonly name = 'SourceUnreachable'
}
