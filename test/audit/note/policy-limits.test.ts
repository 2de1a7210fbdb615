import { expect, test } from 'bun:test'
import { formatCheckpoint } from '#core/audit/note/checkpoint.ts'
import { cosign } from '#core/audit/note/cosignature.ts'
import { parseNote, signNote } from '#core/audit/note/note.ts'
import { NoteError } from '#core/audit/note/note-error.ts'
import { judgeQuorum, parsePolicy } from '#core/audit/note/policy.ts'
import { formatReceipt, parseReceipt, verifyReceipt } from '#core/audit/note/receipt.ts'
import { generateSignerKey, parseSignerKey } from '#core/audit/note/signer.ts'
import { formatVerifierKey } from '#core/audit/note/verifier-key.ts'
import { hashLeaf, hashNode } from '#core/audit/tree/hash.ts'

const origin = 'postern.example.com/audit'
const log = parseSignerKey(generateSignerKey(origin, 'ed25519').signerKey)
const witness = parseSignerKey(generateSignerKey('w1.example', 'cosignature').signerKey)
const witnessLine = `witness w1 ${formatVerifierKey(witness.key)}`

const entry = new TextEncoder().encode('entry')
const sibling = hashLeaf(new Uint8Array())
const root = hashNode(hashLeaf(entry), sibling)
const text = formatCheckpoint({ origin, size: 2, root })
const checkpoint = signNote(text, [log]) + cosign(text, 1_700_000_000, witness)
const receipt = { index: 0, proof: [sibling], checkpoint }
const trust = { logKeys: [log.key], policy: parsePolicy(`${witnessLine}\nquorum w1`) }

test('256 logs and 256 names are read, one more is refused with its line', () => {
  const logs = Array.from({ length: 257 }, (_, at) => {
    const { verifierKey } = generateSignerKey(`log${at}`, 'ed25519')
    return `log ${verifierKey}`
  })
  expect(parsePolicy([...logs.slice(1), 'quorum none'].join('\n')).logs).toHaveLength(256)
  expect(() => parsePolicy(logs.join('\n'))).toThrow('line 257: names too many logs')
  const chain = (length: number) =>
    Array.from({ length }, (_, at) => `group g${at} any ${at === 0 ? 'w1' : `g${at - 1}`}`)
  const longest = parsePolicy([witnessLine, ...chain(255), 'quorum g254'].join('\n'))
  expect(judgeQuorum(longest, parseNote(checkpoint)).satisfied).toBe(true)
  expect(() => parsePolicy([witnessLine, ...chain(256)].join('\n'))).toThrow(
    'line 257: defines too many names',
  )
})

test('a policy of 262,144 characters is read, one more is refused', () => {
  const filled = (length: number) => 'quorum none\n'.padEnd(length, '#')
  expect(parsePolicy(filled(262_144)).quorum).toEqual({ kind: 'none' })
  expect(() => parsePolicy(filled(262_145))).toThrow('too long')
})

test('blank lines, comments and white space around words are passed over', () => {
  const policy = parsePolicy(`\n \t \n  # é\n\t${witnessLine}\t\n\t quorum \t none \t\n`)
  expect(policy.witnesses).toEqual([{ name: 'w1', key: witness.key, url: undefined }])
  expect(policy.quorum).toEqual({ kind: 'none' })
})

test('a quorum of none is reached by nobody, and says who is missing', () => {
  const policy = parsePolicy(`${witnessLine}\nquorum none`)
  expect(judgeQuorum(policy, parseNote(signNote(text, [log])))).toEqual({
    satisfied: true,
    cosigned: [],
    missing: ['w1'],
    newestSeconds: undefined,
  })
})

test('no character of a receipt can be dropped, doubled or changed', () => {
  const written = formatReceipt(receipt)
  expect(verifyReceipt(parseReceipt(written), entry, trust).size).toBe(2)
  for (let at = 0; at < written.length; at += 1) {
    const character = written.charAt(at)
    for (const other of ['', character + character, character === 'A' ? 'B' : 'A', '\n']) {
      if (other === character) continue
      const altered = written.slice(0, at) + other + written.slice(at + 1)
      expect(() => verifyReceipt(parseReceipt(altered), entry, trust)).toThrow(NoteError)
    }
  }
})

test('a receipt of an unknown key is refused for that, though a known witness cosigned it', () => {
  const stranger = generateSignerKey(origin, 'ed25519').signerKey
  const distrust = { ...trust, logKeys: [parseSignerKey(stranger).key] }
  expect(() => verifyReceipt(receipt, entry, distrust)).toThrow('no signature of a known key')
})

test('a receipt of the only entry has no hashes', () => {
  const alone = formatCheckpoint({ origin, size: 1, root: hashLeaf(entry) })
  const lone = { index: 0, proof: [], checkpoint: signNote(alone, [log]) }
  const read = parseReceipt(formatReceipt(lone))
  expect(read).toEqual(lone)
  const unwitnessed = { logKeys: [log.key], policy: undefined }
  expect(verifyReceipt(read, entry, unwitnessed).size).toBe(1)
})
