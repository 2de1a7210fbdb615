import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { parseReceipt, verifyReceipt } from '#core/audit/note/receipt.ts'
import { parseVerifierKey } from '#core/audit/note/verifier-key.ts'
import { makeReceipt, readCheckpoint } from '#core/audit/read/make-receipt.ts'
import { fileTileSource } from '#core/audit/store/file-tile-store.ts'
import { bundlePath, decodeBundle, tileWidth } from '#core/audit/tree/tile.ts'
import { renderReport } from '#core/audit/verify/report.ts'
import { threadedParts } from '#core/audit/verify/threaded-parts.ts'
import { verifyLog } from '#core/audit/verify/verify-log.ts'
import { randomNumbers } from '#test/score/synthetic-wallets.ts'
import { quantile } from './figures.ts'

/**
 * Reads a published log in one way and prints what that took: `{ seconds, cpuSeconds, peakMb }`, or
 * for `prove` `{ p50, p99 }` in milliseconds. Fails when the log is found wrong.
 *
 *   bun test/bench/audit-verify-side.ts plain|strict|hash|prove <directory> <verifier key>
 */
const [mode = '', directory = '', verifierKey = ''] = process.argv.slice(2)

const proofs = 1_000
const source = fileTileSource(directory)
const logKeys = [parseVerifierKey(verifierKey)]
const newest = await readCheckpoint(source)
if (newest === undefined) throw new Error(`${directory} has no checkpoint`)
const { size } = newest.checkpoint

const modes: Readonly<Record<string, () => Promise<unknown>>> = {
  plain: () => verify('plain'),
  strict: () => verify('strict'),
  hash: hashOnly,
  prove,
}
const answer = await modes[mode]?.()
process.stdout.write(`${JSON.stringify(answer)}\n`)

async function verify(how: 'plain' | 'strict') {
  // A log in a directory is opened without what S3 needs; the type wants it all the same.
  const place = { location: directory, options: { retentionDays: 1 } }
  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  using runner = how === 'strict' ? threadedParts(place, availableParallelism()) : undefined
  const report = await verifyLog({
    ...{ source, logKeys },
    strict: runner && { runner, temporaryDirectory: tmpdir() },
  })
  const seconds = (performance.now() - startedAt) / 1_000
  const { user, system } = process.cpuUsage(cpuBefore)
  if (report.exitCode !== 0) throw new Error(renderReport(report))
  return { seconds, cpuSeconds: (user + system) / 1e6, peakMb: peakMb() }
}

/** Not `ru_maxrss`: that begins with what the process that started this one had resident. */
function peakMb(): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1_024
}

/** The same records through SHA-256 and nothing else; reading them is not counted. */
async function hashOnly() {
  let ms = 0
  for (let index = 0; index * tileWidth < size; index++) {
    const width = Math.min(tileWidth, size - index * tileWidth)
    const bundle = await source.read(bundlePath({ index, width }))
    const entries = decodeBundle(bundle ?? new Uint8Array(), width)
    const startedAt = performance.now()
    for (const entry of entries) createHash('sha256').update(entry).digest()
    ms += performance.now() - startedAt
  }
  return { seconds: ms / 1_000 }
}

/** Receipts of random entries, made from the files as the gateway does; each is verified after. */
async function prove() {
  const random = randomNumbers(42)
  const tookMs: number[] = []
  for (let count = 0; count < proofs; count++) {
    const index = Math.floor(random() * size)
    const startedAt = performance.now()
    const receipt = await makeReceipt(source, index)
    tookMs.push(performance.now() - startedAt)
    verifyReceipt(parseReceipt(receipt ?? ''), await entryAt(index), { logKeys, policy: undefined })
  }
  return { p50: quantile(tookMs, 0.5), p99: quantile(tookMs, 0.99) }
}

async function entryAt(index: number): Promise<Uint8Array> {
  const bundle = Math.floor(index / tileWidth)
  const width = Math.min(tileWidth, size - bundle * tileWidth)
  const bytes = await source.read(bundlePath({ index: bundle, width }))
  const entry = decodeBundle(bytes ?? new Uint8Array(), width)[index % tileWidth]
  if (entry === undefined) throw new Error(`entry ${index} is not published`)
  return entry
}
