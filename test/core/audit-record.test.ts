import { expect, test } from 'bun:test'
import canonicalize from 'canonicalize'
import {
  type AuditRecord,
  callerRecord,
  encodeAuditRecord,
  systemRecord,
} from '#core/audit/record.ts'
import { readRecord } from '#core/audit/verify/record-reader.ts'
import { testCaller } from '#test/support/job-engine.ts'

const at = new Date('2026-03-01T12:00:00.123Z')
const base = {
  id: '01960000-0000-7000-8000-000000000000',
  type: 'job.accepted',
  at,
  target: 'job/1',
  outcome: 'ok',
} as const satisfies Partial<AuditRecord>

const numbering = { replica: 'gateway@host', epoch: 3, rseq: 17 }

const full: AuditRecord = {
  ...callerRecord(testCaller, {
    ...base,
    reason: 'a.b',
    details: { z: 1, a: { y: [1.5, 1e21, -0, null], b: 'ä€𝄞' }, '€': true, '\ud83d\ude00': 1 },
  }),
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
}

const records: readonly (readonly [string, AuditRecord])[] = [
  ['with every member', full],
  ['of the system', systemRecord(base)],
  ['without details', { ...full, details: undefined }],
  ['with empty details', { ...full, details: {} }],
  ['with an undefined detail', { ...full, details: { a: undefined, b: 1 } }],
  [
    'with quotes, controls and separators',
    { ...full, target: '"\\\u0000\u001f\u007f\u2028\u2029</' },
  ],
  ['with a subject in every script', withSubject('日本 العربية 𝔘𝔫𝔦 é e\u0301')],
  ['with a user agent that needs escapes', { ...full, userAgent: '"a"\t\u0001' }],
]

test.each(records)('a record %s is encoded as RFC 8785 has it', (_, record) => {
  const text = encodeAuditRecord(record, numbering)
  expect(text).toBe(canonicalize(JSON.parse(text)) ?? '')
  expect(JSON.parse(text)).toMatchObject({ ...numbering, id: base.id, ts: at.toISOString(), v: 1 })
})

test.each([
  ['2^53', 2 ** 53, '9007199254740992'],
  ['-2^53', -(2 ** 53), '-9007199254740992'],
  ['1.2e18', 1.2e18, '1200000000000000000'],
])('the integer %s, which readers disagree about, is written as text', (_, value, text) => {
  const details = { metrics: [{ minTrackRecordDays: value }], sharpe: 0.1234567890123456 }
  const bytes = new TextEncoder().encode(encodeAuditRecord({ ...full, details }, numbering))
  const reading = readRecord(bytes)
  expect('problem' in reading ? reading.problem : undefined).toBeUndefined()
  expect(JSON.parse(new TextDecoder().decode(bytes)).details).toEqual({
    metrics: [{ minTrackRecordDays: text }],
    sharpe: 0.1234567890123456,
  })
})

test('integers that every reader holds, and numbers with an exponent, stay numbers', () => {
  const details = { most: Number.MAX_SAFE_INTEGER, least: Number.MIN_SAFE_INTEGER, huge: 1.5e22 }
  const text = encodeAuditRecord({ ...full, details }, numbering)
  expect(JSON.parse(text).details).toEqual(details)
  expect(readRecord(new TextEncoder().encode(text))).not.toHaveProperty('problem')
})

test('a user agent is shortened, everything else is kept whole', () => {
  const text = encodeAuditRecord(
    { ...full, userAgent: 'u'.repeat(257), target: 't'.repeat(2_000) },
    numbering,
  )
  expect(JSON.parse(text)).toMatchObject({ ua: 'u'.repeat(256), target: 't'.repeat(2_000) })
})

test.each([
  ['an infinity', { a: Number.POSITIVE_INFINITY }],
  ['not a number', { a: Number.NaN }],
])('details that hold %s are refused, not written as something else', (_, details) => {
  expect(() => encodeAuditRecord({ ...full, details }, numbering)).toThrow()
})

test('a shortened user agent never ends in half a character', () => {
  const text = encodeAuditRecord({ ...full, userAgent: `${'u'.repeat(255)}😀` }, numbering)
  expect(text.isWellFormed()).toBe(true)
  expect(text).toBe(canonicalize(JSON.parse(text)) ?? '')
})

function withSubject(subject: string): AuditRecord {
  const { principal } = testCaller
  return callerRecord({ ...testCaller, principal: { ...principal, subject } }, base)
}
