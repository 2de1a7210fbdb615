import { expect, test } from 'bun:test'
import {
  freshIssuerKeys,
  publishedKeys,
  readIssuerKeys,
  succeedIssuerKeys,
} from '#core/access/issuer-keys.ts'
import type { SecretMembers } from '#core/secret/secret-store.ts'
import { privateTexts, testIssuer } from './issuer-world.ts'

const first = await freshIssuerKeys()
const other = await freshIssuerKeys()
const current = JSON.parse(first['current'] ?? '')
const changed = (change: object): SecretMembers => ({
  ...first,
  current: JSON.stringify({ ...current, ...change }),
})
const { next: onlyNext = '' } = first

test.each<[string, SecretMembers]>([
  ['no member', {}],
  ['no current key', { next: onlyNext }],
  ['no next key', { current: first['current'] ?? '' }],
  ['a text that is no JSON', { ...first, next: current.d }],
  ['a JSON string', { ...first, next: JSON.stringify(current.d) }],
  ['a public key', { ...first, current: JSON.stringify({ ...current, d: undefined }) }],
  ['a key of another curve', changed({ crv: 'X25519' })],
  ['a key of another type', changed({ kty: 'EC' })],
  ['a private part that is too short', changed({ d: current.d.slice(1) })],
  ['a private part in another alphabet', changed({ d: current.d.replace(/^./, '+') })],
  ['the public part of another key', changed({ x: JSON.parse(other['current'] ?? '').x })],
  ['a member that no key has', changed({ k: 'x' })],
  ['the same key twice', { ...first, next: first['current'] ?? '' }],
  ['a previous key that is none', { ...first, previous: '{}' }],
  ['a previous key that signs again', { ...first, previous: first['current'] ?? '' }],
])('a document with %s is refused, and what it holds is not repeated', async (_, members) => {
  const refusal = await readIssuerKeys(members).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(Error)
  for (const secret of [...privateTexts(first), current.d.slice(1)]) {
    expect(Bun.inspect(refusal)).not.toContain(secret)
  }
})

test('each version publishes the key that the next one signs with, and the one that signed before', async () => {
  let members = first
  for (let round = 0; round < 20; round += 1) {
    const before = await readIssuerKeys(members)
    members = await succeedIssuerKeys(members)
    const after = await readIssuerKeys(members)
    expect(after.current.kid).toBe(before.next.kid)
    expect(after.previous?.kid).toBe(before.current.kid)
    expect(publishedKeys(before).map(({ kid }) => kid)).not.toContain(after.next.kid)
    expect(publishedKeys(after)).toHaveLength(3)
  }
  expect(Object.keys(members).sort()).toEqual(['current', 'next', 'previous'])
})

test('a private key leaves neither by the published set, nor by the issuer itself', async () => {
  const members = await succeedIssuerKeys(first)
  const issuer = await testIssuer(members)
  const { text, keyIds } = issuer.published()
  for (const shown of [text, Bun.inspect(issuer, { depth: 10 }), JSON.stringify(issuer)]) {
    for (const secret of privateTexts(members)) expect(shown).not.toContain(secret)
  }
  const { keys } = JSON.parse(text)
  expect(keys.map((key: object) => Object.keys(key).sort().join())).toEqual(
    Array(3).fill('alg,crv,kid,kty,use,x'),
  )
  const { current: signer } = await readIssuerKeys(members)
  expect(keyIds[0]).toBe(signer.kid)
  expect(signer.signing.extractable).toBe(false)
})
