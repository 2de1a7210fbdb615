import { expect, test } from 'bun:test'
import { decodeBase64, encodeBase64 } from '#core/audit/note/base64.ts'
import { formatCheckpoint, openCheckpoint, parseCheckpoint } from '#core/audit/note/checkpoint.ts'
import { cosign } from '#core/audit/note/cosignature.ts'
import { formatNote, parseNote, signNote, verifyNote } from '#core/audit/note/note.ts'
import { NoteError } from '#core/audit/note/note-error.ts'
import { generateSignerKey, parseSignerKey } from '#core/audit/note/signer.ts'
import { parseVerifierKey } from '#core/audit/note/verifier-key.ts'
import { hashLeaf } from '#core/audit/tree/hash.ts'
import { seededRandom } from '../verify/seeded-random.ts'

function faultOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    return error instanceof NoteError ? error.reason : String(error)
  }
}

const make = (name: string, type: 'ed25519' | 'cosignature') =>
  parseSignerKey(generateSignerKey(name, type).signerKey)
const origin = 'postern.example.com/audit'
const log = make(origin, 'ed25519')
const root = hashLeaf(new Uint8Array())
const text = formatCheckpoint({ origin, size: 5, root })
const signed = signNote(text, [log])
const line = signed.slice(text.length + 1)

/** C2SP signed-note, tlog-checkpoint and tlog-cosignature: the examples they print. */
const specificationNote =
  'This is an example message.\n\n' +
  '— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n'
const specificationKey = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
const specificationCheckpoint =
  'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n' +
  '— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n' +
  '— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n'

test('the example note of the specification verifies under its key, and no other text does', () => {
  const key = parseVerifierKey(specificationKey)
  expect(verifyNote(parseNote(specificationNote), [key])).toEqual([key])
  const other = parseNote(specificationNote.replace('example message', 'example massage'))
  expect(faultOf(() => verifyNote(other, [key]))).toBe('signature_invalid')
})

test('the example checkpoint of the specification is read and written back the same', () => {
  const note = parseNote(specificationCheckpoint)
  expect(parseCheckpoint(note.text)).toMatchObject({
    origin: 'example.com/behind-the-sofa',
    size: 20_852_163,
  })
  expect(note.signatures.map(({ name, bytes }) => [name, bytes.length])).toEqual([
    ['example.com/behind-the-sofa', 64],
    ['witness.example.com/w1', 72],
  ])
  expect(formatNote(note)).toBe(specificationCheckpoint)
})

const controls = Array.from({ length: 0x20 }, (_, code) => code).filter((code) => code !== 0x0a)

test.each(controls)('a note whose text holds the control character %p is refused', (code) => {
  const note = signed.replace('postern', `post${String.fromCharCode(code)}ern`)
  expect(faultOf(() => parseNote(note))).toBe('note_malformed')
})

test.each(['\u007f', '\u0085', '\u00a0', '\u2028', 'è', '😀'])(
  'a note whose text holds %j is read: only what is below U+0020 is forbidden',
  (character) => {
    const spoken = `a ${character} b\n`
    expect(verifyNote(parseNote(signNote(spoken, [log])), [log.key])).toEqual([log.key])
  },
)

test('a note that is no Unicode text is refused', () => {
  expect(faultOf(() => parseNote(signed.replace('postern', '\ud800')))).toBe('note_malformed')
})

test.each([
  ['no space after the dash', line.replace('— ', '—')],
  ['two spaces', line.replace('— ', '—  ')],
  ['a tab for a space', line.replace('— ', '—\t')],
  ['an en dash', line.replace('—', '–')],
  ['a space at its end', line.replace('\n', ' \n')],
  ['a third word', line.replace('\n', ' more\n')],
  ['no name', line.replace(origin, '')],
  ['a plus in its name', line.replace('postern', 'post+ern')],
  ['a no-break space in its name', line.replace('postern', 'post\u00a0ern')],
  ['an id and nothing behind it', `— ${origin} AAAAAA==\n`],
  ['less than an id', `— ${origin} AAAA\n`],
  ['an empty line behind it', `${line}\n`],
  ['text behind it', `${line}more\n`],
])('a signature line with %s spoils the note', (_, spoiled) => {
  expect(faultOf(() => parseNote(`${text}\n${spoiled}`))).toBe('note_malformed')
})

