import { expect, test } from 'bun:test'
import { PosternError } from '#core/errors.ts'
import { alpacaKeysOf, alpacaKeysUnset } from '#core/order/venue/alpaca-keys.ts'
import { isVenueSpared } from '#core/order/venue/venue-outage.ts'

const secret = 'hunter2'
const keys = { key_id: 'PK1', secret_key: secret }

function refusalOf(text: string, account: string): PosternError {
  try {
    alpacaKeysOf(text, account)
  } catch (error) {
    if (error instanceof PosternError) return error
    throw error
  }
  throw new Error('taken')
}

test.each([
  ['no JSON', secret],
  ['a torn text', JSON.stringify({ a: keys }).slice(0, -4)],
  ['a list', JSON.stringify([keys])],
  ['a text in JSON', JSON.stringify(secret)],
  ['another account', JSON.stringify({ b: keys })],
  ['a secret without its key id', JSON.stringify({ a: { secret_key: secret } })],
  ['a key id without its secret', JSON.stringify({ a: { key_id: secret } })],
  ['an empty key', JSON.stringify({ a: { key_id: '', secret_key: secret } })],
  ['a key with a line break', JSON.stringify({ a: { key_id: 'PK1', secret_key: `${secret}\n` } })],
  [
    'a key that no header holds',
    JSON.stringify({ a: { key_id: 'PK1', secret_key: `${secret}é` } }),
  ],
  ['a key of 257 characters', JSON.stringify({ a: { ...keys, key_id: 'k'.repeat(257) } })],
])('%s gives no keys; the refusal names the setting and not a word of the text', (_name, text) => {
  const error = refusalOf(text, 'a')
  expect(error.code).toBe('venue.unavailable')
  expect(error.message).toContain('POSTERN_ALPACA_KEYS')
  expect(Bun.inspect(error)).not.toContain(secret)
  expect(error.cause).toBeUndefined()
  expect(isVenueSpared(error)).toBe(true)
})

test.each(['__proto__', 'constructor', 'toString'])(
  'the account %s has no keys by itself',
  (name) => {
    expect(refusalOf('{}', name).message).toContain(`no keys of account ${name}`)
  },
)

test('each account has its own keys, and one that is wrong is nobody else’s', () => {
  const text = JSON.stringify({ a: keys, b: { key_id: 'PK2', secret_key: 'other' }, c: 7 })
  expect(alpacaKeysOf(text, 'a')).toEqual({ keyId: 'PK1', secretKey: secret })
  expect(alpacaKeysOf(text, 'b')).toEqual({ keyId: 'PK2', secretKey: 'other' })
  expect(refusalOf(text, 'c').message).toContain('account c')
})

test('without the setting the refusal says what to set', () => {
  const error = alpacaKeysUnset('a')
  expect(error.code).toBe('venue.unavailable')
  expect(error.message).toContain('account a')
  expect(error.message).toContain('POSTERN_ALPACA_KEYS is not set')
})
