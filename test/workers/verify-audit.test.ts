import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { fileTileSource } from '#core/audit/store/file-tile-store.ts'
import { silentLog } from '#core/log.ts'
import { logKey, record, type TestLog, testLog } from '#test/audit/verify/test-log.ts'
import { verifyAudit } from '#workers/verify-audit.ts'

let log: TestLog
beforeAll(async () => {
  log = await testLog(
    Array.from({ length: 300 }, (_, rseq) => record({ rseq })),
    [100],
  )
})
afterAll(() => log[Symbol.asyncDispose]())

const errors: string[] = []
const told = { ...silentLog(), error: (event: string) => void errors.push(event) }

function verify(directory: string | undefined) {
  const source = directory === undefined ? undefined : fileTileSource(directory)
  const published = source && { source, logKeys: [logKey.key] }
  const attempt = {
    ...{ jobId: Bun.randomUUIDv7(), payload: {}, attempt: 1, attemptsMax: 5 },
    ...{ requestId: 'r', traceparent: undefined },
  }
  return verifyAudit({ published, log: told }).process(attempt, new AbortController().signal)
}

test('a log that is as it was signed: how large it is, and no findings', async () => {
  expect((await verify(log.directory)).result).toEqual({ size: 300, findings: 0 })
})

test('without a log to read the job ends at once and says which settings it lacks', async () => {
  await expect(verify(undefined)).rejects.toMatchObject({ code: 'audit.not_found', status: 404 })
  await expect(verify(undefined)).rejects.toThrow('POSTERN_AUDIT_VERIFIER_KEYS')
})

test('a store with nothing in it may pass: the job is tried again', async () => {
  const answer = verify(join(log.directory, 'nowhere'))
  await expect(answer).rejects.toMatchObject({ code: 'audit.store_unavailable', status: 503 })
})

test('a changed byte fails the job for good, and loudly', async () => {
  await log.change('tile/entries/000', (bytes) => bytes.with(40, (bytes[40] ?? 0) ^ 1))
  const answer = verify(log.directory)
  await expect(answer).rejects.toMatchObject({ code: 'audit.verification_failed', status: 422 })
  expect(errors).toEqual(['audit.verification_failed'])
})
