import { randomBytes } from 'node:crypto'
import type { SecretMembers } from '../secret-store.ts'
import { previousKeyMember, webhookKeysIn } from '../webhook-keys.ts'
import { targetRefused } from './login-pair.ts'
import type { RotationTarget, Succession, SuccessionPlan } from './rotation-target.ts'

/** Standard Webhooks 1.0 wants 24 to 64. */
const keyBytes = 32
const standardPrefix = 'whsec_'

export type WebhookKeyOptions = {
  /** The member that holds the key, as `POSTERN_WEBHOOK_KEY` names it. */
  readonly member: string
}

/**
 * A key that signs webhooks. Each version holds the key before it too and deliveries are signed with
 * both, so that a receiver has from one rotation to the next to learn the new one. Nothing is set
 * anywhere, and what a receiver accepts is the receiver's: nothing is left to refuse here.
 */
export function webhookKeyTarget({ member }: WebhookKeyOptions): RotationTarget {
  const keyIn = (members: SecretMembers) => {
    const key = members[member]
    if (key !== undefined && member !== previousKeyMember) return key
    throw targetRefused(`the member ${member} is no key`)
  }
  function refuseUnsuited({ current, pending }: Succession): void {
    const [key, previous] = [keyIn(pending), pending[previousKeyMember]]
    if (webhookKeysIn(current, member).includes(key)) throw targetRefused('the key is no new one')
    if (previous !== undefined && previous !== keyIn(current)) {
      throw targetRefused('the key before it is not the one in force')
    }
  }

  return {
    generate(current, { isUrgent }: SuccessionPlan) {
      const old = keyIn(current)
      const { [previousKeyMember]: _, ...kept } = current
      const next = { ...kept, [member]: keyLike(old) }
      // What is revoked may be known to whoever signs in our name.
      return isUrgent ? next : { ...next, [previousKeyMember]: old }
    },
    set: () => Promise.resolve(),
    test: (succession) => Promise.try(() => refuseUnsuited(succession)),
    retire: () => Promise.resolve(),
    isRefused: () => Promise.resolve(true),
  }
}

/** In the form of the one in force: a receiver changes its key, never its code. */
function keyLike(old: string): string {
  const bytes = randomBytes(keyBytes)
  if (old.startsWith(standardPrefix)) return `${standardPrefix}${bytes.toString('base64')}`
  return bytes.toString('base64url')
}
