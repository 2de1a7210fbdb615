import { expect, test } from 'bun:test'
import { formatCheckpoint, openCheckpoint, parseCheckpoint } from '#core/audit/note/checkpoint.ts'
import { parseNote, signNote, verifyNote } from '#core/audit/note/note.ts'
import { NoteError } from '#core/audit/note/note-error.ts'
import { generateSignerKey, parseSignerKey } from '#core/audit/note/signer.ts'
import { formatVerifierKey, parseVerifierKey } from '#core/audit/note/verifier-key.ts'
import { emptyRoot, hashLeaf } from '#core/audit/tree/hash.ts'

/** The example of Go's golang.org/x/mod/sumdb/note. */
const goKey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const goSigner = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz'
const goText =
  'If you think cryptography is the answer to your problem,\n' +
  "then you don't know what your problem is.\n"
const goSignature =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n'

function faultOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    return error instanceof NoteError ? error.reason : String(error)
  }
}

test('a note signed by Go is verified, and signed here it is the same', () => {
  const key = parseVerifierKey(goKey)
  expect(verifyNote(parseNote(`${goText}\n${goSignature}`), [key])).toEqual([key])
  expect(signNote(goText, [parseSignerKey(goSigner)])).toBe(`${goText}\n${goSignature}`)
  expect(formatVerifierKey(key)).toBe(goKey)
})

test.each([
  [
    'another text',
    (note: string) => note.replace('problem is', 'problem was'),
    'signature_invalid',
  ],
  [
    'a changed signature',
    (note: string) => note.replace('x08go/Z', 'x08go/Y'),
    'signature_invalid',
  ],
  ['another key id', (note: string) => note.replace('x08go', 'x08gp'), 'signature_missing'],
  ['another name', (note: string) => note.replace('— Peter', '— Paul'), 'signature_missing'],
  ['no blank line', (note: string) => note.replace('\n\n', '\n'), 'note_malformed'],
  ['no last newline', (note: string) => note.slice(0, -1), 'note_malformed'],
  ['a carriage return', (note: string) => note.replace('\n', '\r\n'), 'note_malformed'],
  ['a hyphen for the dash', (note: string) => note.replace('—', '-'), 'note_malformed'],
  ['base64 without padding', (note: string) => note.replace('=\n', '\n'), 'note_malformed'],
  ['no signature', (note: string) => note.slice(0, note.indexOf('—')), 'note_malformed'],
])('a note with %s is refused', (_, change, fault) => {
  const note = change(`${goText}\n${goSignature}`)
  expect(faultOf(() => verifyNote(parseNote(note), [parseVerifierKey(goKey)]))).toBe(fault)
})

test('signatures of others are ignored, one wrong signature of a known key is not', () => {
  const key = parseVerifierKey(goKey)
  const stranger = parseSignerKey(generateSignerKey('stranger', 'ed25519').signerKey)
  const own = parseSignerKey(goSigner)
  const note = parseNote(signNote(goText, [stranger, own]))
  expect(verifyNote(note, [key])).toEqual([key])
  const [first, second] = note.signatures
  const spoiled = {
    ...second,
    name: own.key.name,
    id: own.key.id,
    bytes: first?.bytes ?? emptyRoot,
  }
  const both = { ...note, signatures: [...note.signatures, spoiled] }
  expect(faultOf(() => verifyNote(both, [key]))).toBe('signature_invalid')
})

test('a known id under another name, and a known name under another id, are strangers', () => {
  const key = parseVerifierKey(goKey)
  const note = parseNote(`${goText}\n${goSignature}`)
  const [own] = note.signatures
  const spoiled = new Uint8Array(64)
  const strangers = [
    { name: 'PaulNeumann', id: key.id, bytes: spoiled },
    { name: key.name, id: key.id + 1, bytes: spoiled },
  ]
  const signatures = own === undefined ? strangers : [...strangers, own]
  expect(verifyNote({ ...note, signatures }, [key])).toEqual([key])
  expect(faultOf(() => verifyNote({ ...note, signatures: strangers }, [key]))).toBe(
    'signature_missing',
  )
  expect(faultOf(() => verifyNote(note, []))).toBe('signature_missing')
})

