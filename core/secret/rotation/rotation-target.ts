import type { SecretMembers } from '../secret-store.ts'

export type SuccessionPlan = {
  /** UUIDv7: calls for the same one belong together. */
  readonly rotation: string
  /** The current version is revoked: nothing that it holds may live on in the next. */
  readonly isUrgent: boolean
}

/** The members that are in force, and those that are to follow them. */
export type Succession = {
  readonly current: SecretMembers
  readonly pending: SecretMembers
  /** The current version is revoked, and may be refused already: by whoever was faster, or a thief. */
  readonly isUrgent?: boolean
}

/**
 * What a secret opens, and how its credential is changed there. Each call can be repeated, also
 * after one whose answer was lost. All throw `secret.target_unavailable` for a target that is out
 * of reach; `set` and `test` throw `secret.target_refused` where a repetition would change nothing:
 * the rotation is then undone.
 */
export type RotationTarget = {
  /**
   * Seconds between the proof of every process and the retirement, for users of the retired
   * credential that prove nothing to us; 0 or absent where there are none. An urgent rotation has none.
   */
  readonly graceSeconds?: number
  /** Members of the next version, made of the current one's. Called again where its answer was lost. */
  generate(current: SecretMembers, plan: SuccessionPlan): SecretMembers | Promise<SecretMembers>
  /**
   * What `generate` may have made for a rotation that has no pending version is worthless; absent where
   * nobody lets it in before `set`.
   */
  discard?(plan: SuccessionPlan): Promise<void>
  /**
   * Lets the pending credential in, beside the current one. First proves that the current one is
   * let in: whoever points us at another target must not have our new credential set there. Of an
   * urgent rotation that is not asked.
   */
  set(succession: Succession): Promise<void>
  /** Logs in anew with the pending credential and may do all that the current one may. */
  test(succession: Succession): Promise<void>
  /** The retired credential logs nobody in any more, and the sessions that it has opened have ended. */
  retire(secrets: { readonly kept: SecretMembers; readonly retired: SecretMembers }): Promise<void>
  /** Whether a login with it is refused, as one who has stolen it would find. */
  isRefused(retired: SecretMembers): Promise<boolean>
  /** Where a credential is a login, with sessions that outlive it; absent where it is none. */
  readonly logins?: LoginRules
}

export type LoginRules = {
  /** Who logs in with these members. Throws `secret.target_refused` where that cannot be read. */
  userOf(members: SecretMembers): string
  /** The two who take turns. */
  readonly users: readonly string[]
  /** Nobody logs in as this user any more, and its sessions have ended. */
  endUser(user: string): Promise<void>
  /** Opens a session, as a thief would before anybody notices; undefined where it is refused. */
  hold(members: SecretMembers): Promise<HeldSession | undefined>
}

export type HeldSession = {
  /** False once it has been ended from outside. */
  isOpen(): Promise<boolean>
  close(): Promise<void>
}
