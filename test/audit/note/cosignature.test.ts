import { expect, test } from 'bun:test'
import { createPrivateKey, sign } from 'node:crypto'
import { formatCheckpoint } from '#core/audit/note/checkpoint.ts'
import { cosign, verifyCosignature } from '#core/audit/note/cosignature.ts'
import { formatNote, parseNote, signNote } from '#core/audit/note/note.ts'
import { generateSignerKey, parseSignerKey } from '#core/audit/note/signer.ts'
import { hashLeaf } from '#core/audit/tree/hash.ts'

const make = (name: string, type: 'ed25519' | 'cosignature') => {
  const { signerKey } = generateSignerKey(name, type)
  return { ...parseSignerKey(signerKey), signerKey }
}
const origin = 'postern.example.com/audit'
const log = make(origin, 'ed25519')
const witness = make('witness.example/w1', 'cosignature')
const text = formatCheckpoint({ origin, size: 305, root: hashLeaf(new Uint8Array()) })
const timeSeconds = 1_679_315_147
const line = cosign(text, timeSeconds, witness)
const noteWith = (...lines: string[]) => parseNote(signNote(text, [log]) + lines.join(''))
const bytesOf = (of: string) => Buffer.from(of.split(' ')[2] ?? '', 'base64')
const lineOf = (bytes: Uint8Array) =>
  `\u2014 ${witness.key.name} ${Buffer.from(bytes).toString('base64')}\n`

test('a cosignature is its time and a signature over header, time line and text', () => {
  const seed = Buffer.from(witness.signerKey.split('+').slice(4).join('+'), 'base64').subarray(1)
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const message = Buffer.from(`cosignature/v1\ntime 1679315147\n${text}`)
  const time = Buffer.from('00000000641850cb', 'hex')
  const id = Buffer.alloc(4)
  id.writeUInt32BE(witness.key.id)
  expect(line).toBe(lineOf(Buffer.concat([id, time, sign(null, message, privateKey)])))
  expect(verifyCosignature(noteWith(line), witness.key)).toEqual({ timeSeconds })
})

test('no byte of a cosignature can be changed: its time is signed too', () => {
  for (const at of bytesOf(line).keys()) {
    const bytes = bytesOf(line)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    expect(verifyCosignature(noteWith(lineOf(bytes)), witness.key)).toBeUndefined()
  }
})

test.each([
  ['nothing', ''],
  ['a cosignature cut in its time', lineOf(bytesOf(line).subarray(0, 11))],
  ['a cosignature cut at its end', lineOf(bytesOf(line).subarray(0, -1))],
  ['a cosignature with a byte more', lineOf(Buffer.concat([bytesOf(line), Buffer.alloc(1)]))],
  [
    'a wrong cosignature beside a good one',
    line + lineOf(Buffer.alloc(76).fill(bytesOf(line), 0, 4)),
  ],
])('%s does not count', (_, lines) => {
  expect(verifyCosignature(noteWith(lines), witness.key)).toBeUndefined()
})

test('a time of 0, and one that a number cannot hold, do not count', () => {
  for (const time of [0n, 2n ** 53n, 2n ** 64n - 1n]) {
    const message = Buffer.from(`cosignature/v1\ntime ${time}\n${text}`)
    const head = Buffer.alloc(8)
    head.writeBigUInt64BE(time)
    const { name, id } = witness.key
    const bytes = Buffer.concat([head, witness.sign(message)])
    const note = { text, signatures: [{ name, id, bytes }] }
    expect(verifyCosignature(parseNote(formatNote(note)), witness.key)).toBeUndefined()
  }
})

test('of two cosignatures of one witness the newer time is told', () => {
  const later = cosign(text, timeSeconds + 9, witness)
  const newest = verifyCosignature(noteWith(later, line), witness.key)
  expect(newest).toEqual({ timeSeconds: timeSeconds + 9 })
})

test('a signature of a log is no cosignature, whatever its first bytes are', () => {
  expect(verifyCosignature(noteWith(), log.key)).toBeUndefined()
})

test('a log key cannot cosign, and a cosigner\u2019s key cannot sign a note', () => {
  expect(() => cosign(text, timeSeconds, log)).toThrow('type 0x04')
  expect(() => signNote(text, [witness])).toThrow('type 0x01')
  expect(() => cosign(text, 0, witness)).toThrow('has a time')
})
