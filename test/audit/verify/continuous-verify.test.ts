import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { openFileTileStore } from '#core/audit/store/file-tile-store.ts'
import type { TileSource } from '#core/audit/store/tile-source.ts'
import { continuousVerify } from '#core/audit/verify/continuous-verify.ts'
import { verifyGrowth } from '#core/audit/verify/verify-growth.ts'
import type { Log } from '#core/log.ts'
import { createMetrics } from '#core/metrics.ts'
import { logKey, publish, records, signedCheckpoint, testLog } from './test-log.ts'

const all = records(1_500)
const logKeys = [logKey.key]

function counted(source: TileSource) {
  const paths: string[] = []
  const read = (path: string) => {
    paths.push(path)
    return source.read(path)
  }
  return { source: { read }, paths }
}

test('a log that grew is verified by its new bundles alone', async () => {
  await using log = await testLog(all.slice(0, 1_200))
  const first = await verifyGrowth({ source: log.source, logKeys, verified: undefined })
  expect(first.verified?.size).toBe(1_200)
  await publish(await openFileTileStore(log.directory), all)
  const { source, paths } = counted(log.source)
  const second = await verifyGrowth({ source, logKeys, verified: first.verified })
  expect(second.verified?.size).toBe(1_500)
  expect(paths.filter((path) => path.includes('entries'))).toEqual([
    'tile/entries/004',
    'tile/entries/005.p/220',
  ])
  const third = counted(log.source)
  await verifyGrowth({ source: third.source, logKeys, verified: second.verified })
  expect(third.paths).toEqual(['checkpoint'])
})

test('growth on top of another history is not believed, and what was verified is kept', async () => {
  await using log = await testLog(all.slice(0, 600))
  const { verified } = await verifyGrowth({ source: log.source, logKeys, verified: undefined })
  await using other = await testLog(records(700))
  const forked = await verifyGrowth({ source: other.source, logKeys, verified })
  expect(forked.verified).toEqual(verified)
  expect(forked.found.kept.map(({ code }) => code)).toEqual(['last_known_differs'])
  await using same = await testLog(records(600))
  const replaced = await verifyGrowth({ source: same.source, logKeys, verified })
  expect(replaced.found.counts.integrity).toBe(1)
  await using shorter = await testLog(all.slice(0, 599))
  const cut = await verifyGrowth({ source: shorter.source, logKeys, verified })
  expect(cut.found.kept.map(({ code }) => code)).toEqual(['truncated'])
})

test('the alarm rises with a broken log, is told once, and falls with a whole one', async () => {
  await using log = await testLog(all.slice(0, 300))
  const store = await openFileTileStore(log.directory)
  const metrics = createMetrics()
  const told: string[] = []
  const seen: (readonly [number, number])[] = []
  const stop = new AbortController()
  const value = async (gauge: 'auditVerifiedSize' | 'auditVerificationFailed') =>
    (await metrics[gauge].get()).values[0]?.value ?? 0
  const steps = [
    () => publish(store, all.slice(0, 800)),
    () => publish(store, all),
    () => log.change('tile/0/005.p/220', (bytes) => bytes.map((byte) => byte ^ 1)),
    () => log.remove('checkpoint'),
    () => Bun.write(join(log.directory, 'checkpoint'), signedCheckpoint(all.slice(0, 300))),
    async () => undefined,
    () => Bun.write(join(log.directory, 'checkpoint'), signedCheckpoint(all)),
    async () => stop.abort(),
  ]
  await continuousVerify(
    {
      ...{ source: log.source, logKeys: () => logKeys, metrics, log: listLog(told) },
      async sleep() {
        seen.push([await value('auditVerifiedSize'), await value('auditVerificationFailed')])
        await steps.shift()?.()
      },
    },
    stop.signal,
  )
  expect(seen).toEqual([
    [300, 0],
    [800, 0],
    [1_500, 0],
    // Verified once, a tile is not read again; `audit verify` would.
    [1_500, 0],
    [1_500, 0],
    [1_500, 1],
    [1_500, 1],
    [1_500, 0],
  ])
  expect(told).toEqual([
    'warn audit.verification_hindered',
    'error audit.verification_failed',
    'info audit.verification_passed',
  ])
})

function listLog(told: string[]): Log {
  const note = (level: string) => (event: string) => void told.push(`${level} ${event}`)
  const log: Log = {
    ...{ debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') },
    child: () => log,
    flush: () => undefined,
  }
  return log
}
