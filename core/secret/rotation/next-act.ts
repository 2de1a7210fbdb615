import type { Rotation } from './rotation.ts'

/** How far the death of a revoked version has come. */
export type RevokedVersion = {
  readonly version: string
  /** What the pointer says. */
  readonly current: string
  /** The rotation under way. */
  readonly open: Rotation | undefined
  /** It is a login: the one that takes turns with it shares nothing with it. */
  readonly isLogin: boolean
  /** Everything was made anew since it was revoked, and is in force. */
  readonly isReplaced: boolean
}

/** `end`: nothing uses it, so that it only has to be seen that it is refused. */
export type RevocationAct = 'plan' | 'run' | 'hurry' | 'undo' | 'roll_back' | 'end'

/**
 * What brings a revoked version nearer to its end. A login in force is rotated away from; a version
 * that others are made of (keys that overlap) takes all of them with it.
 */
export function nextAct(state: RevokedVersion): RevocationAct {
  const { version, current, open, isLogin, isReplaced } = state
  if (open !== undefined) {
    const act = isLogin ? actOnLogin(open, version) : actOnKeys(open)
    if (act !== undefined) return act
  }
  if (isLogin) return version === current ? 'plan' : 'end'
  return isReplaced ? 'end' : 'plan'
}

/** Undefined where the rotation has nothing to do with it. */
function actOnLogin(open: Rotation, version: string): RevocationAct | undefined {
  if (version === open.base) return open.isUrgent ? 'run' : 'hurry'
  if (version !== open.pending) return undefined
  if (isUndone(open)) return open.isUrgent ? 'run' : 'hurry'
  if (open.promotedAt === undefined) return 'undo'
  // Where the one before may be retired already, what is in force is rotated away from next.
  if (open.step === 'settle') return 'roll_back'
  return open.isUrgent ? 'run' : 'hurry'
}

function actOnKeys(open: Rotation): RevocationAct {
  if (open.isUrgent) return 'run'
  return open.promotedAt === undefined && !isUndone(open) ? 'undo' : 'hurry'
}

/** On its way back: rolled back, or refused. */
function isUndone({ step, promotedAt }: Rotation): boolean {
  return step === 'undo' || (step === 'settle' && promotedAt === undefined)
}
