import { randomBytes } from 'node:crypto'
import { targetRefused } from './login-pair.ts'
import type { RotationTarget, Succession } from './rotation-target.ts'

const keyBytes = 32
/** Whoever finds one in a log knows what it is; scanners for secrets look for such prefixes. */
const prefix = 'pk_'

export type ApiKeyOptions = {
  /** The member that holds the key. */
  readonly member: string
  /** Seconds in which users outside, who prove nothing to us, read the new key. */
  readonly graceSeconds: number
}

/**
 * An opaque key that somebody compares with what the store holds: the version before it stays
 * enabled for the time of grace, and is then disabled. Nothing else is set or retired.
 */
export function apiKeyTarget({ member, graceSeconds }: ApiKeyOptions): RotationTarget {
  return {
    graceSeconds,
    generate(current) {
      // Else a slip in the name of the member would leave the key as it is.
      if (current[member] === undefined) throw targetRefused(`the member ${member} is no key`)
      return { ...current, [member]: `${prefix}${randomBytes(keyBytes).toString('base64url')}` }
    },
    set: () => Promise.resolve(),
    test: (succession) => Promise.try(() => refuseSameKey(succession, member)),
    retire: () => Promise.resolve(),
    isRefused: () => Promise.resolve(true),
  }
}

/** Throws `secret.target_refused` for a key that is none, or the one that it is to follow. */
export function refuseSameKey({ current, pending }: Succession, member: string): void {
  const key = pending[member]
  if (key === undefined || key === '') throw targetRefused(`the member ${member} is no key`)
  if (key === current[member]) throw targetRefused(`the member ${member} is no new key`)
}
