import { invariant } from '#core/invariant.ts'
import { type Hash, hashBytes } from '../tree/hash.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { type Note, parseNote, verifyNote } from './note.ts'
import { NoteError } from './note-error.ts'
import { isKeyName, type VerifierKey } from './verifier-key.ts'

/** C2SP tlog-checkpoint: what a log is at one moment. */
export type Checkpoint = { readonly origin: string; readonly size: number; readonly root: Hash }

/** The text of a note; no extension lines. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  invariant(isKeyName(origin), 'an origin is a key name')
  invariant(Number.isSafeInteger(size) && size >= 0, 'a tree size is a safe integer')
  invariant(root.length === hashBytes, 'a root has 32 bytes')
  return `${origin}\n${size}\n${encodeBase64(root)}\n`
}

const sizeText = /^(?:0|[1-9]\d{0,15})$/

/**
 * Extension lines are passed over. Throws `NoteError` `checkpoint_malformed`, for a size above
 * 2^53 − 1 too.
 */
export function parseCheckpoint(noteText: string): Checkpoint {
  const [origin = '', sizeLine = '', rootLine = '', ...rest] = noteText.split('\n')
  const root = decodeBase64(rootLine)
  const size = Number(sizeLine)
  if (!isKeyName(origin)) throw malformed('has no origin')
  if (!(sizeText.test(sizeLine) && Number.isSafeInteger(size))) throw malformed('has no size')
  if (root === undefined || root.length !== hashBytes) throw malformed('has no root hash')
  if (rest.at(-1) !== '' || rest.slice(0, -1).includes('')) throw malformed('has an empty line')
  return { origin, size, root }
}

/**
 * Reads a signed checkpoint that one of `logKeys` must have signed; its origin must be that key's
 * name. Throws `NoteError`.
 */
export function openCheckpoint(
  text: string,
  logKeys: readonly VerifierKey[],
): { readonly checkpoint: Checkpoint; readonly note: Note } {
  const note = parseNote(text)
  const checkpoint = parseCheckpoint(note.text)
  const signers = verifyNote(note, logKeys)
  // A cosignature says what somebody saw of the log, never what the log says of itself.
  const isOwn = signers.some(({ name, type }) => name === checkpoint.origin && type === 'ed25519')
  if (isOwn) return { checkpoint, note }
  throw new NoteError('origin_differs', `the checkpoint is of ${checkpoint.origin}`)
}

function malformed(problem: string): NoteError {
  return new NoteError('checkpoint_malformed', `the checkpoint ${problem}`)
}
