import { expect, test } from 'bun:test'
import { formatCheckpoint } from '#core/audit/note/checkpoint.ts'
import { cosign } from '#core/audit/note/cosignature.ts'
import { parseNote, signNote } from '#core/audit/note/note.ts'
import { NoteError } from '#core/audit/note/note-error.ts'
import { judgeQuorum, parsePolicy } from '#core/audit/note/policy.ts'
import { formatReceipt, parseReceipt, verifyReceipt } from '#core/audit/note/receipt.ts'
import { generateSignerKey, parseSignerKey } from '#core/audit/note/signer.ts'
import { formatVerifierKey, keyId } from '#core/audit/note/verifier-key.ts'
import { type Hash, hashLeaf, hashNode } from '#core/audit/tree/hash.ts'

const origin = 'postern.example.com/audit'
const make = (name: string, type: 'ed25519' | 'cosignature') =>
  parseSignerKey(generateSignerKey(name, type).signerKey)
const log = make(origin, 'ed25519')
const witnesses = ['w1', 'w2', 'w3'].map((name) => make(`${name}.example`, 'cosignature'))
const vkey = (at: number) => formatVerifierKey(witnesses[at]?.key ?? log.key)
const lines = [
  '# who watches',
  `log ${formatVerifierKey(log.key)} https://log.example/`,
  `witness w1 ${vkey(0)} http://w1.example`,
  `witness w2 ${vkey(1)}`,
  `witness\tw3\t${vkey(2)}`,
]
const freshKey = (type: 'ed25519' | 'cosignature') => formatVerifierKey(make('fresh', type).key)
const policyOf = (...more: string[]) => parsePolicy([...lines, ...more].join('\n'))

const entries = Array.from({ length: 3 }, (_, at) => new TextEncoder().encode(`entry ${at}`))
const leaves = entries.map(hashLeaf)
const leaf = (at: number): Hash => leaves[at] ?? hashLeaf(new Uint8Array())
const root = hashNode(hashNode(leaf(0), leaf(1)), leaf(2))
const text = formatCheckpoint({ origin, size: 3, root })
const signed = (...by: number[]) =>
  signNote(text, [log]) +
  by.map((at) => cosign(text, 1_700_000_000 + at, witnesses[at] ?? log)).join('')

test.each([
  ['quorum none', [], true],
  ['quorum w1', [0], true],
  ['quorum w1', [1, 2], false],
  ['group g all w1 w2\nquorum g', [0], false],
  ['group g all w1 w2\nquorum g', [0, 1], true],
  ['group g any w1 w2\nquorum g', [1], true],
  ['group g 2 w1 w2 w3\nquorum g', [0, 2], true],
  ['group g 2 w1 w2 w3\nquorum g', [2], false],
  ['group a any w1 w2\ngroup b all a w3\nquorum b', [1, 2], true],
  ['group a any w1 w2\ngroup b all a w3\nquorum b', [0, 1], false],
])('under %p cosignatures of %p are enough: %p', (quorum, by, isEnough) => {
  const judged = judgeQuorum(policyOf(...quorum.split('\n')), parseNote(signed(...by)))
  expect(judged.satisfied).toBe(isEnough)
  expect(judged.cosigned).toEqual(by.map((at) => `w${at + 1}`))
  expect(judged.newestSeconds).toBe(by.length === 0 ? undefined : 1_700_000_000 + Math.max(...by))
})

test('a cosignature over another text does not count', () => {
  const other = cosign(text.replace('\n3\n', '\n4\n'), 1_700_000_000, witnesses[0] ?? log)
  const note = parseNote(signNote(text, [log]) + other)
  expect(judgeQuorum(policyOf('quorum w1'), note).satisfied).toBe(false)
})

