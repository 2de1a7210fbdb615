import { expect, test } from 'bun:test'
import { parseCidr } from '#core/access/cidr.ts'
import { clientAddress } from '#core/access/client-address.ts'

const plain = { cidrs: [parseCidr('10.0.0.0/8'), parseCidr('::1/128')], allowPort: false }
const withPort = { cidrs: [parseCidr('172.16.0.0/12')], allowPort: true }
const proxies = [plain, withPort]

function resolve(remote: string | undefined, forwarded?: string): string {
  const found = clientAddress(remote, forwarded, proxies)
  return found.isKnown ? found.address.text : found.reason
}

test.each([
  ['no address at all', undefined, undefined, 'address.remote_unknown'],
  ['an empty address', '', undefined, 'address.remote_unknown'],
  ['a peer that is no address', 'unix', undefined, 'address.remote_unparsable'],
  ['an octal entry', '10.0.0.1', '010.1.2.3', 'address.forwarded_unparsable'],
  ['an empty header', '10.0.0.1', '', 'address.forwarded_unparsable'],
  ['an empty last entry', '10.0.0.1', '8.8.8.8,', 'address.forwarded_unparsable'],
  ['a name', '10.0.0.1', 'client.example', 'address.forwarded_unparsable'],
  ['an entry of RFC 7239', '10.0.0.1', 'for=8.8.8.8', 'address.forwarded_unparsable'],
  ['a zone id', '10.0.0.1', 'fe80::1%eth0', 'address.forwarded_unparsable'],
  ['a port where none is allowed', '10.0.0.1', '8.8.8.8:443', 'address.forwarded_unparsable'],
  ['a port out of form', '172.16.0.1', '8.8.8.8:x', 'address.forwarded_unparsable'],
  [
    'junk left of a trusted hop',
    '10.0.0.1',
    '8.8.8.8, junk, 10.0.0.2',
    'address.forwarded_unparsable',
  ],
  ['1,025 characters', '10.0.0.1', `${' '.repeat(1_018)}8.8.8.8`, 'address.forwarded_too_long'],
  ['17 hops', '10.0.0.1', Array(17).fill('10.0.0.2').join(','), 'address.forwarded_too_many_hops'],
])('%s is refused', (_, remote, forwarded, reason) => {
  expect(resolve(remote, forwarded)).toBe(reason)
})

test.each([
  ['a peer that is no proxy of ours', '8.8.4.4', '10.1.1.1', '8.8.4.4'],
  ['such a peer with junk', '8.8.4.4', 'junk', '8.8.4.4'],
  ['a forged first entry', '10.0.0.1', '127.0.0.1, 8.8.8.8', '8.8.8.8'],
  ['a forged chain of trusted names', '10.0.0.1', '10.9.9.9, 8.8.8.8, 10.0.0.2', '8.8.8.8'],
  ['junk left of the client', '10.0.0.1', 'junk, 8.8.8.8', '8.8.8.8'],
  ['a trusted peer without the header', '10.0.0.1', undefined, '10.0.0.1'],
  ['trusted hops alone', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.1'],
  ['a mapped peer', '::ffff:10.0.0.1', '8.8.8.8', '8.8.8.8'],
  ['a mapped client', '10.0.0.1', '::ffff:8.8.8.8', '8.8.8.8'],
  ['a mapped trusted hop', '10.0.0.1', '8.8.8.8, ::ffff:a00:2', '8.8.8.8'],
  ['a port from a proxy that writes one', '172.16.0.1', '8.8.8.8:443', '8.8.8.8'],
  ['an IPv6 port', '172.16.0.1', '[2001:db8::5]:443', '2001:db8::5'],
  ['IPv6 without brackets', '172.16.0.1', '2001:db8::5', '2001:db8::5'],
  ['1,024 characters', '10.0.0.1', `${' '.repeat(1_017)}8.8.8.8`, '8.8.8.8'],
  ['16 hops', '10.0.0.1', ['8.8.8.8', ...Array(15).fill('10.0.0.2')].join(','), '8.8.8.8'],
])('%s resolves to the address we can vouch for', (_, remote, forwarded, address) => {
  expect(resolve(remote, forwarded)).toBe(address)
})

test('the proxy right of an entry decides whether that entry may hold a port', () => {
  expect(resolve('10.0.0.1', '8.8.8.8:1, 172.16.0.1')).toBe('8.8.8.8')
  expect(resolve('172.16.0.1', '8.8.8.8:1, 10.0.0.1:9')).toBe('address.forwarded_unparsable')
})
