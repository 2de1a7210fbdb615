import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { SourceUnreachable, type TileSource } from '#core/audit/store/tile-source.ts'
import { renderReport, reportJson } from '#core/audit/verify/report.ts'
import { changeEntry, flip, small, strict, verify } from './altered-log.ts'
import { keyPair, origin, record, records, signedCheckpoint, startMs, testLog } from './test-log.ts'

test('an edited entry is named by its index, and the last checkpoint before it is good', async () => {
  await using log = await testLog(small, [300, 400])
  await changeEntry(log, 350, flip(40))
  const report = await verify(log.source)
  expect(report).toMatchObject({ exitCode: 2, worst: 'integrity', firstBadIndex: 350 })
  expect(report.findings.map(({ code }) => code)).toEqual(['entry_differs'])
  expect(report.lastGood?.size).toBe(300)
  expect(renderReport(report)).toContain('first bad   entry 350')
})

test('two entries that changed places are both named', async () => {
  await using log = await testLog(small)
  await changeEntry(log, 10, () => small[11] ?? new Uint8Array())
  await changeEntry(log, 11, () => small[10] ?? new Uint8Array())
  const report = await verify(log.source)
  expect(report.exitCode).toBe(2)
  expect(report.findings.map(({ index }) => index)).toEqual([10, 11])
})

test('an entry edited together with its leaf is held against the tile above', async () => {
  await using log = await testLog(small)
  const forged = small.with(300, record({ rseq: 300 }))
  await using other = await testLog(forged)
  for (const path of ['tile/entries/001', 'tile/0/001']) {
    const bytes = await other.source.read(path)
    await log.change(path, () => bytes ?? new Uint8Array())
  }
  const report = await verify(log.source)
  expect(report).toMatchObject({ exitCode: 2, firstBadIndex: 256 })
  expect(report.findings).toMatchObject([{ code: 'tile_differs', path: 'tile/0/001' }])
})

test('a history rewritten without the key does not have the signed root', async () => {
  await using log = await testLog(records(700))
  await Bun.write(join(log.directory, 'checkpoint'), signedCheckpoint(small))
  const report = await verify(log.source)
  expect(report.exitCode).toBe(2)
  expect(report.findings.map(({ code }) => code)).toEqual(['root_differs'])
})

test('a history rewritten with the key contradicts the last known checkpoint', async () => {
  await using log = await testLog(records(700))
  const lastKnown = signedCheckpoint(small.slice(0, 500))
  const report = await verify(log.source, { lastKnown })
  expect(report.exitCode).toBe(2)
  expect(report.findings.map(({ code }) => code)).toEqual(['last_known_differs'])
})

test('a rewritten history contradicts the checkpoints that were published', async () => {
  await using log = await testLog(records(700))
  await Bun.write(join(log.directory, 'checkpoints/500'), signedCheckpoint(small.slice(0, 500)))
  const report = await verify(log.source, { strict })
  expect(report.findings.map(({ code }) => code)).toEqual(['history_differs'])
  expect(report.lastGood?.size).toBe(700)
})

test.each([
  ['a leaf hash', 'tile/0/000', 0],
  ['a leaf hash at the right edge', 'tile/0/002.p/188', 3],
  ['a hash of level 1', 'tile/1/000.p/2', 40],
])('a flipped bit in %s is found', async (_, path, at) => {
  await using log = await testLog(small)
  await log.change(path, flip(at))
  expect((await verify(log.source)).exitCode).toBe(2)
})

test.each(['checkpoint', 'tile/0/000', 'tile/1/000.p/2', 'tile/0/002.p/188'])(
  'an emptied %s is found',
  async (path) => {
    await using log = await testLog(small)
    await log.change(path, () => new Uint8Array())
    expect((await verify(log.source)).exitCode).toBe(2)
  },
)

