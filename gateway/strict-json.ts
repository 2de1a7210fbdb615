import { PosternError } from '#core/errors.ts'

/** Deeper input only serves to exhaust a stack further down. */
const depthMax = 32
/** Decimal digits that a double always gives back; with more it has to be looked at. */
const safeDigits = 15

/** A byte order mark stays in the text, where it is a syntax error (RFC 8259, 8.1). */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses JSON and refuses what `JSON.parse` lets pass but another reader (Postgres, a worker in
 * another language) sees differently or not at all: invalid UTF-8, a member named twice, NUL and
 * lone surrogates, numbers that a double cannot hold, `__proto__`, deep nesting (RFC 7493, 2).
 * Throws `request.malformed`.
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  return parseStrictText(decodeUtf8(bytes))
}

export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw malformed('The body is not UTF-8.', cause)
  }
}

export function parseStrictText(text: string): unknown {
  const membersWritten = scan(text)
  const value = parse(text)
  // Only an escape can bring in NUL or half of a pair: raw ones are refused before this line.
  const membersKept = walk(value, text.includes('\\u'))
  if (membersKept !== membersWritten) refuse('An object names the same member twice.')
  return value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw malformed('The body is not JSON.', cause)
  }
}

const quote = 0x22
const backslash = 0x5c
const colon = 0x3a
const minus = 0x2d
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/** Counts the members as written; strings are skipped at native speed. */
function scan(text: string): number {
  let members = 0
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    switch (code) {
      case quote:
        at = endOfString(text, at)
        break
      case colon:
        members++
        break
      case openBrace:
      case openBracket:
        depth = deeper(depth)
        break
      case closeBrace:
      case closeBracket:
        depth--
        break
      default:
        if (isDigit(code) || code === minus) at = endOfNumber(text, at)
    }
  }
  return members
}

function deeper(depth: number): number {
  if (depth === depthMax) refuse(`The body nests deeper than ${depthMax} levels.`)
  return depth + 1
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++
    if (slashes % 2 === 0) return end
  }
  return text.length
}

/** The last character of a number; refuses one that would come out as another number. */
function endOfNumber(text: string, start: number): number {
  let end = start
  let hasExponent = false
  for (let code = text.charCodeAt(end + 1); isInNumber(code); code = text.charCodeAt(end + 1)) {
    hasExponent ||= code === 0x65 || code === 0x45
    end++
  }
  if (hasExponent || end - start >= safeDigits) refuseLossy(text.slice(start, end + 1))
  return end
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function isInNumber(code: number): boolean {
  return (
    isDigit(code) ||
    code === 0x2e ||
    code === 0x65 ||
    code === 0x45 ||
    code === 0x2b ||
    code === minus
  )
}

function refuseLossy(text: string): void {
  const number = Number(text)
  if (Number.isNaN(number)) return
  const isLossy =
    !Number.isFinite(number) ||
    (Number.isInteger(number) && !Number.isSafeInteger(number)) ||
    significant(text) !== significant(String(number))
  if (isLossy) refuse('A number does not survive double precision; send it as a string.')
}

/** Digits and decimal exponent without leading and trailing zeros, so that equal numbers match. */
function significant(text: string): string {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().replace(/^-/, '').split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const trimmed = digits.replace(/0+$/, '')
  if (trimmed === '') return '0'
  return `${trimmed}e${Number(exponent) - fraction.length + digits.length - trimmed.length}`
}

/** Counts the members that `JSON.parse` kept. */
function walk(value: unknown, hasEscapes: boolean): number {
  if (typeof value === 'string') {
    if (hasEscapes) refuseUnstorable(value)
    return 0
  }
  if (typeof value !== 'object' || value === null) return 0
  return Array.isArray(value) ? walkArray(value, hasEscapes) : walkObject(value, hasEscapes)
}

function walkArray(items: readonly unknown[], hasEscapes: boolean): number {
  let members = 0
  for (const item of items) members += walk(item, hasEscapes)
  return members
}

function walkObject(object: object, hasEscapes: boolean): number {
  let members = 0
  for (const [name, member] of Object.entries(object)) {
    if (name === '__proto__') refuse('A member must not be called __proto__.')
    if (hasEscapes) refuseUnstorable(name)
    members += 1 + walk(member, hasEscapes)
  }
  return members
}

function refuseUnstorable(text: string): void {
  if (text.includes('\0')) refuse('A string holds a NUL character, which cannot be stored.')
  if (!text.isWellFormed()) refuse('A string holds half of a surrogate pair.')
}

function refuse(detail: string): never {
  throw malformed(detail)
}

function malformed(detail: string, cause?: unknown): PosternError {
  return new PosternError('request.malformed', { detail, cause })
}
