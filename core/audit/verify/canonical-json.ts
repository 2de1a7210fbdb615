/**
 * RFC 8785 in one pass over the bytes, without building the value: members in ascending order of
 * their UTF-16 code units (and so none twice), minimal escapes, numbers as ECMAScript writes them,
 * no white space, UTF-8 without overlong forms and surrogates.
 */

/** Levels of objects and arrays; far beyond any record, well inside every parser's stack. */
const depthMax = 100

/** Past this many digits an integer may not be one that a double can hold. */
const digitsSafe = 15

const byte = {
  end: 0x00,
  quote: 0x22,
  plus: 0x2b,
  comma: 0x2c,
  minus: 0x2d,
  dot: 0x2e,
  zero: 0x30,
  nine: 0x39,
  colon: 0x3a,
  exponent: 0x65,
  bracketOpen: 0x5b,
  backslash: 0x5c,
  bracketClose: 0x5d,
  braceOpen: 0x7b,
  braceClose: 0x7d,
} as const

/**
 * Offset of the first byte at which `bytes` stops being one canonical JSON value; undefined where
 * it is one. Integers beyond ±(2^53 − 1) are refused too: readers disagree about them.
 */
export function findCanonicalFault(bytes: Uint8Array): number | undefined {
  const end = skipValue(bytes, 0, 0)
  if (end < 0) return -1 - end
  return end === bytes.length ? undefined : end
}

/** Every `skip…` returns the offset behind what it read, or -1 - offset of the fault. */
function fault(at: number): number {
  return -1 - at
}

function skipValue(bytes: Uint8Array, at: number, depth: number): number {
  switch (bytes[at]) {
    case byte.quote:
      return skipString(bytes, at + 1)
    case byte.braceOpen:
      return depth === depthMax ? fault(at) : skipObject(bytes, at + 1, depth + 1)
    case byte.bracketOpen:
      return depth === depthMax ? fault(at) : skipArray(bytes, at + 1, depth + 1)
    case 0x74:
      return skipWord(bytes, at, wordTrue)
    case 0x66:
      return skipWord(bytes, at, wordFalse)
    case 0x6e:
      return skipWord(bytes, at, wordNull)
    default:
      return skipNumber(bytes, at)
  }
}

const wordTrue = Buffer.from('true')
const wordFalse = Buffer.from('false')
const wordNull = Buffer.from('null')

function skipWord(bytes: Uint8Array, from: number, word: Uint8Array): number {
  for (let i = 0; i < word.length; i++) {
    if (bytes[from + i] !== word[i]) return fault(from + i)
  }
  return from + word.length
}

function skipArray(bytes: Uint8Array, from: number, depth: number): number {
  if (bytes[from] === byte.bracketClose) return from + 1
  let at = from
  for (;;) {
    at = skipValue(bytes, at, depth)
    if (at < 0) return at
    const next = bytes[at++]
    if (next === byte.bracketClose) return at
    if (next !== byte.comma) return fault(at - 1)
  }
}

function skipObject(bytes: Uint8Array, from: number, depth: number): number {
  if (bytes[from] === byte.braceClose) return from + 1
  let at = from
  let previous = -1
  for (;;) {
    const nameEnd = skipName(bytes, at, previous)
    if (nameEnd < 0) return nameEnd
    previous = at
    at = skipValue(bytes, nameEnd + 1, depth)
    if (at < 0) return at
    const next = bytes[at++]
    if (next === byte.braceClose) return at
    if (next !== byte.comma) return fault(at - 1)
  }
}

/** Returns the offset of the colon; `previous` is the opening quote of the name before, or -1. */
function skipName(bytes: Uint8Array, at: number, previous: number): number {
  if (bytes[at] !== byte.quote) return fault(at)
  const end = skipString(bytes, at + 1)
  if (end < 0) return end
  if (previous !== -1 && !isBefore(bytes, previous, at, end)) return fault(at + 1)
  return bytes[end] === byte.colon ? end : fault(end)
}

/**
 * Whether the name at one opening quote sorts before the name from another to its end. Bytes decide
 * as long as the first difference is plain ASCII on both sides, where UTF-8 and UTF-16 order agree.
 */
function isBefore(bytes: Uint8Array, a: number, b: number, bEnd: number): boolean {
  let i = 1
  while (b + i < bEnd && bytes[a + i] === bytes[b + i]) i++
  if (b + i === bEnd) return false
  const left = bytes[a + i] ?? byte.end
  const right = bytes[b + i] ?? byte.end
  const isPlain = stringBytes[left] === plain && stringBytes[right] === plain
  // An escape's second letter stands for another character than itself.
  if (isPlain && bytes[a + i - 1] !== byte.backslash) return left < right
  return nameAt(bytes, a) < nameAt(bytes, b)
}