test.each([
  'AA',
  'AAA',
  'AA=',
  'AB==',
  'AAB=',
  'A-A=',
  'A_A=',
  'AA ==',
  'AA==\n',
  '=',
  'AA==AA==',
  'A===',
])('base64 written as %j is refused', (spoiled) => {
  expect(decodeBase64(spoiled)).toBeUndefined()
})

test('64 KiB of note are read, counted in bytes, and one more is refused', () => {
  const rest = signNote('\n', [log]).length + 2
  const filled = (bytes: number) => {
    const body = 'é'.repeat(Math.floor((bytes - rest) / 2)) + 'x'.repeat((bytes - rest) % 2)
    return signNote(`${body}\n`, [log])
  }
  expect(Buffer.byteLength(filled(65_536))).toBe(65_536)
  expect(verifyNote(parseNote(filled(65_536)), [log.key])).toEqual([log.key])
  expect(faultOf(() => parseNote(filled(65_537)))).toBe('note_malformed')
})

test('100 signatures are read and 101 are refused', () => {
  expect(parseNote(`${text}\n${line.repeat(100)}`).signatures).toHaveLength(100)
  expect(faultOf(() => parseNote(`${text}\n${line.repeat(101)}`))).toBe('note_malformed')
})

test('an overlap of two log keys is verified by a reader of either', () => {
  const next = make(origin, 'ed25519')
  const note = signNote(text, [log, next])
  expect(openCheckpoint(note, [log.key]).checkpoint.size).toBe(5)
  expect(openCheckpoint(note, [next.key]).checkpoint.size).toBe(5)
  const [old, fresh] = parseNote(note).signatures
  const spoiled = { name: origin, id: log.key.id, bytes: fresh?.bytes ?? new Uint8Array(64) }
  const bad = formatNote({ text, signatures: [spoiled, ...(fresh ? [fresh] : [])] })
  expect(faultOf(() => openCheckpoint(bad, [log.key, next.key]))).toBe('signature_invalid')
  expect(openCheckpoint(bad, [next.key]).checkpoint.size).toBe(5)
  expect(old?.bytes).toHaveLength(64)
})

test.each([0, 1, 63, 65, 128])('a log signature of %p bytes is wrong', (length) => {
  const bytes = new Uint8Array(length).fill(7)
  const note = { text, signatures: [{ name: origin, id: log.key.id, bytes }] }
  expect(faultOf(() => verifyNote(note, [log.key]))).toBe('signature_invalid')
})

test.each(['01', '00', '0x5', ' 5', '5 ', '５', '-0', '1e3', '99999999999999999999'])(
  'a checkpoint of the size %j is refused',
  (size) => {
    const other = text.replace('\n5\n', `\n${size}\n`)
    expect(faultOf(() => parseCheckpoint(other))).toBe('checkpoint_malformed')
  },
)

test.each([
  ['no origin', text.slice(origin.length)],
  ['no root', `${origin}\n5\n`],
  ['a root of 31 bytes', `${origin}\n5\n${encodeBase64(root.slice(1))}\n`],
  ['a root of 33 bytes', `${origin}\n5\n${encodeBase64(new Uint8Array(33))}\n`],
  ['a root without padding', text.replace('=\n', '\n')],
  ['an empty line', `${text}\n`],
  ['an empty line before an extension', `${text}\nextension\n`],
  ['no last newline', text.slice(0, -1)],
])('a checkpoint with %s is refused', (_, other) => {
  expect(faultOf(() => parseCheckpoint(other))).toBe('checkpoint_malformed')
})

test('extension lines are passed over', () => {
  expect(parseCheckpoint(`${text}extension\n`)).toEqual({ origin, size: 5, root })
})

test('a cosigner of the log name does not speak for the log', () => {
  const imposter = make(origin, 'cosignature')
  const note = `${text}\n${cosign(text, 1_700_000_000, imposter)}`
  expect(faultOf(() => openCheckpoint(note, [imposter.key]))).toBe('origin_differs')
})

const { seed, below } = seededRandom()

test(`any one changed character of a signed note is refused (seed ${seed})`, () => {
  for (let round = 0; round < 300; round += 1) {
    const at = below(signed.length)
    const other = String.fromCharCode(0x20 + below(0x5f))
    if (signed[at] === other) continue
    const altered = signed.slice(0, at) + other + signed.slice(at + 1)
    expect(faultOf(() => openCheckpoint(altered, [log.key]))).toMatch(/^[a-z]+_[a-z]+$/)
  }
})