test('text and signatures part at the last blank line', () => {
  const signer = parseSignerKey(goSigner)
  const text = 'a\n\nb\n'
  expect(parseNote(signNote(text, [signer])).text).toBe(text)
})

/** facts of the curve: points of order 1, 2, 4 and 8, and encodings of y past the prime. */
const weak = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
]

test.each(weak)('the key %s is refused: one signature would fit every message', (hex) => {
  const publicKey = new Uint8Array(Buffer.from(hex, 'hex'))
  const text = formatVerifierKey({ name: 'weak', id: 0, type: 'ed25519', publicKey })
  expect(faultOf(() => parseVerifierKey(text))).toBe('key_weak')
})

test.each([
  goKey.replace('c74f20a3', 'c74f20a4'),
  goKey.replace('c74f20a3', 'C74F20A3'),
  goKey.replace('PeterNeumann', 'Peter Neumann'),
  goKey.replace('PeterNeumann', ''),
  goKey.replace('+AR', '+BR'),
  goKey.replace('PeterNeumann', 'Peter\u00a0Neumann'),
  goKey.replace('PeterNeumann', 'PaulNeumann'),
  goKey.replace('PeterNeumann', 'x'.repeat(256)),
  goKey.replace('c74f20a3', 'c74f20a'),
  goKey.replace('TW', 'TW=='),
  `${goKey} `,
  goKey.slice(0, -4),
  goSigner,
  'PeterNeumann',
  '',
])('the key %s is refused', (text) => {
  expect(faultOf(() => parseVerifierKey(text))).toBe('key_malformed')
})

test('a signer key that is spoiled is refused and never repeated', () => {
  for (const text of [goSigner.replace('c74f20a3', 'c74f20a4'), goSigner.slice(0, -4), 'x', '']) {
    const error = (() => {
      try {
        return parseSignerKey(text)
      } catch (thrown) {
        return String(thrown)
      }
    })()
    expect(error).toContain('not a signer key')
    expect(error).not.toContain('AYEKFALV')
  }
})

const origin = 'postern.example.com/audit'
const root = hashLeaf(new Uint8Array())

test('a checkpoint is read as it was written', () => {
  const checkpoint = { origin, size: Number.MAX_SAFE_INTEGER, root }
  expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint)
})

test.each([
  ['a leading zero', '05'],
  ['a sign', '+5'],
  ['a fraction', '5.0'],
  ['nothing', ''],
  ['2^53', '9007199254740992'],
])('a checkpoint whose size is %s is refused', (_, size) => {
  const text = formatCheckpoint({ origin, size: 5, root }).replace('\n5\n', `\n${size}\n`)
  expect(faultOf(() => parseCheckpoint(text))).toBe('checkpoint_malformed')
})

test('no character of a signed checkpoint can be dropped, doubled or changed', () => {
  const signer = parseSignerKey(generateSignerKey(origin, 'ed25519').signerKey)
  const text = signNote(formatCheckpoint({ origin, size: 305, root }), [signer])
  for (const [at, character] of [...text].entries()) {
    for (const other of ['', character + character, character === 'A' ? 'B' : 'A', '\n']) {
      if (other === character) continue
      const altered = text.slice(0, at) + other + text.slice(at + 1)
      expect(faultOf(() => openCheckpoint(altered, [signer.key]))).toMatch(/_/)
    }
  }
})

test('a checkpoint of another log is refused, whoever signed it', () => {
  const signer = parseSignerKey(generateSignerKey(origin, 'ed25519').signerKey)
  const own = signNote(formatCheckpoint({ origin, size: 5, root }), [signer])
  expect(openCheckpoint(own, [signer.key]).checkpoint.size).toBe(5)
  const foreign = signNote(formatCheckpoint({ origin: 'other', size: 5, root }), [signer])
  expect(faultOf(() => openCheckpoint(foreign, [signer.key]))).toBe('origin_differs')
})