test.each([
  [[], 'no quorum'],
  [['quorum w4'], 'line 6: names w4 before it is defined'],
  [['quorum w1', 'quorum w2'], 'line 7: is a second quorum'],
  [['group g any w9', 'quorum g'], 'line 6: names w9'],
  [['group g any w1 w1', 'quorum g'], 'line 6: puts w1 into a second group'],
  [['group g any w1', 'group h any w1', 'quorum h'], 'line 7: puts w1 into a second group'],
  [['group g 4 w1 w2 w3', 'quorum g'], 'line 6: has a threshold'],
  [['group g 0 w1', 'quorum g'], 'line 6: has a threshold'],
  [['group g any', 'quorum g'], 'line 6: is a group without members'],
  [['group w1 any w2', 'quorum w1'], 'line 6: defines w1 again'],
  [[`witness w4 ${vkey(0)}`, 'quorum w4'], 'line 6: names a key again'],
  [[`log ${vkey(0)}`, 'quorum none'], 'line 6: has no log key'],
  [['witness w4 x', 'quorum w4'], 'line 6: a verifier key'],
  [['wittness w4', 'quorum none'], 'line 6: begins with none of'],
  [['witness w4 a ftp://x', 'quorum none'], 'line 6: a verifier key'],
  [[`witness w4 ${freshKey('cosignature')} ftp://x`, 'quorum none'], 'line 6: has a URL'],
  [[`log ${freshKey('ed25519')} x`, 'quorum none'], 'line 6: has a URL'],
  [[`log ${freshKey('ed25519')} http://x y`, 'quorum none'], 'line 6: has more than a key'],
  [[`witness w4 ${freshKey('cosignature')} http://x y`, 'quorum none'], 'line 6: has more than'],
  [[`witness w4 ${freshKey('ed25519')}`, 'quorum none'], 'line 6: has no key of a cosigner'],
  [[`witness none ${freshKey('cosignature')}`, 'quorum none'], 'line 6: defines none'],
  [['group none any w1', 'quorum none'], 'line 6: defines none'],
  [[`witness w1 ${freshKey('cosignature')}`, 'quorum w1'], 'line 6: defines w1 again'],
  [['log', 'quorum none'], 'line 6: a verifier key'],
  [['witness w4', 'quorum none'], 'line 6: a verifier key'],
  [['group g', 'quorum none'], 'line 6: is a group without members'],
  [['group g any none', 'quorum g'], 'line 6: names none before it is defined'],
  [['group g any g', 'quorum g'], 'line 6: names g before it is defined'],
  [['group g 01 w1', 'quorum g'], 'line 6: has a threshold'],
  [['group g -1 w1', 'quorum g'], 'line 6: has a threshold'],
  [['group g most w1', 'quorum g'], 'line 6: has a threshold'],
  [['quorum'], 'line 6: does not name one quorum'],
  [['quorum w1 w2'], 'line 6: does not name one quorum'],
  [['quorum none # why'], 'line 6: does not name one quorum'],
  [['quorum none\r'], 'line 6: holds a control character'],
  [['# \u007f', 'quorum none'], 'line 6: holds a control character'],
  [['quorum\u00a0none'], 'line 6: begins with none of'],
  [['Quorum none'], 'line 6: begins with none of'],
])('a policy with %p is refused with its line', (more, problem) => {
  expect(() => policyOf(...more)).toThrow(problem)
})

test('32 logs, witnesses and groups are read', () => {
  const many = Array.from({ length: 32 }, (_, at) => [
    `log ${formatVerifierKey(make(`log${at}`, 'ed25519').key)}`,
    `witness x${at} ${formatVerifierKey(make(`x${at}`, 'cosignature').key)}`,
    `group g${at} any x${at}`,
  ]).flat()
  expect(parsePolicy([...many, 'quorum g31'].join('\n')).witnesses).toHaveLength(32)
})

test('64 witnesses are read and 65 are refused: a note must hold all their signatures', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, at) => `witness x${at} ${freshKey('cosignature')}`)
  expect(parsePolicy([...many(64), 'quorum none'].join('\n')).witnesses).toHaveLength(64)
  expect(() => parsePolicy([...many(65), 'quorum none'].join('\n'))).toThrow('line 65: ')
})

test('one key under two names does not make two witnesses', () => {
  const { key } = make('a.example', 'cosignature')
  const id = keyId('b.example', key.type, key.publicKey)
  const twice = [
    `witness a ${formatVerifierKey(key)}`,
    `witness b ${formatVerifierKey({ ...key, name: 'b.example', id })}`,
    'group g all a b\nquorum g',
  ]
  expect(() => parsePolicy(twice.join('\n'))).toThrow('line 2: names a key again')
})

