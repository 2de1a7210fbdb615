import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { invariant } from '#core/invariant.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { NoteError } from './note-error.ts'
import type { NoteSigner } from './signer.ts'
import { isKeyName, type VerifierKey } from './verifier-key.ts'

/** C2SP signed-note: a text and signatures over it. */
export type Note = {
  /** What is signed, final newline included. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

export type NoteSignature = {
  readonly name: string
  readonly id: number
  /** Without the key id in front. */
  readonly bytes: Uint8Array
}

/** 64 KiB of UTF-8; a checkpoint with its cosignatures has some thousand bytes. */
const noteBytesMax = 65_536
/** Past two log keys in their overlap and 32 witnesses; Go's sumdb/note has the same limit. */
const signaturesMax = 100
const idBytes = 4
const timeBytes = 8

const encoder = new TextEncoder()

/** Throws `NoteError` `note_malformed`. */
export function parseNote(text: string): Note {
  if (Buffer.byteLength(text) > noteBytesMax) throw malformed('is too long')
  if (!text.isWellFormed()) throw malformed('is no Unicode text')
  if (controlCharacter.test(text)) throw malformed('holds a control character')
  // The last blank line: the text may hold others.
  const at = text.lastIndexOf('\n\n')
  if (at < 0) throw malformed('has no blank line before its signatures')
  const lines = text.slice(at + 2)
  if (!lines.endsWith('\n')) throw malformed('has no signature, or its last line has no end')
  const signatures = lines.slice(0, -1).split('\n')
  if (signatures.length > signaturesMax) throw malformed('has too many signatures')
  return { text: text.slice(0, at + 1), signatures: signatures.map(parseSignature) }
}

/** All below U+0020 but the newline. */
const controlCharacter = /[^\n\u{20}-\u{10ffff}]/u

const signatureLine = /^\u2014 ([^ ]+) ([^ ]+)$/

/** `— <name> <base64(id ‖ signature)>`. Throws `NoteError` `note_malformed`. */
function parseSignature(line: string): NoteSignature {
  const [, name = '', base64 = ''] = signatureLine.exec(line) ?? []
  const bytes = decodeBase64(base64)
  if (!isKeyName(name) || bytes === undefined || bytes.length <= idBytes) {
    throw malformed('has a signature line of another form')
  }
  return { name, id: Buffer.from(bytes).readUInt32BE(0), bytes: bytes.slice(idBytes) }
}

/** One line, with its newline. */
export function formatSignature({ name, id, bytes }: NoteSignature): string {
  const head = Buffer.alloc(idBytes)
  head.writeUInt32BE(id)
  return `\u2014 ${name} ${encodeBase64(Buffer.concat([head, bytes]))}\n`
}

export function formatNote({ text, signatures }: Note): string {
  return `${text}\n${signatures.map(formatSignature).join('')}`
}

/** Signs `text`, which ends in a newline, with every signer in turn. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  invariant(text.endsWith('\n'), 'a note text ends in a newline')
  const message = encoder.encode(text)
  const signatures = signers.map(({ key, sign }) => {
    invariant(key.type === 'ed25519', 'a note is signed by a key of type 0x01')
    return { name: key.name, id: key.id, bytes: sign(message) }
  })
  return formatNote({ text, signatures })
}

/**
 * The keys whose signature stands under the note. Signatures of others are ignored, also where only
 * name or id is known. Throws `NoteError`: `signature_invalid` when one of a given key is wrong,
 * `signature_missing` when none is there.
 */
export function verifyNote(note: Note, keys: readonly VerifierKey[]): readonly VerifierKey[] {
  const signed = keys.filter((key) => {
    const own = signaturesOf(note, key)
    if (!own.every((signature) => isValid(note.text, signature.bytes, key))) {
      throw new NoteError('signature_invalid', `a signature of ${key.name} is wrong`)
    }
    return own.length > 0
  })
  if (signed.length > 0) return signed
  throw new NoteError('signature_missing', 'no signature of a known key')
}

export function signaturesOf(note: Note, key: VerifierKey): readonly NoteSignature[] {
  return note.signatures.filter(({ name, id }) => name === key.name && id === key.id)
}

/** POSIX seconds of a cosignature's bytes. */
export function cosignatureSeconds(bytes: Uint8Array): number | undefined {
  if (bytes.length < timeBytes) return undefined
  const seconds = Buffer.from(bytes).readBigUInt64BE(0)
  return seconds <= Number.MAX_SAFE_INTEGER ? Number(seconds) : undefined
}

/** What a cosigner signs (C2SP tlog-cosignature). */
export function cosignatureMessage(text: string, seconds: number): Uint8Array {
  return encoder.encode(`cosignature/v1\ntime ${seconds}\n${text}`)
}

function isValid(text: string, bytes: Uint8Array, key: VerifierKey): boolean {
  if (key.type === 'ed25519') return verifyEd25519(encoder.encode(text), bytes, key)
  const seconds = cosignatureSeconds(bytes)
  if (seconds === undefined) return false
  return verifyEd25519(cosignatureMessage(text, seconds), bytes.subarray(timeBytes), key)
}

const signatureBytes = 64
/** SPKI of a raw Ed25519 key, RFC 8410. */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')

const publicKeys = new WeakMap<VerifierKey, KeyObject>()

function verifyEd25519(message: Uint8Array, bytes: Uint8Array, key: VerifierKey): boolean {
  if (bytes.length !== signatureBytes) return false
  let object = publicKeys.get(key)
  if (object === undefined) {
    const der = Buffer.concat([spkiPrefix, key.publicKey])
    object = createPublicKey({ key: der, format: 'der', type: 'spki' })
    publicKeys.set(key, object)
  }
  return verify(null, message, object, bytes)
}

function malformed(problem: string): NoteError {
  return new NoteError('note_malformed', `the note ${problem}`)
}
