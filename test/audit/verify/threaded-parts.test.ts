import { expect, test } from 'bun:test'
import { tmpdir } from 'node:os'
import { threadedParts } from '#core/audit/verify/threaded-parts.ts'
import { verifyLog } from '#core/audit/verify/verify-log.ts'
import { logKey, records, testLog } from './test-log.ts'

const entries = records(20_000)

test('threads find what this thread finds, in the same order', async () => {
  await using log = await testLog(
    entries.with(9_000, new Uint8Array(3)).with(19_999, new Uint8Array(1)),
  )
  const options = { retentionDays: 1 }
  using runner = threadedParts({ location: log.directory, options }, 2)
  const plain = { source: log.source, logKeys: [logKey.key] }
  const here = await verifyLog({ ...plain, strict: { temporaryDirectory: tmpdir() } })
  const there = await verifyLog({ ...plain, strict: { temporaryDirectory: tmpdir(), runner } })
  expect(there).toEqual(here)
  expect(there).toMatchObject({ exitCode: 2, firstBadIndex: 9_000, counts: { integrity: 2 } })
})

test('a log that the threads cannot open ends the verification, it does not pass', async () => {
  await using log = await testLog(entries.slice(0, 300))
  using runner = threadedParts({ location: 's3://no', options: { retentionDays: 1 } }, 1)
  const strict = { temporaryDirectory: tmpdir(), runner }
  const verifying = verifyLog({ source: log.source, logKeys: [logKey.key], strict })
  expect(verifying).rejects.toThrow('s3://no')
  await verifying.catch(() => undefined)
})