const receipt = { index: 1, proof: [leaf(0), leaf(2)], checkpoint: signed(0) }
const trust = { logKeys: [log.key], policy: policyOf('quorum w1') }

test('a receipt shows its entry to be in the log', () => {
  const read = parseReceipt(formatReceipt(receipt))
  expect(read).toEqual(receipt)
  expect(verifyReceipt(read, entries[1] ?? new Uint8Array(), trust).size).toBe(3)
})

test('an extra line is passed over', () => {
  const extra = formatReceipt(receipt).replace('\nindex', '\nextra aGVsbG8=\nindex')
  expect(parseReceipt(extra)).toEqual(receipt)
})

test.each([
  ['another entry', formatReceipt(receipt), 0],
  ['another index', formatReceipt({ ...receipt, index: 0 }), 1],
  ['a swapped proof', formatReceipt({ ...receipt, proof: [leaf(2), leaf(0)] }), 1],
  ['a short proof', formatReceipt({ ...receipt, proof: [leaf(0)] }), 1],
  ['no cosignature', formatReceipt({ ...receipt, checkpoint: signed() }), 1],
  ['another header', formatReceipt(receipt).replace('@v1', '@v2'), 1],
  ['an index with a zero in front', formatReceipt(receipt).replace('index 1', 'index 01'), 1],
  ['another size', formatReceipt(receipt).replace('\n3\n', '\n4\n'), 1],
])('a receipt with %s is refused', (_, altered, at) => {
  const act = () => verifyReceipt(parseReceipt(altered), entries[at] ?? new Uint8Array(), trust)
  expect(act).toThrow(NoteError)
})

test('a wrong cosignature of a known witness spoils the receipt, though others reach the quorum', () => {
  const stray = cosign(text.replace('\n3\n', '\n4\n'), 1_700_000_000, witnesses[1] ?? log)
  const spoiled = { ...receipt, checkpoint: signed(0) + stray }
  expect(() => verifyReceipt(spoiled, entries[1] ?? new Uint8Array(), trust)).toThrow('is wrong')
  const unknown = cosign(text.replace('\n3\n', '\n4\n'), 1, make('who.example', 'cosignature'))
  const ignored = { ...receipt, checkpoint: signed(0) + unknown }
  expect(verifyReceipt(ignored, entries[1] ?? new Uint8Array(), trust).size).toBe(3)
})

const written = formatReceipt(receipt).split('\n')

test.each([...written.keys()])('line %p of a receipt can be neither dropped nor altered', (at) => {
  const line = written[at] ?? ''
  for (const lines of [[], [`x${line.slice(1)}`], [` ${line}`], [`${line}\r`], ['', line]]) {
    const other = [...written.slice(0, at), ...lines, ...written.slice(at + 1)].join('\n')
    const act = () => verifyReceipt(parseReceipt(other), entries[1] ?? new Uint8Array(), trust)
    expect(act).toThrow(NoteError)
  }
})

test('a header, an index or a hash that stands twice is refused', () => {
  for (const at of [0, 1, 2, 3]) {
    const line = written[at] ?? ''
    const twice = [...written.slice(0, at), line, ...written.slice(at)].join('\n')
    const act = () => verifyReceipt(parseReceipt(twice), entries[1] ?? new Uint8Array(), trust)
    expect(act).toThrow(NoteError)
  }
})

test.each(['extra !', 'extra AB==', 'extra aGVsbG8', 'extra aGVsbG8=\nextra aGVsbG8='])(
  'a receipt with %j is refused: that is not one line of base64',
  (extra) => {
    const spoiled = formatReceipt(receipt).replace('\nindex', `\n${extra}\nindex`)
    expect(() => parseReceipt(spoiled)).toThrow(NoteError)
  },
)

test('63 hashes are read, 64 are refused; so is an index past 2^53 − 1', () => {
  const long = (count: number) =>
    formatReceipt({ ...receipt, proof: Array.from({ length: count }, () => leaf(0)) })
  expect(parseReceipt(long(63)).proof).toHaveLength(63)
  expect(() => parseReceipt(long(64))).toThrow('too many hashes')
  const past = formatReceipt(receipt).replace('index 1', 'index 9007199254740992')
  expect(() => parseReceipt(past)).toThrow('has no index')
})
