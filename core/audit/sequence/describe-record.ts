import type { Description } from './log-database.ts'

/** Longer values are not worth a place in an index; Postgres would refuse them past 2,700 bytes. */
const textCharsMax = 512
/** Postgres has no text with U+0000, and no filter asks for control characters. */
const plain = /^[^\p{Cc}]*$/u
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const utcTime = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/

const decoder = new TextDecoder()

/**
 * What filters ask for, and the id that the body gives itself. Never throws: bytes that are no
 * record have a place in the log too.
 */
export function describeRecord(
  body: Uint8Array,
): Description & { readonly rec: string | undefined } {
  const record = membersOf(parseJson(body))
  const rec = shortText(record['id'])
  return {
    rec: rec !== undefined && uuid.test(rec) ? rec : undefined,
    atMs: timeOf(record['ts']),
    type: shortText(record['type']),
    subject: shortText(membersOf(record['actor'])['sub']),
    requestId: shortText(record['req']),
  }
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(body))
  } catch {
    return undefined
  }
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {}
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function shortText(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > textCharsMax) return undefined
  return plain.test(value) && value.isWellFormed() ? value : undefined
}

function timeOf(value: unknown): number | undefined {
  if (typeof value !== 'string' || value.length > textCharsMax || !utcTime.test(value)) {
    return undefined
  }
  const at = Date.parse(value)
  return Number.isNaN(at) ? undefined : at
}