const utf8 = new TextDecoder()

function nameAt(bytes: Uint8Array, from: number): string {
  return String(JSON.parse(utf8.decode(bytes.subarray(from, skipString(bytes, from + 1)))))
}

const plain = 0
const refused = 1
const special = 2

/** How each byte is met inside a string. */
const stringBytes = new Uint8Array(256).map((_, value) => {
  if (value < 0x20 || (value >= 0x80 && value < 0xc2) || value > 0xf4) return refused
  return value === byte.quote || value === byte.backslash || value >= 0xc2 ? special : plain
})

function skipString(bytes: Uint8Array, from: number): number {
  let at = from
  for (;;) {
    const value = bytes[at] ?? byte.end
    const kind = stringBytes[value]
    if (kind === plain) {
      at++
      continue
    }
    if (kind === refused) return fault(at)
    if (value === byte.quote) return at + 1
    at = value === byte.backslash ? skipEscape(bytes, at) : skipMultibyte(bytes, at, value)
    if (at < 0) return at
  }
}

/** `\b \t \n \f \r \" \\` */
const shortEscapes = new Set(Buffer.from('btnfr"\\'))
/** What has a short escape must use it: BS, HT, LF, FF, CR. */
const longEscapesRefused = new Set([0x08, 0x09, 0x0a, 0x0c, 0x0d])
const hexDigits = Buffer.from('0123456789abcdef')

function skipEscape(bytes: Uint8Array, at: number): number {
  const letter = bytes[at + 1] ?? byte.end
  if (shortEscapes.has(letter)) return at + 2
  const high = (bytes[at + 4] ?? byte.end) - byte.zero
  const low = hexDigits.indexOf(bytes[at + 5] ?? byte.end)
  const isControl =
    letter === 0x75 &&
    bytes[at + 2] === byte.zero &&
    bytes[at + 3] === byte.zero &&
    (high === 0 || high === 1) &&
    low !== -1 &&
    !longEscapesRefused.has(high * 16 + low)
  return isControl ? at + 6 : fault(at)
}

/** Unicode 16, table 3-7: what the second byte may be where its range is a shorter one. */
const secondBytes: Readonly<Record<number, readonly [number, number]>> = {
  224: [0xa0, 0xbf],
  237: [0x80, 0x9f],
  240: [0x90, 0xbf],
  244: [0x80, 0x8f],
}
const continuation = [0x80, 0xbf] as const

function skipMultibyte(bytes: Uint8Array, at: number, lead: number): number {
  if (!isWithin(bytes[at + 1], secondBytes[lead] ?? continuation)) return fault(at)
  if (lead < 0xe0) return at + 2
  if (!isWithin(bytes[at + 2], continuation)) return fault(at)
  if (lead < 0xf0) return at + 3
  return isWithin(bytes[at + 3], continuation) ? at + 4 : fault(at)
}

function isWithin(value: number | undefined, [first, last]: readonly [number, number]): boolean {
  return value !== undefined && value >= first && value <= last
}

function skipNumber(bytes: Uint8Array, from: number): number {
  let at = bytes[from] === byte.minus ? from + 1 : from
  const digitsFrom = at
  while (isDigit(bytes[at])) at++
  const digits = at - digitsFrom
  const next = bytes[at]
  if (next !== byte.dot && next !== byte.exponent && digits <= digitsSafe) {
    if (digits === 0) return fault(at)
    const isZero = bytes[digitsFrom] === byte.zero
    return isZero && (digits > 1 || digitsFrom > from) ? fault(from) : at
  }
  return skipLongNumber(bytes, from, at)
}

function skipLongNumber(bytes: Uint8Array, from: number, digitsEnd: number): number {
  let at = digitsEnd
  while (isNumberByte(bytes[at])) at++
  const text = utf8.decode(bytes.subarray(from, at))
  const value = Number(text)
  if (String(value) !== text) return fault(from)
  return at === digitsEnd && !Number.isSafeInteger(value) ? fault(from) : at
}

function isDigit(value: number | undefined): boolean {
  return value !== undefined && value >= byte.zero && value <= byte.nine
}

function isNumberByte(value: number | undefined): boolean {
  return (
    isDigit(value) ||
    value === byte.dot ||
    value === byte.exponent ||
    value === byte.plus ||
    value === byte.minus
  )
}
