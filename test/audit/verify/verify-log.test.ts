import { expect, setDefaultTimeout, test } from 'bun:test'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parsePolicy } from '#core/audit/note/policy.ts'
import { openFileTileStore } from '#core/audit/store/file-tile-store.ts'
import type { TileSource } from '#core/audit/store/tile-source.ts'
import { verifyLog } from '#core/audit/verify/verify-log.ts'
import { changeEntry, flip, small, strict, verify } from './altered-log.ts'
import {
  cosigned,
  keyPair,
  logKey,
  origin,
  publish,
  record,
  records,
  signedCheckpoint,
  startMs,
  testLog,
} from './test-log.ts'

/** The large log is some 1,500 files, each of which is flushed to the disk. */
setDefaultTimeout(60_000)

/** Two full tiles at level 1 would take 131,072; this has one, and partial ones at three levels. */
const large = records(66_000)

test.each([0, 1, 255, 256, 257, 512, 700])(
  'a log of %i entries is as it was signed',
  async (size) => {
    await using log = await testLog(small.slice(0, size))
    for (const options of [{}, { strict }]) {
      const report = await verify(log.source, options)
      expect(report).toMatchObject({ findings: [], exitCode: 0, firstBadIndex: undefined })
      expect(report.checkpoint?.size).toBe(size)
    }
  },
)

test('a log of three levels that grew in steps passes under strict, history and all', async () => {
  await using log = await testLog(large, [1, 300, 65_536, 65_537])
  await rm(join(log.directory, 'tile/0/001.p'), { recursive: true, force: true })
  const progress: number[] = []
  const report = await verify(log.source, { strict, onProgress: ({ done }) => progress.push(done) })
  expect(report.findings).toEqual([])
  expect(report.checked).toContain('5 checkpoints published before')
  expect(progress.at(-1)).toBe(66_000)
})

test('partial tiles that are gone are read from the full ones', async () => {
  await using log = await testLog(small.slice(0, 300))
  const older = signedCheckpoint(small.slice(0, 300))
  await publish(await openFileTileStore(log.directory), small)
  await Bun.write(join(log.directory, 'checkpoint'), older)
  await rm(join(log.directory, 'checkpoints/700'))
  expect(await readdir(join(log.directory, 'tile/0'))).not.toContain('001.p')
  expect(await verify(log.source, { strict })).toMatchObject({ findings: [], exitCode: 0 })
})

test('a change of keys is no alarm: both sign, the old checkpoints are told apart', async () => {
  const next = keyPair(origin)
  await using log = await testLog(small, [300])
  await Bun.write(
    join(log.directory, 'checkpoint'),
    signedCheckpoint(small, [logKey.signer, next.signer]),
  )
  await Bun.write(join(log.directory, 'checkpoints/700'), signedCheckpoint(small, [next.signer]))
  for (const logKeys of [[logKey.key], [next.key], [logKey.key, next.key]]) {
    const report = await verifyLog({ source: log.source, logKeys, strict })
    expect(report.findings).toEqual([])
  }
  const report = await verifyLog({ source: log.source, logKeys: [next.key], strict })
  expect(report.notChecked).toContain('signatures of 1 of them: by none of the given keys')
})

test('a log cut back is a rollback against the last known checkpoint', async () => {
  await using log = await testLog(small.slice(0, 500))
  const report = await verify(log.source, { lastKnown: signedCheckpoint(small) })
  expect(report).toMatchObject({ exitCode: 3, findings: [{ code: 'truncated' }] })
})

test('a checkpoint put back is a rollback against what was published', async () => {
  await using log = await testLog(small)
  await Bun.write(join(log.directory, 'checkpoint'), signedCheckpoint(small.slice(0, 256)))
  expect(await verify(log.source)).toMatchObject({ exitCode: 3 })
})

test('a checkpoint behind its history for a moment is only being published', async () => {
  await using log = await testLog(small)
  let reads = 0
  const older = new Uint8Array(Buffer.from(signedCheckpoint(small.slice(0, 256))))
  const source: TileSource = {
    ...log.source,
    read: (path) =>
      path === 'checkpoint' && reads++ === 0 ? Promise.resolve(older) : log.source.read(path),
  }
  expect(await verify(source)).toMatchObject({ exitCode: 0 })
})

