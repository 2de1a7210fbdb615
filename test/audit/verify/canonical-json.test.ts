import { expect, test } from 'bun:test'
import canonicalize from 'canonicalize'
import { findCanonicalFault } from '#core/audit/verify/canonical-json.ts'
import { seededRandom } from './seeded-random.ts'

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text))

const refusals: readonly [string, string | Uint8Array][] = [
  ['nothing', ''],
  ['a space before', ' {}'],
  ['a newline behind', '{}\n'],
  ['a second value', '{}{}'],
  ['a space between members', '{"a":1, "b":2}'],
  ['members out of order', '{"b":1,"a":2}'],
  ['a member twice', '{"a":1,"a":2}'],
  ['a member twice, once escaped', '{"a":1,"\\u0061":2}'],
  ['a member of backslashes twice', '{"\\\\":1,"\\\\":2}'],
  ['a longer name before its prefix', '{"ab":1,"a":2}'],
  ['UTF-8 order where UTF-16 differs', '{"\ufb33":1,"\u{1f600}":2}'],
  ['an escaped name out of order', '{"\\n":1,"\\t":2}'],
  ['an escaped solidus', '"\\/"'],
  ['an escape that is not needed', '"\\u0061"'],
  ['a long escape for a newline', '"\\u000a"'],
  ['an upper case escape', '"\\u001F"'],
  ['an escaped surrogate', '"\\ud800"'],
  ['an escaped DEL', '"\\u007f"'],
  ['a raw control character', '"\n"'],
  ['an unclosed text', '"abc'],
  ['an unclosed escape', '"\\'],
  ['an unclosed long escape', '"\\u00'],
  ['an unclosed object', '{"a":1'],
  ['a comma too many', '[1,]'],
  ['a missing comma', '[1 2]'],
  ['a missing colon', '{"a"1}'],
  ['minus zero', '-0'],
  ['a leading zero', '01'],
  ['a trailing zero', '1.0'],
  ['a plus sign', '+1'],
  ['an exponent written out', '1e21'],
  ['a number too small for a plain exponent', '1E-7'],
  ['a number past double precision', '0.1000000000000000055511151231257827'],
  ['infinity', '1e400'],
  ['a word', 'Infinity'],
  ['an integer past 2^53 − 1', '9007199254740992'],
  ['an integer past -(2^53 − 1)', '-9007199254740992'],
  ['an integer of 21 digits, as ECMAScript writes it', '123456789012345680000'],
  ['a bare minus', '-'],
  ['a misspelt literal', 'nul'],
  ['a byte order mark', '\ufeff{}'],
  ['a lone continuation byte', new Uint8Array([0x22, 0x80, 0x22])],
  ['an overlong NUL', new Uint8Array([0x22, 0xc0, 0x80, 0x22])],
  ['an overlong three-byte form', new Uint8Array([0x22, 0xe0, 0x80, 0x80, 0x22])],
  ['a surrogate in UTF-8', new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ['an overlong four-byte form', new Uint8Array([0x22, 0xf0, 0x80, 0x80, 0x80, 0x22])],
  ['a code point past U+10FFFF', new Uint8Array([0x22, 0xf4, 0x90, 0x80, 0x80, 0x22])],
  ['a character cut short', new Uint8Array([0x22, 0xe2, 0x82, 0x22])],
  ['one level too many', '['.repeat(101) + ']'.repeat(101)],
]

test.each(refusals)('%s is not canonical', (_, input) => {
  const bytes = typeof input === 'string' ? bytesOf(input) : input
  expect(findCanonicalFault(bytes)).toBeNumber()
})

const accepted = [
  'null',
  'true',
  '""',
  '{}',
  '[]',
  '0',
  '-1',
  '9007199254740991',
  '-9007199254740991',
  '1e+21',
  '1e-7',
  '0.000001',
  '5e-324',
  '1.7976931348623157e+308',
  '"\\b\\t\\n\\f\\r\\"\\\\\\u0000\\u001f\u007f/"',
  '{"\\t":1,"\\n":2,"a":4,"é":5,"\u{1f600}":6,"\ufb33":7}',
  '{"":1,"a":{"__proto__":[1,2.5,false,null]},"aa":"\u{10ffff}"}',
  '['.repeat(100) + ']'.repeat(100),
]

test.each(accepted)('%s is canonical', (text) => {
  expect(findCanonicalFault(bytesOf(text))).toBeUndefined()
})

test('the fault is named by its offset', () => {
  expect(findCanonicalFault(bytesOf('{"b":1,"a":2}'))).toBe(8)
  expect(findCanonicalFault(bytesOf('{"a":1}x'))).toBe(7)
})

/** What `canonicalize` would write for the value that these bytes hold, if they hold one. */
function isCanonical(bytes: Uint8Array): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const value: unknown = JSON.parse(text)
    return canonicalize(value) === text && !holdsUnsafeInteger(value)
  } catch {
    return false
  }
}

function holdsUnsafeInteger(value: unknown): boolean {
  if (typeof value === 'number')
    return /^-?\d{16,}$/.test(String(value)) && !Number.isSafeInteger(value)
  return (
    typeof value === 'object' && value !== null && Object.values(value).some(holdsUnsafeInteger)
  )
}

test('random values and mutations of them are judged as `canonicalize` would', () => {
  const { seed, random, below } = seededRandom()
  const letters = [
    'a',
    'b',
    '"',
    '\\',
    '\n',
    '\u0001',
    '\u001f',
    '\u007f',
    'é',
    '€',
    '\ufb33',
    '😀',
  ]
  const text = () => Array.from({ length: below(5) }, () => letters[below(letters.length)]).join('')
  // From 10^21 on ECMAScript writes an exponent; the integers between are refused, see above.
  const large = () => 1e21 + random() * 1e25
  const number = () =>
    [below(10), -below(1e9), random(), random() * 1e-9, large(), below(2 ** 53)][below(6)]
  const value = (depth: number): unknown => {
    const kind = below(depth > 3 ? 4 : 6)
    if (kind === 0) return text()
    if (kind === 1) return number()
    if (kind === 2) return [true, false, null][below(3)]
    if (kind === 3) return `${text()}${text()}`
    if (kind === 4) return Array.from({ length: below(4) }, () => value(depth + 1))
    return Object.fromEntries(
      Array.from({ length: below(5) }, () => [text(), value(depth + 1)] as const),
    )
  }
  for (let round = 0; round < 4_000; round++) {
    const bytes = bytesOf(canonicalize(value(0)) ?? 'null')
    expect({ seed, round, fault: findCanonicalFault(bytes) }).toEqual({
      seed,
      round,
      fault: undefined,
    })
    const mutated = mutate(bytes, below)
    const isFine = findCanonicalFault(mutated) === undefined
    if (isFine !== isCanonical(mutated)) {
      throw new Error(`seed ${seed}, round ${round}: ${Buffer.from(mutated).toString('hex')}`)
    }
  }
})

const mutations = Buffer.from('{}[]",:\\u0019.eE+- aétf\u0000\n')

function mutate(bytes: Uint8Array, below: (end: number) => number): Uint8Array {
  const at = below(bytes.length)
  const end = Math.min(bytes.length, at + below(3))
  const inserted = Array.from({ length: below(3) }, () => mutations[below(mutations.length)] ?? 0)
  return new Uint8Array([...bytes.subarray(0, at), ...inserted, ...bytes.subarray(end)])
}
