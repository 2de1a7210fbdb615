import { decodeBase64, encodeBase64 } from './base64.ts'
import { NoteError } from './note-error.ts'

/** `ed25519` signs note texts; `cosignature` signs them with a time (C2SP tlog-cosignature). */
export type KeyType = 'ed25519' | 'cosignature'

/** Whom to believe: the `vkey` of C2SP signed-note. */
export type VerifierKey = {
  readonly name: string
  /** The first four bytes of the key's hash, as an unsigned big-endian number. */
  readonly id: number
  readonly type: KeyType
  /** 32 bytes. */
  readonly publicKey: Uint8Array
}

const typeBytes: Readonly<Record<KeyType, number>> = { ed25519: 0x01, cosignature: 0x04 }

const publicKeyBytes = 32
/** Characters of a key name; ours are URLs without their scheme. */
const nameCharsMax = 255

const encoder = new TextEncoder()

/** Not empty, no Unicode space, no control character, no `+` (C2SP signed-note). */
export function isKeyName(name: string): boolean {
  return (
    name.length <= nameCharsMax &&
    /^[^\s+\p{White_Space}\p{Cc}]+$/u.test(name) &&
    name.isWellFormed()
  )
}

export function typeByteOf(type: KeyType): number {
  return typeBytes[type]
}

export function typeOfByte(byte: number | undefined): KeyType | undefined {
  if (byte === typeBytes.ed25519) return 'ed25519'
  return byte === typeBytes.cosignature ? 'cosignature' : undefined
}

/** SHA-256(name ‖ 0x0A ‖ type ‖ public key)[:4]. */
export function keyId(name: string, type: KeyType, publicKey: Uint8Array): number {
  const hash = new Bun.CryptoHasher('sha256')
    .update(encoder.encode(`${name}\n`))
    .update(Uint8Array.of(typeBytes[type]))
    .update(publicKey)
    .digest()
  return hash.readUInt32BE(0)
}

export function formatKeyId(id: number): string {
  return id.toString(16).padStart(8, '0')
}

/** `<name>+<8 hex>+<base64(type ‖ key)>`. */
export function formatVerifierKey({ name, id, type, publicKey }: VerifierKey): string {
  return `${name}+${formatKeyId(id)}+${encodeBase64(Buffer.from([typeBytes[type], ...publicKey]))}`
}

/**
 * Throws `NoteError`: `key_malformed`, or `key_weak` for a point under which one signature fits any
 * message.
 */
export function parseVerifierKey(text: string): VerifierKey {
  // Base64 may hold further pluses.
  const [name = '', hex = '', ...rest] = text.split('+')
  const bytes = decodeBase64(rest.join('+'))
  const type = typeOfByte(bytes?.[0])
  if (!(isKeyName(name) && /^[0-9a-f]{8}$/.test(hex))) throw malformed('is not <name>+<id>+<key>')
  if (bytes === undefined || type === undefined || bytes.length !== 1 + publicKeyBytes) {
    throw malformed('holds no Ed25519 key')
  }
  const publicKey = bytes.slice(1)
  refuseWeak(publicKey)
  const id = keyId(name, type, publicKey)
  if (formatKeyId(id) !== hex) throw malformed('has an id that is not that of its key')
  return { name, id, type, publicKey }
}

function malformed(problem: string): NoteError {
  return new NoteError('key_malformed', `a verifier key ${problem}`)
}

/**
 * Points of small order, little-endian, without the sign bit. Node's and Bun's verify take them;
 * under the identity one signature is valid for every message.
 */
const lowOrder: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
])

/** 2^255 − 19: an encoding of a y that is not below it names a point a second time. */
const fieldPrime = 2n ** 255n - 19n

/** Throws `key_weak`. */
function refuseWeak(publicKey: Uint8Array): void {
  const unsigned = publicKey.slice()
  unsigned[publicKeyBytes - 1] = (unsigned[publicKeyBytes - 1] ?? 0) & 0x7f
  const y = BigInt(`0x${Buffer.from(unsigned).reverse().toString('hex')}`)
  if (y < fieldPrime && !lowOrder.has(Buffer.from(unsigned).toString('hex'))) return
  throw new NoteError('key_weak', 'a verifier key is a point of small order or not canonical')
}
