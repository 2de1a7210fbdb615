import { expect, test } from 'bun:test'
import canonicalize from 'canonicalize'
import { auditTypes, encodeAuditRecord, type Numbering } from '#core/audit/record.ts'
import { readRecord } from '#core/audit/verify/record-reader.ts'

const whole = {
  actor: { iss: 'https://issuer', jti: 'j1', kid: 'k1', sub: 'svc' },
  details: { kind: 'score-wallet', amounts: ['1.50'], depth: { a: [1, null, true] } },
  epoch: 3,
  id: '01a20f87-612b-7477-9015-c2c7e76aff54',
  ip: '10.1.2.3',
  outcome: 'refused',
  reason: 'access.scope_missing',
  replica: 'gateway@a',
  req: 'r-1',
  rseq: 17,
  target: 'job/1',
  trace: '00-aa-bb-01',
  ts: '2026-11-24T12:00:00.001Z',
  type: 'access.refused',
  ua: 'curl/8',
  v: 1,
}

const bytesOf = (value: unknown) => new Uint8Array(Buffer.from(canonicalize(value) ?? ''))
const problemOf = (value: unknown) => {
  const reading = readRecord(bytesOf(value))
  return 'problem' in reading ? reading.problem : undefined
}

const without = (member: keyof typeof whole) => ({ ...whole, [member]: undefined })

test('what the encoder writes is read back, whole or bare', () => {
  const reading = readRecord(bytesOf(whole))
  if ('problem' in reading) throw new Error(reading.problem)
  const { replica, epoch, rseq, ...record } = reading.record
  const numbering: Numbering = { replica, epoch, rseq }
  expect(encodeAuditRecord(record, numbering)).toBe(canonicalize(whole) ?? '')
  const { epoch: _, ...bare } = { ...whole, epoch: 0 }
  for (const member of ['actor', 'details', 'ip', 'reason', 'req', 'trace', 'ua'] as const) {
    expect(problemOf(without(member))).toBeUndefined()
  }
  expect(problemOf(bare)).toContain('epoch')
})

test.each(['id', 'outcome', 'replica', 'rseq', 'target', 'ts', 'type', 'v'] as const)(
  'a record without %s is refused',
  (member) => {
    expect(problemOf(without(member))).toContain(member)
  },
)

test.each<[string, unknown]>([
  ['an unknown member', { ...whole, extra: 1 }],
  ['an unknown member of the actor', { ...whole, actor: { ...whole.actor, role: 'x' } }],
  ['an actor without a key', { ...whole, actor: { ...whole.actor, kid: undefined } }],
  ['an unknown type', { ...whole, type: 'job.exploded' }],
  ['a type of every object', { ...whole, type: 'toString' }],
  ['an unknown outcome', { ...whole, outcome: 'fine' }],
  ['a later version', { ...whole, v: 2 }],
  ['an id in capitals', { ...whole, id: whole.id.toUpperCase() }],
  ['a random id', { ...whole, id: '01a20f87-612b-4477-9015-c2c7e76aff54' }],
  ['a time without milliseconds', { ...whole, ts: '2026-11-24T12:00:00Z' }],
  ['a day that does not exist', { ...whole, ts: '2026-02-30T12:00:00.000Z' }],
  ['a time with an offset', { ...whole, ts: '2026-11-24T12:00:00.000+01:00' }],
  ['a negative number', { ...whole, rseq: -1 }],
  ['half a number', { ...whole, epoch: 1.5 }],
  ['a number as text', { ...whole, rseq: '17' }],
  ['a process without a name', { ...whole, replica: '' }],
  ['a user agent of 257 units', { ...whole, ua: 'x'.repeat(257) }],
  ['details that are a list', { ...whole, details: [] }],
  ['a null in place of nothing', { ...whole, reason: null }],
  ['a list', [whole]],
  ['a text', 'record'],
  ['a heartbeat that settles nothing', { ...whole, type: 'process.heartbeat', details: {} }],
  ['a void of nothing', { ...whole, type: 'audit.void', details: { ranges: [] } }],
  ['a void backwards', { ...whole, type: 'audit.void', details: { ranges: [[3, 2]] } }],
  ['a void of one end', { ...whole, type: 'audit.void', details: { ranges: [[3]] } }],
  ['a void without details', { ...without('details'), type: 'audit.void' }],
])('%s is refused', (_, value) => {
  expect(problemOf(value)).toBeString()
})

test('a member called __proto__ is a member like any other', () => {
  const text = canonicalize(whole) ?? ''
  const bytes = Buffer.from(text.replace('{', '{"__proto__":{"v":1},'))
  expect(readRecord(bytes)).toEqual({ problem: expect.stringContaining('__proto__') })
})

test('bytes that are not canonical are named by their place', () => {
  const text = `${canonicalize(whole)}\n`
  expect(readRecord(Buffer.from(text))).toEqual({
    problem: `not canonical JSON at byte ${text.length - 1}`,
  })
})

test('a problem is one short line, whatever stands in the record', () => {
  const problem = problemOf({ ...whole, [`\n${'x'.repeat(5_000)}`]: 1 }) ?? ''
  expect(problem.length).toBeLessThan(300)
  expect(problem).not.toContain('\n')
})

test('every type of the catalogue is read', () => {
  const details = { settled: 3, ranges: [[1, 2]] }
  for (const type of Object.keys(auditTypes)) {
    expect(problemOf({ ...whole, type, details })).toBeUndefined()
  }
})
