import type { Rotation, RotationStep } from './rotation.ts'

/** Which version of a secret is in force. */
export type SecretPointer = {
  readonly name: string
  readonly kind: string | undefined
  readonly settings: unknown
  readonly current: string
  readonly previous: string | undefined
  /** Hex, of the current version's members. */
  readonly fingerprint: string
  readonly epoch: bigint
  readonly rotationDays: number
  readonly dueAt: Date
}

export type RotationSettings = {
  readonly kind: string
  readonly settings: object
  readonly rotationDays: number
}

/** Whether a rotation may wait for those who still use the version in force. */
export type Urgency = 'can wait' | 'urgent'

/** A process that has not proved the version that is in force. */
export type Unproved = {
  readonly process: string
  readonly host: string
  readonly role: string
  /**
   * No heartbeat of late: it is gone, or nobody could beat because the database was away, or the
   * database's clock was moved.
   */
  readonly isSilent: boolean
}

/** As an operator looks for them. */
export function namesOf(processes: readonly Unproved[]): string {
  return processes
    .map(
      ({ host, role, process, isSilent }) =>
        `${role} ${process} on ${host}${isSilent ? ' (silent)' : ''}`,
    )
    .join(', ')
}

/**
 * The pointers and the rotations that move them, in Postgres: every change is one commit with its
 * audit record. A change of a rotation holds only while it is at the step that its caller saw;
 * else `secret.rotation_overtaken` is thrown and nothing is changed. All throw
 * `database.unavailable`.
 */
export type RotationJournal = {
  pointer(name: string): Promise<SecretPointer | undefined>
  /** Says how a secret is rotated, and how often. Throws `secret.unknown` where it has no pointer. */
  configure(name: string, rotation: RotationSettings, by: string): Promise<void>
  /**
   * Opens a rotation of a secret that has a pointer. Throws `secret.unknown`, or
   * `secret.rotation_open` while another one is under way.
   */
  plan(name: string, by: string, urgency?: Urgency): Promise<Rotation>
  /** From now on it waits for nobody. */
  hurry(rotation: Rotation): Promise<Rotation>
  /** Throws `secret.not_found`. */
  read(id: string): Promise<Rotation>
  /** The newest rotations of a secret, newest first. */
  history(name: string, limit: number): Promise<readonly Rotation[]>
  staged(
    rotation: Rotation,
    version: { readonly pending: string; readonly fingerprint: string },
  ): Promise<Rotation>
  move(rotation: Rotation, to: RotationStep): Promise<Rotation>
  /** To `retire`, which is taken no earlier than `graceSeconds` from now. */
  settled(rotation: Rotation, graceSeconds: number): Promise<Rotation>
  /** Moves the pointer to the pending version and tells the processes. */
  promote(rotation: Rotation): Promise<Rotation>
  /** Wants it moved back by who may: while it is settled, and not urgent. */
  askRollBack(
    rotation: Rotation,
    request: { readonly reason: string; readonly by: string },
  ): Promise<Rotation>
  /** Open rotations whose next step may be tried now. */
  due(): Promise<readonly Rotation[]>
  /** Moves it back, before anything was retired: what was pending dies instead. */
  rollBack(rotation: Rotation, reason: string): Promise<Rotation>
  /** Processes that use the secret and have not proved what the pointer says. */
  unproved(name: string): Promise<readonly Unproved[]>
  /** The step failed and is tried again after `retryMs`. */
  failed(
    rotation: Rotation,
    failure: { readonly error: string; readonly retryMs: number },
  ): Promise<Rotation>
  /** What was to follow will not: from before the promotion, for good. */
  undo(rotation: Rotation, reason: string): Promise<Rotation>
  end(rotation: Rotation): Promise<Rotation>
}
