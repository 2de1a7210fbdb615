/**
 * What is next: each step can be run again after a crash at any point of it. `settle` waits until
 * every process has proved what the pointer says; until it is over a rotation can be rolled back.
 */
export const rotationSteps = [
  'stage',
  'set',
  'test',
  'promote',
  'settle',
  'retire',
  'undo',
] as const
export type RotationStep = (typeof rotationSteps)[number]
/** `undone`: the version that was in force is in force, and the one that was to follow is worthless. */
export type RotationEnd = 'done' | 'undone'

export type Rotation = {
  /** UUIDv7: the pending version is staged under it. */
  readonly id: string
  readonly name: string
  readonly step: RotationStep | RotationEnd
  /** The pointer's, when the rotation was planned: whoever has moved it since has ended this one. */
  readonly epoch: bigint
  /** In force when it was planned. */
  readonly base: string
  readonly pending: string | undefined
  /** Hex, of the pending version's members. */
  readonly fingerprint: string | undefined
  /** How often the step has failed. */
  readonly attempts: number
  readonly error: string | undefined
  readonly nextTryAt: Date
  readonly openedBy: string
  readonly openedAt: Date
  readonly promotedAt: Date | undefined
  /** The version in force is revoked: it is retired whoever still uses it. */
  readonly isUrgent: boolean
  /** Somebody wants the version before back. */
  readonly rollBackReason: string | undefined
  /** Whoever proves nothing to us has had its time to change over. */
  readonly isDrained: boolean
}

const firstRetryMs = 10_000
export const retrySecondsMax = 300

/** Milliseconds until the next attempt: 10 s doubled up to 5 min, less up to a half of it by chance. */
export function rotationRetryMs(attempts: number, random: () => number): number {
  const whole = Math.min(firstRetryMs * 2 ** Math.max(0, attempts - 1), retrySecondsMax * 1_000)
  return Math.round(whole * (1 - random() / 2))
}

export function hasEnded({ step }: Rotation): boolean {
  return step === 'done' || step === 'undone'
}
