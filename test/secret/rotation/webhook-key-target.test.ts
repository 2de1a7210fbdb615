import { expect, test } from 'bun:test'
import { webhookKeyTarget } from '#core/secret/rotation/webhook-key-target.ts'
import type { SecretMembers } from '#core/secret/secret-store.ts'
import { webhookKeysIn } from '#core/secret/webhook-keys.ts'

const target = webhookKeyTarget({ member: 'key' })
const plan = { rotation: Bun.randomUUIDv7(), isUrgent: false }
const first: SecretMembers = { key: 'a-key-put-there-by-hand', note: 'of the desk' }
const refusal = { code: 'secret.target_refused' }
const whsec = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

test.each([
  ['the key in force again', { ...first, previous: 'a-key-put-there-by-hand' }],
  ['no key', { note: 'of the desk' }],
  ['a key before it that is not the one in force', { key: 'new', previous: 'anybody’s' }],
])('a version with %s is refused', async (_, pending) => {
  await expect(target.test({ current: first, pending })).rejects.toMatchObject(refusal)
})

test('the key before the one in force is no new key', async () => {
  const current = { key: 'newest', previous: 'older' }
  await expect(target.test({ current, pending: { key: 'older' } })).rejects.toMatchObject(refusal)
})

test('a secret without the key makes none', () => {
  expect(() => target.generate({ other: 'x' }, plan)).toThrow('the member key is no key')
})

test('a version holds a new key and the one before it, and what else the secret holds', async () => {
  const second = await target.generate(first, plan)
  expect(second).toEqual({ ...first, key: expect.any(String), previous: first['key'] ?? '' })
  await target.test({ current: first, pending: second })
  const third = await target.generate(second, plan)
  expect(webhookKeysIn(third, 'key')).toEqual([third['key'] ?? '', second['key'] ?? ''])
  expect(JSON.stringify(third)).not.toContain(first['key'] ?? '')
})

test('of a revoked key and of the one before it nothing is left', async () => {
  const current = { ...first, previous: 'the one before' }
  const next = await target.generate(current, { ...plan, isUrgent: true })
  await target.test({ current, pending: next })
  expect(Object.keys(next)).toEqual(['key', 'note'])
  expect(next['key']).not.toBe(first['key'])
})

test.each([
  ['Standard Webhooks', whsec, /^whsec_[A-Za-z0-9+/]{43}=$/],
  ['no standard', 'thirty-two characters of a key…', /^[A-Za-z0-9_-]{43}$/],
])('a key of the form of %s is followed by one of that form', async (_, key, form) => {
  expect((await target.generate({ key }, plan))['key']).toMatch(form)
})
