import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { NoteError } from './note-error.ts'
import {
  formatKeyId,
  formatVerifierKey,
  isKeyName,
  type KeyType,
  keyId,
  typeByteOf,
  typeOfByte,
  type VerifierKey,
} from './verifier-key.ts'

export type NoteSigner = {
  readonly key: VerifierKey
  /** 64 bytes; Ed25519 is deterministic, so signing the same again gives the same. */
  sign(message: Uint8Array): Uint8Array
}

const seedBytes = 32
/** PKCS #8 of an Ed25519 seed, and SPKI of its key, RFC 8410. */
const privateKeyPrefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const publicKeyPrefixBytes = 12

const prefix = 'PRIVATE+KEY'

/**
 * Reads `PRIVATE+KEY+<name>+<8 hex>+<base64(type ‖ seed)>`, the form of Go's sumdb/note. Throws
 * `NoteError` `key_malformed`, which never repeats the key.
 */
export function parseSignerKey(text: string): NoteSigner {
  const parts = text.split('+')
  const [word, second, name = '', hex = ''] = parts
  const bytes = decodeBase64(parts.slice(4).join('+'))
  const type = typeOfByte(bytes?.[0])
  if (`${word}+${second}` !== prefix || !isKeyName(name)) throw malformed()
  if (bytes === undefined || type === undefined || bytes.length !== 1 + seedBytes) throw malformed()
  const signer = signerOf(name, type, bytes.subarray(1))
  if (formatKeyId(signer.key.id) !== hex) throw malformed()
  return signer
}

/** Both halves of a new key, as text. */
export function generateSignerKey(
  name: string,
  type: KeyType,
): { readonly signerKey: string; readonly verifierKey: string } {
  if (!isKeyName(name)) {
    throw new NoteError('key_malformed', 'a key name has no space, no plus and is not empty')
  }
  const seed = randomBytes(seedBytes)
  const { key } = signerOf(name, type, seed)
  const secret = encodeBase64(Buffer.from([typeByteOf(type), ...seed]))
  return {
    signerKey: `${prefix}+${name}+${formatKeyId(key.id)}+${secret}`,
    verifierKey: formatVerifierKey(key),
  }
}

function signerOf(name: string, type: KeyType, seed: Uint8Array): NoteSigner {
  const privateKey: KeyObject = createPrivateKey({
    key: Buffer.concat([privateKeyPrefix, seed]),
    format: 'der',
    type: 'pkcs8',
  })
  const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  const publicKey = new Uint8Array(der.subarray(publicKeyPrefixBytes))
  return {
    key: { name, id: keyId(name, type, publicKey), type, publicKey },
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
  }
}

function malformed(): NoteError {
  return new NoteError(
    'key_malformed',
    'not a signer key of the form PRIVATE+KEY+<name>+<id>+<key>',
  )
}