test.each(['tile/entries/000', 'tile/entries/002.p/188'])(
  'an emptied %s is found',
  async (path) => {
    await using log = await testLog(small)
    await log.change(path, () => new Uint8Array())
    const report = await verify(log.source)
    expect(report).toMatchObject({ exitCode: 2, findings: [{ code: 'bundle_malformed' }] })
  },
)

test('every bit of a checkpoint counts', async () => {
  await using log = await testLog(small)
  const note = Buffer.from(signedCheckpoint(small))
  for (let at = 0; at < note.length; at += 7) {
    await Bun.write(join(log.directory, 'checkpoint'), flip(at)(note))
    expect([2, 3]).toContain((await verify(log.source)).exitCode)
  }
})

test('a checkpoint signed by another key is refused', async () => {
  await using log = await testLog(small)
  const forged = signedCheckpoint(small, [keyPair(origin).signer])
  await Bun.write(join(log.directory, 'checkpoint'), forged)
  const report = await verify(log.source)
  expect(report).toMatchObject({ exitCode: 2, findings: [{ code: 'checkpoint_refused' }] })
  expect(report.lastGood?.size).toBe(700)
})

test.each([
  'checkpoint',
  'tile/entries/001',
  'tile/entries/002.p/188',
  'tile/0/001',
  'tile/1/000.p/2',
])('without %s nobody can tell: never ok', async (path) => {
  await using log = await testLog(small)
  await log.remove(path)
  const report = await verify(log.source)
  expect(report).toMatchObject({ exitCode: 6, worst: 'unknown' })
})

test('a source that does not answer is not a log that is empty', async () => {
  await using log = await testLog(small)
  const source: TileSource = {
    read: (path) =>
      path.startsWith('tile/0')
        ? Promise.reject(new SourceUnreachable('503'))
        : log.source.read(path),
  }
  expect(await verify(source)).toMatchObject({ exitCode: 6 })
})

test('an altered entry weighs more than a missing tile', async () => {
  await using log = await testLog(small)
  await log.remove('tile/0/001')
  await changeEntry(log, 5, flip(9))
  expect(await verify(log.source)).toMatchObject({ exitCode: 2, firstBadIndex: 5 })
})

test('a file that was overwritten or deleted where versions are kept is found', async () => {
  await using log = await testLog(small)
  const source = (alarming: string, isDeleted: boolean): TileSource => ({
    ...log.source,
    versions: (path) => {
      const first = { id: 'v1', at: new Date(startMs), isDeleted: false }
      const second = { id: 'v2', at: new Date(startMs + 1), isDeleted }
      return Promise.resolve(path === alarming ? [first, second] : [first])
    },
  })
  expect(await verify(source('', false))).toMatchObject({ exitCode: 0 })
  expect(await verify(source('checkpoint', false))).toMatchObject({ exitCode: 0 })
  expect(await verify(source('tile/0/001', false))).toMatchObject({
    exitCode: 2,
    findings: [{ code: 'version_replaced' }],
  })
  expect(await verify(source('tile/entries/000', true))).toMatchObject({
    exitCode: 2,
    findings: [{ code: 'version_deleted' }],
  })
})

test('findings are counted beyond those that are kept', async () => {
  await using log = await testLog(small)
  await log.change('tile/0/000', (bytes) => bytes.map((byte) => byte ^ 1))
  const report = await verify(log.source)
  expect(report.counts.integrity).toBe(257)
  expect(report.findings.length).toBe(100)
  expect(renderReport(report)).toContain('and 247 more')
  expect(JSON.parse(JSON.stringify(reportJson(report)))).toMatchObject({
    exitCode: 2,
    checkpoint: { origin, size: 700 },
  })
})
test('a bundle whose packing was touched is found', async () => {
  await using log = await testLog(small)
  const file = join(log.directory, 'tile/entries/000.gz')
  await Bun.write(file, flip(2_000)(await Bun.file(file).bytes()))
  expect(await verify(log.source)).toMatchObject({ exitCode: 2, firstBadIndex: 0 })
})
