import { type Checkpoint, parseCheckpoint } from '../note/checkpoint.ts'
import { type Note, parseNote, verifyNote } from '../note/note.ts'
import { NoteError } from '../note/note-error.ts'
import type { VerifierKey } from '../note/verifier-key.ts'
import { emptyRoot, sameHash } from '../tree/hash.ts'
import { verifyConsistency } from '../tree/proof.ts'
import { type AddCheckpoint, parseAddCheckpoint } from './add-checkpoint.ts'

/** The keys that a witness trusts, by origin; a log that changes its key has two for a while. */
export type TrustedLogs = ReadonlyMap<string, readonly VerifierKey[]>

/** A request that deserves to be held against what was cosigned last. */
export type SignedRequest = AddCheckpoint & {
  readonly checkpoint: Checkpoint
  /** With the signatures of trusted keys only. */
  readonly signed: Note
}

export type Refusal = {
  readonly status: 400 | 403 | 404 | 422
  readonly reason: string
}

/**
 * C2SP tlog-witness, add-checkpoint, as far as the request alone decides; the order of the checks
 * is the specification's. Pure.
 */
export function readRequest(body: string, logs: TrustedLogs): SignedRequest | Refusal {
  const request = parseAddCheckpoint(body)
  if (request === undefined) return { status: 400, reason: 'the body is no add-checkpoint request' }
  const read = readCheckpoint(request.note)
  if (read === undefined) return { status: 400, reason: 'the note is no signed checkpoint' }
  const { note, checkpoint } = read
  const keys = logs.get(checkpoint.origin)
  if (keys === undefined) return { status: 404, reason: 'the origin is unknown to this witness' }
  const trusted = verifiedKeys(note, keys)
  if (trusted === undefined) return { status: 403, reason: 'no valid signature of a trusted key' }
  if (request.oldSize > checkpoint.size) {
    return { status: 400, reason: 'the old size is larger than the checkpoint' }
  }
  const signatures = note.signatures.filter(({ name, id }) =>
    trusted.some((key) => key.name === name && key.id === id),
  )
  return { ...request, checkpoint, signed: { text: note.text, signatures } }
}

function readCheckpoint(text: string) {
  try {
    const note = parseNote(text)
    return { note, checkpoint: parseCheckpoint(note.text) }
  } catch (error) {
    if (error instanceof NoteError) return undefined
    throw error
  }
}

function verifiedKeys(note: Note, keys: readonly VerifierKey[]) {
  try {
    return verifyNote(note, keys)
  } catch (error) {
    if (error instanceof NoteError) return undefined
    throw error
  }
}

/** `grown`: cosign. `conflict`: the old size is not what was cosigned last, which is `size`. */
export type Judgement =
  | { readonly judgement: 'grown' }
  | { readonly judgement: 'conflict'; readonly size: number }
  /** `isFork`: both checkpoints carry the log's signature, so that nothing else need be shown. */
  | { readonly judgement: 'inconsistent'; readonly reason: string; readonly isFork: boolean }

/** The rest of it, against the checkpoint cosigned last, undefined where there is none. Pure. */
export function judgeGrowth(request: SignedRequest, latest: Checkpoint | undefined): Judgement {
  const { oldSize, proof, checkpoint } = request
  const cosignedSize = latest?.size ?? 0
  if (oldSize !== cosignedSize) return { judgement: 'conflict', size: cosignedSize }
  if (checkpoint.size === 0 && !sameHash(checkpoint.root, emptyRoot)) {
    return inconsistent('the root is not that of an empty tree')
  }
  if (oldSize === 0 && proof.length > 0) return inconsistent('a proof from size 0 is empty')
  const oldRoot = latest?.root ?? emptyRoot
  if (oldSize === checkpoint.size && !sameHash(oldRoot, checkpoint.root)) {
    return inconsistent('another root was cosigned for this size', true)
  }
  const growth = { oldSize, oldRoot, newSize: checkpoint.size, newRoot: checkpoint.root, proof }
  return verifyConsistency(growth)
    ? { judgement: 'grown' }
    : inconsistent('the consistency proof fails')
}

function inconsistent(reason: string, isFork = false): Judgement {
  return { judgement: 'inconsistent', reason, isFork }
}
