import { invariant } from '#core/invariant.ts'
import {
  cosignatureMessage,
  cosignatureSeconds,
  formatSignature,
  type Note,
  signaturesOf,
  verifyNote,
} from './note.ts'
import { NoteError } from './note-error.ts'
import type { NoteSigner } from './signer.ts'
import type { VerifierKey } from './verifier-key.ts'

/** The signature line, with its newline, of a checkpoint seen at `timeSeconds` (POSIX). */
export function cosign(noteText: string, timeSeconds: number, signer: NoteSigner): string {
  const { key } = signer
  invariant(key.type === 'cosignature', 'a cosigner has a key of type 0x04')
  invariant(Number.isSafeInteger(timeSeconds) && timeSeconds > 0, 'a cosignature has a time')
  const time = Buffer.alloc(8)
  time.writeBigUInt64BE(BigInt(timeSeconds))
  const signature = signer.sign(cosignatureMessage(noteText, timeSeconds))
  return formatSignature({ name: key.name, id: key.id, bytes: Buffer.concat([time, signature]) })
}

/** Undefined where the key has not cosigned; a wrong signature of it, or another type, is none. */
export function verifyCosignature(
  note: Note,
  key: VerifierKey,
): { readonly timeSeconds: number } | undefined {
  if (key.type !== 'cosignature') return undefined
  try {
    verifyNote(note, [key])
  } catch (error) {
    if (error instanceof NoteError) return undefined
    throw error
  }
  const times = signaturesOf(note, key).map(({ bytes }) => cosignatureSeconds(bytes) ?? 0)
  const timeSeconds = Math.max(...times)
  return timeSeconds > 0 ? { timeSeconds } : undefined
}
