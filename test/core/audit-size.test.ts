import { expect, test } from 'bun:test'
import { type AuditRecord, callerRecord, encodeAuditRecord } from '#core/audit/record.ts'
import { PosternError } from '#core/errors.ts'
import { testCaller } from '#test/support/job-engine.ts'

const numbering = { replica: 'gateway@host', epoch: 3, rseq: 17 }

function withDetail(text: string): AuditRecord {
  return callerRecord(testCaller, {
    ...{ id: Bun.randomUUIDv7(), type: 'job.accepted', at: new Date(), target: 'job/1' },
    outcome: 'ok',
    details: { text },
  })
}

const envelopeBytes = Buffer.byteLength(encodeAuditRecord(withDetail(''), numbering))

/** A record of exactly so many bytes, its text made of one character. */
function recordOf(bytes: number, character: string): AuditRecord {
  const width = Buffer.byteLength(character)
  const free = bytes - envelopeBytes
  const rest = free % width
  return withDetail(character.repeat((free - rest) / width) + 'x'.repeat(rest))
}

test.each([
  ['one byte', 'x'],
  ['three bytes', '€'],
  ['four bytes', '😀'],
])(
  'a record of 65,535 bytes is written, one of 65,536 is refused by name: %s a character',
  (_name, character) => {
    const text = encodeAuditRecord(recordOf(65_535, character), numbering)
    expect(Buffer.byteLength(text)).toBe(65_535)
    const refused = refusal(() => encodeAuditRecord(recordOf(65_536, character), numbering))
    expect(refused).toMatchObject({ code: 'audit.record_too_large', status: 413 })
    expect(refused.detail).toContain('65536 bytes')
  },
)

test('a record of a megabyte is refused by name', () => {
  const refused = refusal(() => encodeAuditRecord(recordOf(1_048_576, 'x'), numbering))
  expect(refused.code).toBe('audit.record_too_large')
})

test('what has to be escaped counts as it is written', () => {
  const refused = refusal(() => encodeAuditRecord(withDetail('\u0001'.repeat(11_000)), numbering))
  expect(refused.code).toBe('audit.record_too_large')
})

test.each([
  ['one byte', 'u', 256],
  ['two bytes', 'é', 128],
  ['three bytes', '€', 85],
  ['four bytes', '😀', 64],
])('a user agent is cut at 256 bytes: %s a character', (_name, character, kept) => {
  const userAgent = character.repeat(1_000)
  const text = encodeAuditRecord({ ...withDetail(''), userAgent }, numbering)
  expect(JSON.parse(text)).toMatchObject({ ua: character.repeat(kept) })
})

function refusal(run: () => unknown): PosternError {
  try {
    run()
  } catch (error) {
    if (error instanceof PosternError) return error
    throw error
  }
  throw new Error('it was not refused')
}
