import { afterAll, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatCheckpoint, parseCheckpoint } from '#core/audit/note/checkpoint.ts'
import { verifyCosignature } from '#core/audit/note/cosignature.ts'
import { parseNote, signNote } from '#core/audit/note/note.ts'
import { formatAddCheckpoint } from '#core/audit/witness/add-checkpoint.ts'
import { type AnswerCheckpoint, answerCheckpoint } from '#core/audit/witness/answer-checkpoint.ts'
import {
  createWitnessStore,
  openWitnessStore,
  type SqliteWitnessStore,
} from '#core/audit/witness/sqlite-witness-store.ts'
import { originHash } from '#core/audit/witness/witness-store.ts'
import { makeSigner, origin, smallLog } from './small-log.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-witness-'))
afterAll(() => rmSync(folder, { recursive: true }))

const log = smallLog()
const fork = smallLog({ signer: log.signer, forkAt: 3, branch: 'other' })
const stranger = makeSigner(origin, 'ed25519')
const witness = makeSigner('witness.example.com/w1', 'cosignature')
const logs = new Map([[origin, [log.signer.key]]])
const seconds = 1_700_000_000
const now = () => new Date(seconds * 1_000)

let store: SqliteWitnessStore
let answer: AnswerCheckpoint
let stores = 0

beforeEach(() => {
  const directory = join(folder, String(stores++))
  createWitnessStore(directory, witness.key)
  store = openWitnessStore(directory, witness.key)
  answer = answerCheckpoint({ signer: witness, logs, store, now })
})

type Ask = { readonly old: number; readonly to: number; readonly branch?: typeof log }

function request({ old, to, branch = log }: Ask) {
  const proof = branch.consistency(old, to)
  return formatAddCheckpoint({ oldSize: old, proof, note: branch.note(to) })
}

function cosigned(): number | undefined {
  const note = store.find(originHash(origin))
  return note === undefined ? undefined : parseCheckpoint(parseNote(note).text).size
}

const note5 = log.note(5)

test.each([
  ['nothing', ''],
  ['no old line', `\n${note5}`],
  ['no blank line', `old 0\n${note5.replace('\n\n', '\n')}`],
  ['a leading zero', `old 00\n\n${note5}`],
  ['a sign', `old +0\n\n${note5}`],
  ['a fraction', `old 0.0\n\n${note5}`],
  ['an old size past 2^53 - 1', `old 9007199254740992\n\n${note5}`],
  ['a carriage return', `old 0\r\n\n${note5}`],
  ['two spaces', `old  0\n\n${note5}`],
  ['a proof line of 31 bytes', `old 0\n${Buffer.alloc(31).toString('base64')}\n\n${note5}`],
  [
    'a proof line of base64url',
    `old 0\n${Buffer.alloc(32, 255).toString('base64url')}\n\n${note5}`,
  ],
  ['a proof line with a space', `old 0\n ${Buffer.alloc(32).toString('base64')}\n\n${note5}`],
  ['64 proof lines', `old 0\n${`${Buffer.alloc(32).toString('base64')}\n`.repeat(64)}\n${note5}`],
  ['a note without signatures', `old 0\n\n${note5.slice(0, note5.indexOf('\n\n') + 2)}`],
  ['a note that is no checkpoint', `old 0\n\n${signNote('hello\n', [log.signer])}`],
  [
    'a size with a leading zero',
    `old 0\n\n${signNote(`${origin}\n05\n${Buffer.from(log.root(5)).toString('base64')}\n`, [log.signer])}`,
  ],
])('a malformed body is 400: %s', (_, body) => {
  expect(answer(body).status).toBe(400)
  expect(cosigned()).toBeUndefined()
})

test('63 proof lines are read, and refused for what they are', () => {
  const proof = Array.from({ length: 63 }, () => new Uint8Array(32))
  const body = formatAddCheckpoint({ oldSize: 0, proof, note: note5 })
  expect(answer(body)).toMatchObject({ status: 422 })
})

test('an unknown origin is 404, whoever signed it', () => {
  const text = formatCheckpoint({ origin: 'elsewhere.example/log', size: 5, root: log.root(5) })
  const signers = [makeSigner('elsewhere.example/log', 'ed25519'), log.signer]
  const body = formatAddCheckpoint({ oldSize: 9, proof: [], note: signNote(text, signers) })
  expect(answer(body).status).toBe(404)
})

test('an origin that is the name of nothing but a JavaScript member is unknown', () => {
  const text = formatCheckpoint({ origin: 'constructor', size: 5, root: log.root(5) })
  const body = formatAddCheckpoint({ oldSize: 0, proof: [], note: signNote(text, [log.signer]) })
  expect(answer(body).status).toBe(404)
})

test('no signature by a trusted key is 403, before the sizes are looked at', () => {
  const text = formatCheckpoint({ origin, size: 5, root: log.root(5) })
  const body = formatAddCheckpoint({ oldSize: 9, proof: [], note: signNote(text, [stranger]) })
  expect(answer(body).status).toBe(403)
})

test("a trusted key's signature that fails is 403, whatever else is signed", () => {
  const body = request({ old: 0, to: 5 }).replace('\n5\n', '\n6\n')
  expect(answer(body).status).toBe(403)
  const twoKeys = [log.signer.key, stranger.key]
  const both = answerCheckpoint({ signer: witness, logs: new Map([[origin, twoKeys]]), store, now })
  const text = formatCheckpoint({ origin, size: 5, root: log.root(5) })
  const other = signNote(formatCheckpoint({ origin, size: 6, root: log.root(6) }), [stranger])
  const lines = other.slice(other.indexOf('\n\n') + 2)
  expect(both(`old 0\n\n${signNote(text, [log.signer])}${lines}`).status).toBe(403)
})

