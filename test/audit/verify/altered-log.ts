import { tmpdir } from 'node:os'
import type { TileSource } from '#core/audit/store/tile-source.ts'
import { bundlePath, decodeBundle, encodeBundle, tileWidth } from '#core/audit/tree/tile.ts'
import { type VerifyOptions, verifyLog } from '#core/audit/verify/verify-log.ts'
import { logKey, records, type TestLog } from './test-log.ts'

export const strict = { temporaryDirectory: tmpdir() }
export const small = records(700)

export async function verify(source: TileSource, options: Partial<VerifyOptions> = {}) {
  return await verifyLog({ source, logKeys: [logKey.key], ...options })
}

const bundleOf = (index: number, size: number) => {
  const at = Math.floor(index / tileWidth)
  return bundlePath({ index: at, width: Math.min(tileWidth, size - at * tileWidth) })
}

/** The byte there with one bit changed. */
export const flip = (at: number) => (bytes: Uint8Array) => {
  const changed = bytes.slice()
  changed[at] = (changed[at] ?? 0) ^ 1
  return changed
}

export async function changeEntry(
  log: TestLog,
  index: number,
  change: (entry: Uint8Array) => Uint8Array,
) {
  const size = log.entries.length
  const count = Math.min(tileWidth, size - Math.floor(index / tileWidth) * tileWidth)
  await log.change(bundleOf(index, size), (bytes) => {
    const entries = decodeBundle(bytes, count)
    entries[index % tileWidth] = change(entries[index % tileWidth] ?? new Uint8Array())
    return encodeBundle(entries)
  })
}