test('a last known checkpoint that nobody signed tells nothing', async () => {
  await using log = await testLog(small)
  const lastKnown = signedCheckpoint(small, [keyPair(origin).signer])
  expect(await verify(log.source, { lastKnown })).toMatchObject({ exitCode: 6 })
  expect(await verify(log.source, { lastKnown: 'no note' })).toMatchObject({ exitCode: 6 })
})

test('--from begins at a whole tile and says what it took as it was', async () => {
  await using log = await testLog(large)
  await changeEntry(log, 100, flip(3))
  const report = await verify(log.source, { from: 65_600 })
  expect(report.findings).toEqual([])
  expect(report.notChecked).toContain('entries 0 to 65535: their tiles were taken as they are')
  expect((await verify(log.source)).firstBadIndex).toBe(100)
  await log.change('tile/2/000.p/1', flip(0))
  expect((await verify(log.source, { from: 65_600 })).exitCode).toBe(2)
})

test('a quorum that is not reached is not ok; one that is counts', async () => {
  const witness = keyPair('witness.example.com', 'cosignature')
  const policy = parsePolicy(
    `log ${logKey.verifierKey}\nwitness one ${witness.verifierKey}\nquorum one\n`,
  )
  await using log = await testLog(small)
  expect(await verify(log.source, { policy })).toMatchObject({
    exitCode: 6,
    findings: [{ code: 'quorum_missing' }],
  })
  const nowSeconds = startMs / 1_000
  const note = cosigned(signedCheckpoint(small), nowSeconds - 100, witness)
  await Bun.write(join(log.directory, 'checkpoint'), note)
  expect(await verify(log.source, { policy })).toMatchObject({ exitCode: 0 })
  const now = new Date(startMs)
  expect(await verify(log.source, { policy, maxAge: { seconds: 60, now } })).toMatchObject({
    exitCode: 4,
  })
  expect(await verify(log.source, { policy, maxAge: { seconds: 100, now } })).toMatchObject({
    exitCode: 0,
  })
})

test('a log without a new record for too long is frozen', async () => {
  await using log = await testLog(small)
  const at = (afterMs: number) => ({ seconds: 60, now: new Date(startMs + 699 + afterMs) })
  expect(await verify(log.source, { maxAge: at(60_000) })).toMatchObject({ exitCode: 0 })
  expect(await verify(log.source, { maxAge: at(61_000) })).toMatchObject({ exitCode: 4 })
  await using empty = await testLog([])
  expect(await verify(empty.source, { maxAge: at(0) })).toMatchObject({ exitCode: 6 })
})

const twice = Bun.randomUUIDv7()
const strictFaults: readonly [string, string, Uint8Array][] = [
  [
    'bytes that are not canonical',
    'record_refused',
    Buffer.from(`${Buffer.from(record({ rseq: 5 }))} `),
  ],
  ['an unknown member', 'record_refused', Buffer.from('{"w":1}')],
  ['an id twice', 'id_twice', record({ rseq: 5, id: twice })],
  ['a number twice', 'number_twice', record({ rseq: 4 })],
]

test.each(strictFaults)(
  '%s, signed or not, is found under strict alone',
  async (_, code, entry) => {
    const first = record({ rseq: 2, id: twice })
    const entries = small.slice(0, 20).with(2, first).with(5, new Uint8Array(entry))
    await using log = await testLog(entries)
    expect(await verify(log.source)).toMatchObject({ exitCode: 0 })
    const report = await verify(log.source, { strict })
    expect(report).toMatchObject({ exitCode: 2, findings: [{ code }] })
  },
)

test('strict leaves nothing behind, neither when it ends nor when it is aborted', async () => {
  await using log = await testLog(large)
  await using directory = await testLog([])
  const own = { temporaryDirectory: directory.directory }
  const before = await readdir(directory.directory)
  const abort = new AbortController()
  const aborted = verify(log.source, {
    strict: own,
    signal: abort.signal,
    onProgress: () => abort.abort(new Error('interrupted')),
  })
  expect(aborted).rejects.toThrow('interrupted')
  await aborted.catch(() => undefined)
  await verify(log.source, { strict: own })
  expect(await readdir(directory.directory)).toEqual(before)
})
