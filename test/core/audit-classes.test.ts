import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { auditTypes, callerRecord, encodeAuditRecord } from '#core/audit/record.ts'
import { testCaller } from '#test/support/job-engine.ts'

const root = join(import.meta.dir, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const security = read('SECURITY.md')

test('the table in SECURITY.md names every type of record with its class, and no other', () => {
  const rows = [...security.matchAll(/^\| `([a-z_.]+)` \| (must|may) \| \S/gm)]
  const named = rows.map(([, type = '', kind = '']) => [type, kind])
  expect(named).toEqual(Object.entries(auditTypes))
})

test('each requirement of ASVS V16 names a test that is there', () => {
  const rows = [...security.matchAll(/^\| (16\.\d\.\d) .*\| `(test\/\S+)` · (.+) \|$/gm)]
  const numbers = rows.map(([, number]) => number)
  expect(numbers).toEqual([
    ...['16.1.1', '16.2.1', '16.2.2', '16.2.3', '16.2.4', '16.2.5'],
    ...['16.3.1', '16.3.2', '16.3.3', '16.3.4', '16.4.1', '16.4.2', '16.4.3'],
    ...['16.5.1', '16.5.2', '16.5.3', '16.5.4'],
  ])
  const missing = rows.filter(([, , file = '', title = '']) => !read(file).includes(title))
  expect(missing.map(([row]) => row)).toEqual([])
})

const numbering = { replica: 'gateway@host', epoch: 3, rseq: 17 }
const base = { id: Bun.randomUUIDv7(), type: 'job.cancelled', target: 'job/1' } as const

function encoded(changes: Partial<Parameters<typeof callerRecord>[1]> = {}, userAgent = 'curl') {
  const at = new Date('2026-03-01T13:00:00.123+01:00')
  const record = callerRecord(testCaller, { ...base, at, outcome: 'ok', ...changes })
  return encodeAuditRecord({ ...record, userAgent }, numbering)
}

test('ASVS 16.2.1: a record says when, where, who, what and with which outcome', () => {
  const { principal } = testCaller
  expect(JSON.parse(encoded())).toEqual({
    ...{ v: 1, ...base, ...numbering, outcome: 'ok' },
    ts: '2026-03-01T12:00:00.123Z',
    actor: {
      ...{ iss: principal.issuer, sub: principal.subject },
      ...{ kid: principal.keyId, jti: principal.tokenId },
    },
    ip: testCaller.clientAddress,
    ua: 'curl',
    req: testCaller.requestId,
  })
})

test('ASVS 16.2.2: times are UTC with milliseconds, whatever the zone of the process', () => {
  const { ts } = z.object({ ts: z.string() }).parse(JSON.parse(encoded()))
  expect(ts).toBe('2026-03-01T12:00:00.123Z')
})

test.each(['\n', '\r\n', '\u2028', '\u0000', '\u001b[2J', '"},{"type":"token.revoked"', '\\"'])(
  'ASVS 16.4.1: %j in what a caller sends makes no second record and no second member',
  (text) => {
    const line = encoded({ details: { text }, target: text, reason: text }, text)
    expect([...line].filter((character) => character < ' ')).toEqual([])
    expect(JSON.parse(line)).toMatchObject({
      ...{ type: base.type, target: text, reason: text, ua: text, details: { text } },
    })
  },
)

test.each([
  ['a rejection that nobody handles', 'Promise.reject(new Error("boom"))'],
  ['an exception that nobody catches', 'setTimeout(() => { throw new Error("boom") })'],
])('ASVS 16.5.4: %s is logged, and the process ends', async (_name, bug) => {
  const script = `
    import { openLog } from '${root}/core/log.ts'
    import { exitOnBug } from '${root}/commands/process-life.ts'
    exitOnBug(openLog({ level: 'info' }))
    setTimeout(() => process.exit(0), 5_000)
    ${bug}`
  const child = Bun.spawn([process.execPath, '-e', script], { cwd: root, stdout: 'pipe' })
  const out = await new Response(child.stdout).text()
  expect(await child.exited).toBe(1)
  expect(out).toMatch(/"event":"process\.(?:unhandled_rejection|uncaught_exception)".*boom/)
})
