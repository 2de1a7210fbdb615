import { expect, test } from 'bun:test'
import { PosternError } from '#core/errors.ts'
import { parseStrictJson, parseStrictText } from '#gateway/strict-json.ts'

function detailOf(parse: () => unknown): string | undefined {
  try {
    parse()
  } catch (error) {
    if (error instanceof PosternError && error.code === 'request.malformed') return error.detail
    throw error
  }
  return undefined
}

const lossy = 'A number does not survive double precision; send it as a string.'
const twice = 'An object names the same member twice.'

test.each([
  ['a member named twice', '{"a":1,"a":2}', twice],
  ['a member named twice, once by an escape', '{"b":1,"\\u0062":2}', twice],
  ['a member named twice, deep inside', '[{"x":{"a":{},"a":[]}}]', twice],
  ['a NUL', '"a\\u0000b"', 'A string holds a NUL character, which cannot be stored.'],
  ['a NUL in a name', '{"\\u0000":1}', 'A string holds a NUL character, which cannot be stored.'],
  ['half of a surrogate pair', '"\\ud800x"', 'A string holds half of a surrogate pair.'],
  ['__proto__', '{"__proto__":{"admin":true}}', 'A member must not be called __proto__.'],
  ['__proto__ by an escape', '{"\\u005f_proto__":1}', 'A member must not be called __proto__.'],
  ['a number past the doubles', '1e400', lossy],
  ['a number that becomes zero', '-1e-400', lossy],
  ['an integer past 2^53', '9007199254740993', lossy],
  ['more digits than a double has', '0.1000000000000000055', lossy],
  ['a level too many', '['.repeat(33) + ']'.repeat(33), 'The body nests deeper than 32 levels.'],
  ['a byte order mark', '\ufeff{}', 'The body is not JSON.'],
  ['nothing', '', 'The body is not JSON.'],
  ['an open string', '"abc', 'The body is not JSON.'],
  ['an escape at the end', '"abc\\', 'The body is not JSON.'],
  ['NaN', 'NaN', 'The body is not JSON.'],
  ['two values', '1 2', 'The body is not JSON.'],
  ['a comment', '{/* */}', 'The body is not JSON.'],
])('%s is refused', (_name, text, detail) => {
  expect(detailOf(() => parseStrictText(text))).toBe(detail)
})

test.each([
  ['overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
  ['encoded surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
  ['truncated sequence', [0x22, 0xe2, 0x82, 0x22]],
])('bytes that are not UTF-8 are refused: %s', (_name, bytes) => {
  expect(detailOf(() => parseStrictJson(new Uint8Array(bytes)))).toBe('The body is not UTF-8.')
})

test.each([
  '0.30000000000000004',
  '1E+5',
  '-0',
  '1.50e1',
  '9007199254740991',
  '100000000000000000000e-10',
  '{"a":"\\\\","b":"\\"",":":":,{}[]"}',
  '"\\ud83d\\ude00"',
  '['.repeat(32) + ']'.repeat(32),
  '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}',
])('%s passes unchanged', (text) => {
  expect(parseStrictText(text)).toEqual(JSON.parse(text))
})
