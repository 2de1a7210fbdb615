/** The JSON object that a store holds under a name: non-empty texts by member name. */
export type SecretMembers = Readonly<Record<string, string>>

/** A version as its store tells of it, never its value. */
export type ListedVersion = {
  readonly version: string
  readonly isEnabled: boolean
  /** The store's own label says that a rotation of somebody's is under way with it. */
  readonly isPending: boolean
  readonly createdAt: Date
}

export type StagedSecret = {
  readonly members: SecretMembers
  /** UUID of the rotation that stages. */
  readonly rotation: string
}

/**
 * Where credentials live. The pointer row in Postgres says which version is current; what a store
 * labels is a mirror for people and other tools, and the start of a process that has no Postgres
 * yet. Values stay in memory: they never reach the environment, a file, a log line, an error, job
 * data or an audit record.
 *
 * Safe concurrently; the caller retries. All throw `secret.unavailable` for a store that is out of
 * reach, refuses us, throttles (with its `Retry-After`), or answers what is torn or no answer of
 * its API; and `secret.not_found` for a name or version that is not there, or is not there yet.
 */
export type SecretStore = {
  readonly name: SecretStoreName
  /** Names that it holds, in our spelling; what others keep beside them is left out. At most 1,000. */
  list(): Promise<readonly string[]>
  /** Newest first, deleted ones left out. Throws `secret.not_found`. */
  versions(name: string): Promise<readonly ListedVersion[]>
  /** The version that the store itself calls current. Throws `secret.not_found`. */
  currentVersion(name: string): Promise<string>
  /**
   * The members of one version, by its explicit id: never a label. Throws `secret.disabled` for a
   * version that was disabled or destroyed.
   */
  read(name: string, version: string): Promise<SecretMembers>
  /**
   * Writes a version that no reader of the current one sees where the store has such a thing, and
   * returns its id; makes the secret where there is none of the name (its first version is current).
   * Staged again under the same rotation it returns the id that is there, whatever became of the
   * first answer. Throws `secret.refused` for members that the store or Postern does not take.
   */
  stage(name: string, secret: StagedSecret): Promise<string>
  /**
   * Mirrors the pointer: `version` becomes what the store calls current and `previous` its
   * predecessor. With the ids swapped it rolls back. Repeating it changes nothing.
   */
  promote(
    name: string,
    versions: { readonly version: string; readonly previous: string },
  ): Promise<void>
  /**
   * Nobody reads the version any more, as far as the store can do that. Repeating it changes nothing.
   * Not what the store calls current: throws `secret.refused` where it cannot do without one.
   */
  disable(name: string, version: string): Promise<void>
  /** For `doctor`: throws what `read` would throw when the store is out of reach or refuses us. */
  check(): Promise<void>
}

export type SecretStoreName = 'vault' | 'aws' | 'gcp' | 'azure' | 'file' | 'memory'
