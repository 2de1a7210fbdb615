import { expect, test } from 'bun:test'
import { findCanaries } from './canary-search.ts'

const password = 'p/@:%+?#"& one-of-a-kind'
const key = Buffer.from('thirty-two bytes that are a key.').toString('base64url')
const secrets = new Map([
  ['password', password],
  ['key', key],
])

test.each([
  ['as it is', `connect ${password} failed`],
  ['in a URL', new URL(`redis://u:${encodeURIComponent(password)}@h`).href],
  ['in a query', `?value=${encodeURIComponent(password)}`],
  ['as JSON in JSON', JSON.stringify({ line: JSON.stringify({ password }) })],
  ['as bytes in hex', `\\x00${Buffer.from(`x${password}`).toString('hex')}`],
  ['in the base64 of more', Buffer.from(`a:${password}:b`).toString('base64')],
  ['in the base64url of more', Buffer.from(`ab:${password}`).toString('base64url')],
])('a password is found %s', (_, text) => {
  expect(findCanaries([['there', text]], secrets)).toMatchObject([
    { name: 'password', output: 'there' },
  ])
})

test.each([
  ['in hex', Buffer.from(key, 'base64url').toString('hex')],
  [
    'behind its algorithm',
    Buffer.from(`\u0001${Buffer.from(key, 'base64url')}`).toString('base64'),
  ],
])('the bytes that a key stands for are found %s', (_, text) => {
  expect(findCanaries([['there', text]], secrets)).toMatchObject([{ name: 'key' }])
})

test('nothing is found in what holds nothing', () => {
  expect(findCanaries([['there', 'postgres://app_a@127.0.0.1/postern']], secrets)).toEqual([])
})