test('an old size above the checkpoint is 400, even where it is what was cosigned', () => {
  answer(request({ old: 0, to: 7 }))
  const body = formatAddCheckpoint({ oldSize: 7, proof: [], note: note5 })
  expect(answer(body)).toMatchObject({ status: 400 })
  expect(cosigned()).toBe(7)
})

test('an old size other than what was cosigned is 409 with that size', () => {
  expect(answer(request({ old: 3, to: 5 }))).toMatchObject({ status: 409, size: 0 })
  answer(request({ old: 0, to: 5 }))
  expect(answer(request({ old: 0, to: 7 }))).toMatchObject({ status: 409, size: 5 })
  expect(answer(request({ old: 4, to: 7 }))).toMatchObject({ status: 409, size: 5 })
  expect(cosigned()).toBe(5)
})

test('an older, smaller request cannot roll back a larger one', () => {
  answer(request({ old: 0, to: 4 }))
  const slow = request({ old: 4, to: 5 })
  expect(answer(request({ old: 4, to: 9 })).status).toBe(200)
  expect(answer(slow)).toMatchObject({ status: 409, size: 9 })
  expect(cosigned()).toBe(9)
})

test('size 0 with another root than that of nothing is 422', () => {
  const text = formatCheckpoint({ origin, size: 0, root: log.root(1) })
  const note = signNote(text, [log.signer])
  expect(answer(formatAddCheckpoint({ oldSize: 0, proof: [], note })).status).toBe(422)
  expect(cosigned()).toBeUndefined()
})

test('a proof from size 0 is 422', () => {
  const body = formatAddCheckpoint({ oldSize: 0, proof: [log.root(3)], note: note5 })
  expect(answer(body).status).toBe(422)
  expect(cosigned()).toBeUndefined()
})

test('a proof that fails is 422: another history, one hash less, one more, one changed', () => {
  answer(request({ old: 0, to: 5 }))
  const proof = log.consistency(5, 9)
  const [first = new Uint8Array(32), ...rest] = proof
  const note = log.note(9)
  for (const wrong of [rest, [...proof, first], [log.root(2), ...rest], []]) {
    expect(answer(formatAddCheckpoint({ oldSize: 5, proof: wrong, note })).status).toBe(422)
  }
  expect(answer(request({ old: 5, to: 9, branch: fork }))).toMatchObject({
    status: 422,
    isFork: false,
  })
  expect(cosigned()).toBe(5)
})

test('the same size with another root is 422 and called a fork', () => {
  answer(request({ old: 0, to: 5 }))
  expect(answer(request({ old: 5, to: 5, branch: fork }))).toMatchObject({
    status: 422,
    isFork: true,
  })
})

test('the same size and root with a proof is 422', () => {
  answer(request({ old: 0, to: 5 }))
  const body = formatAddCheckpoint({ oldSize: 5, proof: [log.root(5)], note: note5 })
  expect(answer(body).status).toBe(422)
})

test('what only grows is cosigned: from nothing, on and on, and the same again', () => {
  for (const [old, to] of [
    [0, 0],
    [0, 1],
    [1, 4],
    [4, 5],
    [5, 5],
    [5, 64],
  ] as const) {
    const answered = answer(request({ old, to }))
    if (answered.status !== 200) throw new Error(`${old} to ${to}: ${JSON.stringify(answered)}`)
    const note = parseNote(log.note(to) + answered.lines)
    expect(verifyCosignature(note, witness.key)).toMatchObject({ timeSeconds: seconds })
    expect(cosigned()).toBe(to)
  }
})

test("what is kept has the log's signature and the witness's, and nobody else's", () => {
  const text = formatCheckpoint({ origin, size: 5, root: log.root(5) })
  const note = signNote(text, [makeSigner('noise.example', 'ed25519'), log.signer])
  expect(answer(formatAddCheckpoint({ oldSize: 0, proof: [], note })).status).toBe(200)
  const kept = parseNote(store.find(originHash(origin)) ?? '')
  expect(kept.signatures.map(({ name }) => name)).toEqual([origin, witness.key.name])
})

test('two logs do not see each other', () => {
  const otherOrigin = 'other.example/log'
  const other = makeSigner(otherOrigin, 'ed25519')
  const both = new Map([...logs, [otherOrigin, [other.key]]])
  answer = answerCheckpoint({ signer: witness, logs: both, store, now })
  answer(request({ old: 0, to: 5 }))
  const text = formatCheckpoint({ origin: otherOrigin, size: 3, root: fork.root(3) })
  const note = signNote(text, [other])
  expect(answer(formatAddCheckpoint({ oldSize: 5, proof: [], note })).status).toBe(400)
  expect(answer(formatAddCheckpoint({ oldSize: 0, proof: [], note })).status).toBe(200)
  expect(cosigned()).toBe(5)
})

test.each(['failed and not stored', 'failed but stored'] as const)(
  'a store that %s gives nothing away, and the log gets its cosignature later',
  (mode) => {
    let isBroken = true
    const failing = {
      find: store.find,
      replace(...change: Parameters<typeof store.replace>) {
        if (!isBroken) return store.replace(...change)
        if (mode === 'failed but stored') store.replace(...change)
        throw new Error('disk full')
      },
    }
    answer = answerCheckpoint({ signer: witness, logs, store: failing, now })
    expect(() => answer(request({ old: 0, to: 5 }))).toThrow('disk full')
    isBroken = false
    const again = answer(request({ old: 0, to: 5 }))
    if (mode === 'failed but stored') {
      expect(again).toMatchObject({ status: 409, size: 5 })
      expect(answer(request({ old: 5, to: 5 })).status).toBe(200)
    } else expect(again.status).toBe(200)
    expect(cosigned()).toBe(5)
  },
)
