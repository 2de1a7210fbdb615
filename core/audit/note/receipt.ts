import { invariant } from '#core/invariant.ts'
import { type Hash, hashBytes, hashLeaf } from '../tree/hash.ts'
import { verifyInclusion } from '../tree/proof.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { type Checkpoint, openCheckpoint } from './checkpoint.ts'
import { verifyNote } from './note.ts'
import { NoteError } from './note-error.ts'
import { judgeQuorum, type WitnessPolicy } from './policy.ts'
import type { VerifierKey } from './verifier-key.ts'

/** C2SP tlog-proof: that an entry is in a log, for whoever has the entry; it outlives the log. */
export type Receipt = {
  readonly index: number
  /** From the leaf's sibling upward. */
  readonly proof: readonly Hash[]
  /** The signed note, verbatim. */
  readonly checkpoint: string
}

const header = 'c2sp.org/tlog-proof@v1'
/** Levels of a tree of 2^63 entries. */
const proofMax = 63
const charsMax = 131_072

export function formatReceipt({ index, proof, checkpoint }: Receipt): string {
  invariant(Number.isSafeInteger(index) && index >= 0, 'an index is a safe integer')
  const hashes = proof.map((hash) => `${encodeBase64(hash)}\n`).join('')
  return `${header}\nindex ${index}\n${hashes}\n${checkpoint}`
}

/** Throws `NoteError` `receipt_malformed`. An `extra` line is not authenticated: passed over. */
export function parseReceipt(text: string): Receipt {
  const blank = text.indexOf('\n\n')
  if (blank < 0 || text.length > charsMax) throw malformed('has no checkpoint')
  const [first, ...others] = text.slice(0, blank).split('\n')
  if (first !== header) throw malformed(`does not begin with ${header}`)
  const lines = withoutExtra(others)
  const index = parseIndex(lines[0] ?? '')
  const proof = lines.slice(1).map(parseHash)
  if (proof.length > proofMax) throw malformed('has too many hashes')
  return { index, proof, checkpoint: text.slice(blank + 2) }
}

function withoutExtra(lines: readonly string[]): readonly string[] {
  const [first = '', ...others] = lines
  if (!first.startsWith('extra ')) return lines
  if (decodeBase64(first.slice('extra '.length)) !== undefined) return others
  throw malformed('has extra data that is not base64')
}

function parseIndex(line: string): number {
  const [, digits] = /^index (0|[1-9]\d{0,15})$/.exec(line) ?? []
  const index = Number(digits)
  if (Number.isSafeInteger(index)) return index
  throw malformed('has no index')
}

function parseHash(line: string): Hash {
  const hash = decodeBase64(line)
  if (hash?.length === hashBytes) return hash
  throw malformed('has a line that is no hash')
}

/**
 * Shows that `entry` is in the log. Throws `NoteError`: what the checkpoint is refused for,
 * `signature_missing` when the policy's quorum is not reached, `receipt_refused` when the entry is
 * not the one at that index.
 */
export function verifyReceipt(
  receipt: Receipt,
  entry: Uint8Array,
  trust: { readonly logKeys: readonly VerifierKey[]; readonly policy: WitnessPolicy | undefined },
): Checkpoint {
  const { checkpoint, note } = openCheckpoint(receipt.checkpoint, trust.logKeys)
  if (trust.policy !== undefined) {
    // A wrong cosignature of a known witness spoils the note, quorum or not.
    verifyNote(note, [...trust.logKeys, ...trust.policy.witnesses.map(({ key }) => key)])
    const { satisfied, missing } = judgeQuorum(trust.policy, note)
    if (!satisfied) {
      const detail = `the quorum is not reached; missing: ${missing.join(', ')}`
      throw new NoteError('signature_missing', detail)
    }
  }
  const { size, root } = checkpoint
  const { index, proof } = receipt
  if (verifyInclusion({ index, size, leaf: hashLeaf(entry), proof, root })) return checkpoint
  throw new NoteError('receipt_refused', `entry ${index} of the log is not this record`)
}

function malformed(problem: string): NoteError {
  return new NoteError('receipt_malformed', `the receipt ${problem}`)
}
