import { expect, test } from 'bun:test'
import { parseLogKeys } from '#core/audit/note/log-keys.ts'
import { parseNote, signNote, verifyNote } from '#core/audit/note/note.ts'
import { generateSignerKey } from '#core/audit/note/signer.ts'
import { auditKeyTarget } from '#core/secret/rotation/audit-key-target.ts'
import type { SecretMembers } from '#core/secret/secret-store.ts'

const origin = 'postern.example.com/audit'
const target = auditKeyTarget({ member: 'keys' })
const plan = { rotation: Bun.randomUUIDv7(), isUrgent: false }
const newKey = (name = origin) => generateSignerKey(name, 'ed25519')
const key = newKey()
const first: SecretMembers = { keys: `${key.signerKey}\n` }
const keysIn = (members: SecretMembers) => parseLogKeys(members['keys'] ?? '')
const refusal = { code: 'secret.target_refused' }

const signedBy = (members: SecretMembers) => signNote(`${origin}\n`, keysIn(members).signers)
/** Whether somebody who knows the keys of `by` takes a note that `signer` has signed. */
function isKnown(signer: SecretMembers, by: SecretMembers): boolean {
  try {
    return verifyNote(parseNote(signedBy(signer)), keysIn(by).verifiers).length > 0
  } catch {
    return false
  }
}

async function next(current: SecretMembers, isUrgent = false): Promise<SecretMembers> {
  const pending = await target.generate(current, { ...plan, isUrgent })
  await target.test({ current, pending })
  return pending
}

test.each([
  ['nothing', ''],
  ['no key', 'x'],
  ['a verifier key alone', key.verifierKey],
  ['the key in force again', key.signerKey],
  ['a key of another log', `${newKey('other.example.com').signerKey}\n${key.signerKey}`],
  ['a key of a witness', generateSignerKey(origin, 'cosignature').signerKey],
  ['a new key without the one in force', newKey().signerKey],
  ['a new key behind the one in force', `${key.signerKey}\n${newKey().signerKey}`],
])('a version with %s is refused, and its keys are not repeated', async (_, keys) => {
  const failure: unknown = await target
    .test({ current: first, pending: { keys } })
    .catch((error: unknown) => error)
  expect(failure).toMatchObject(refusal)
  for (const line of keys.split('\n').filter((one) => one.length > 1)) {
    expect(String(failure)).not.toContain(line)
  }
})

test('both keys sign from one rotation to the next, and so every verifier has as long to learn', async () => {
  const second = await next(first)
  const third = await next(second)
  expect(keysIn(second).signers).toHaveLength(2)
  expect(isKnown(second, first)).toBe(true)
  expect(isKnown(third, second)).toBe(true)
  expect(isKnown(third, first)).toBe(false)
  expect(third['keys']).not.toContain(key.signerKey)
})

test('a log that slept through eight rotations knows its last checkpoint again', async () => {
  let members = first
  for (let rotation = 1; rotation <= 8; rotation += 1) members = await next(members)
  expect(isKnown(first, members)).toBe(true)
  expect(keysIn(members)).toMatchObject({ signers: { length: 2 }, verifiers: { length: 9 } })
  for (let rotation = 1; rotation <= 8; rotation += 1) members = await next(members)
  expect(keysIn(members).verifiers).toHaveLength(10)
  expect(isKnown(first, members)).toBe(false)
})

test('a revoked key signs nothing any more, and what it has signed is known again', async () => {
  const second = await next(first)
  const urgent = await next(second, true)
  expect(keysIn(urgent).signers).toHaveLength(1)
  expect(urgent['keys']?.match(/PRIVATE/g)).toHaveLength(1)
  for (const before of [first, second]) {
    expect(isKnown(before, urgent)).toBe(true)
    expect(isKnown(urgent, before)).toBe(false)
  }
})
