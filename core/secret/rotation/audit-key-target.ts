import { LogKeysError, logKeyLines, parseLogKeys } from '../../audit/note/log-keys.ts'
import { parseNote, signNote, verifyNote } from '../../audit/note/note.ts'
import { generateSignerKey } from '../../audit/note/signer.ts'
import { formatVerifierKey } from '../../audit/note/verifier-key.ts'
import type { SecretMembers } from '../secret-store.ts'
import { targetRefused } from './login-pair.ts'
import type { RotationTarget, Succession } from './rotation-target.ts'

/**
 * Verifier keys that a version remembers: a sequencer that was down for so many rotations still
 * knows the checkpoint it signed last.
 */
const rememberedMax = 8

export type AuditKeyOptions = {
  /** The member that holds the keys, as `POSTERN_AUDIT_KEYS` names it. */
  readonly member: string
}

/**
 * The key that signs the audit log. A version holds a new signer and the one before it, and every
 * checkpoint is signed by both: verifiers and witnesses have from one rotation to the next to learn
 * the new verifier key. The log's name is that of the key in force. Nothing is set anywhere; a
 * signature that was made stays valid, so that nothing is left to refuse here.
 */
export function auditKeyTarget({ member }: AuditKeyOptions): RotationTarget {
  const textIn = (members: SecretMembers) => members[member] ?? ''

  function keysIn(members: SecretMembers) {
    try {
      return parseLogKeys(textIn(members))
    } catch (error) {
      if (!(error instanceof LogKeysError)) throw error
      throw targetRefused(`the member ${member}: ${error.message}`)
    }
  }

  function refuseUnsuited({ current, pending }: Succession): void {
    const [before, next] = [keysIn(current), keysIn(pending)]
    const [inForce = ''] = before.verifiers.map(formatVerifierKey)
    const [newest = '', ...others] = next.verifiers.map(formatVerifierKey)
    if (before.verifiers.some((key) => formatVerifierKey(key) === newest)) {
      throw targetRefused('the first key is no new one')
    }
    if (!others.includes(inForce)) throw targetRefused('the key in force would not be known again')
    const name = next.signers[0]?.key.name ?? ''
    if (name !== before.signers[0]?.key.name) throw targetRefused('the keys are of another log')
    const signed = verifyNote(parseNote(signNote(`${name}\n`, next.signers)), next.verifiers)
    if (signed.length !== next.signers.length) throw targetRefused('a key does not sign')
  }

  return {
    generate(current, { isUrgent }) {
      const { signers, verifiers } = keysIn(current)
      const [newest] = signers
      const name = newest?.key.name ?? ''
      // Whoever holds a revoked key may sign: its checkpoints are known again, and no more made.
      const kept = isUrgent ? [] : logKeyLines(textIn(current)).slice(0, 1)
      const remembered = verifiers.slice(kept.length).map(formatVerifierKey)
      const lines = [generateSignerKey(name, 'ed25519').signerKey, ...kept, ...remembered]
      return { ...current, [member]: lines.slice(0, 1 + kept.length + rememberedMax).join('\n') }
    },
    set: () => Promise.resolve(),
    test: (succession) => Promise.try(() => refuseUnsuited(succession)),
    retire: () => Promise.resolve(),
    isRefused: () => Promise.resolve(true),
  }
}
