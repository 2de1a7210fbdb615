import { expect, test } from 'bun:test'
import { findCidr, parseAddress, parseCidr } from '#core/access/cidr.ts'

test.each([
  '010.1.2.3',
  '10.1',
  '10.1.2',
  '167772161',
  '0x0a.1.2.3',
  '0xa000001',
  '10.1.2.256',
  '10.1.2.3.4',
  ' 10.1.2.3',
  '10.1.2.3 ',
  '10.1.2.3:80',
  '1e1.1.1.1',
  '１０.1.2.3',
  'fe80::1%eth0',
  '[::1]',
  '::1::',
  '1:2:3:4:5:6:7:8:9',
  ':::',
  '12345::',
  '::ffff:010.1.2.3',
  '::ffff:10.1.2',
  '::ffff:1.2.3.999',
  'localhost',
  '*',
  '',
  `${'0'.repeat(60)}::1`,
])('the address %p is refused', (text) => {
  expect(parseAddress(text)).toBeUndefined()
})

test.each([
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['::FFFF:0a01:0203', '10.1.2.3'],
  ['0:0:0:0:0:ffff:a01:203', '10.1.2.3'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['::1', '::1'],
])('%s is the same caller as %s', (text, canonical) => {
  expect(parseAddress(text)?.text).toBe(canonical)
})

test.each([
  '10.0.0.0',
  '10.0.0.0/33',
  '10.0.0.0/08',
  '10.0.0.0/8/9',
  '10.0.0.0/-1',
  '10.0.0.0/+8',
  '10.0.0.0/8 ',
  '10.0.0.0/',
  '10.0.0.0/255.0.0.0',
  '10.0.0.1/8',
  '010.0.0.0/8',
  '10/8',
  '::/129',
  '2001:db8::1/32',
  'fe80::%eth0/10',
  '::ffff:0:0/95',
  '::ffff:10.0.0.1/104',
  '*',
  '',
])('the range %p is refused', (text) => {
  expect(() => parseCidr(text)).toThrow()
})

test('an empty list admits nobody', () => {
  for (const text of ['127.0.0.1', '10.0.0.1', '::1']) {
    expect(findCidr([], parseAddress(text) ?? fail())).toBeUndefined()
  }
})

test.each([
  ['10.0.0.0/8', '9.255.255.255', false],
  ['10.0.0.0/8', '10.0.0.0', true],
  ['10.0.0.0/8', '10.255.255.255', true],
  ['10.0.0.0/8', '11.0.0.0', false],
  ['192.168.1.128/25', '192.168.1.127', false],
  ['192.168.1.128/25', '192.168.1.128', true],
  ['10.1.2.3/32', '10.1.2.4', false],
  ['10.1.2.3/32', '10.1.2.3', true],
  ['0.0.0.0/0', '255.255.255.255', true],
  ['0.0.0.0/0', '::1', false],
  ['::/0', '10.0.0.1', false],
  ['::/0', '::ffff:10.0.0.1', false],
  ['::ffff:10.0.0.0/104', '10.9.9.9', true],
  ['10.0.0.0/8', '::ffff:10.9.9.9', true],
  ['10.0.0.0/8', '::a00:1', false],
  ['2001:db8::/32', '2001:db7:ffff:ffff:ffff:ffff:ffff:ffff', false],
  ['2001:db8::/32', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', true],
  ['2001:db8::/32', '2001:db9::', false],
  ['::1/128', '::2', false],
])('%s holds %s: %p', (range, text, isInside) => {
  const found = findCidr([parseCidr(range)], parseAddress(text) ?? fail())
  expect(found !== undefined).toBe(isInside)
})

test('every prefix of IPv4 has its first and last address inside and their neighbours outside', () => {
  const base = 0b10101010_01010101_11001100_00110011
  for (let prefix = 1; prefix <= 32; prefix++) {
    const size = 2 ** (32 - prefix)
    const first = Math.floor((base >>> 0) / size) * size
    const cidr = parseCidr(`${dotted(first)}/${prefix}`)
    const isInside = (value: number) =>
      findCidr([cidr], parseAddress(dotted(value)) ?? fail()) !== undefined
    expect([first - 1, first, first + size - 1, first + size].map(isInside)).toEqual([
      false,
      true,
      true,
      false,
    ])
  }
})

function dotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
}

function fail(): never {
  throw new Error('the address of the case is not one')
}
