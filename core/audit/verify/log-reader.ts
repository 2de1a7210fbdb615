import { SourceUnreachable, type TileSource } from '../store/tile-source.ts'
import { hashBytes } from '../tree/hash.ts'
import {
  type Bundle,
  bundlePath,
  decodeBundle,
  type Tile,
  TileError,
  tilePath,
  tileWidth,
} from '../tree/tile.ts'
import type { Finding } from './findings.ts'

/** What was read, and what is wrong with it; no value means that a finding says why. */
export type Read<Value> = {
  readonly value: Value | undefined
  readonly findings: readonly Finding[]
}

/**
 * Reads the files of a log. Where a partial tile or bundle is gone the full one stands in for it, as
 * C2SP tlog-tiles allows. What is missing, unreachable, malformed, or hidden or replaced in a store
 * that keeps versions, is a finding and not thrown.
 */
export type LogReader = {
  /** `checkpoint` or `checkpoints/<size>`, as text. */
  note(path: string): Promise<Read<string>>
  /** The tile's hashes, end to end: `width` of them. */
  tile(tile: Tile): Promise<Read<Uint8Array>>
  /** The bundle's entries: `width` of them, as views of one buffer. */
  bundle(bundle: Bundle): Promise<Read<readonly Uint8Array[]>>
}

export function logReader(source: TileSource): LogReader {
  const files = fileReader(source)
  return {
    async note(path) {
      const { value, findings } = await files.read(path, 'checkpoint_missing', {})
      // Checkpoints are compared as text: bytes that are not UTF-8 become characters no key signed.
      return { value: value && new TextDecoder().decode(value), findings }
    },
    async tile(tile) {
      const index = tile.index * tileWidth ** (tile.level + 1)
      const pathOf = (width: number) => tilePath({ ...tile, width })
      const { value, findings } = await files.readWide(tile.width, pathOf, 'tile_missing', index)
      if (value === undefined) return { value, findings }
      const { bytes, width, path } = value
      if (bytes.length === width * hashBytes) {
        return { value: bytes.subarray(0, tile.width * hashBytes), findings }
      }
      const detail = `${path} holds ${bytes.length} bytes instead of ${width * hashBytes}`
      return refused(findings, { code: 'tile_malformed', index, path, detail })
    },
    async bundle(bundle) {
      const index = bundle.index * tileWidth
      const pathOf = (width: number) => bundlePath({ ...bundle, width })
      const { value, findings } = await files.readWide(
        bundle.width,
        pathOf,
        'bundle_missing',
        index,
      )
      if (value === undefined) return { value, findings }
      const { bytes, width, path } = value
      try {
        return { value: decodeBundle(bytes, width).slice(0, bundle.width), findings }
      } catch (error) {
        if (!(error instanceof TileError)) throw error
        const detail = `${path}: ${error.message}`
        return refused(findings, { code: 'bundle_malformed', index, path, detail })
      }
    },
  }
}

function refused(findings: readonly Finding[], finding: Finding): Read<never> {
  return { value: undefined, findings: [...findings, finding] }
}

type Missing = 'checkpoint_missing' | 'tile_missing' | 'bundle_missing'

type WideFile = { readonly bytes: Uint8Array; readonly width: number; readonly path: string }

function fileReader(source: TileSource) {
  /** No value and no finding: not there. */
  async function readOne(path: string, place: Place): Promise<Read<Uint8Array>> {
    const read = await guarded(path, place, () => source.read(path))
    const versions = await versionFindings(source, path, place)
    return { value: read.value, findings: [...read.findings, ...versions] }
  }

  async function read(path: string, missing: Missing, place: Place): Promise<Read<Uint8Array>> {
    const { value, findings } = await readOne(path, place)
    if (value !== undefined || findings.length > 0) return { value, findings }
    return refused([], { code: missing, path, ...place, detail: `${path} is not there` })
  }

  async function readWide(
    width: number,
    pathOf: (width: number) => string,
    missing: Missing,
    index: number,
  ): Promise<Read<WideFile>> {
    const place = { index }
    const path = pathOf(width)
    if (width === tileWidth) {
      const { value, findings } = await read(path, missing, place)
      return { value: value && { bytes: value, width, path }, findings }
    }
    const partial = await readOne(path, place)
    if (partial.value !== undefined) {
      return { value: { bytes: partial.value, width, path }, findings: partial.findings }
    }
    const fullPath = pathOf(tileWidth)
    const full = await readOne(fullPath, place)
    const findings = [...partial.findings, ...full.findings]
    if (full.value !== undefined) {
      return { value: { bytes: full.value, width: tileWidth, path: fullPath }, findings }
    }
    if (findings.length > 0) return { value: undefined, findings }
    return refused([], { code: missing, path, index, detail: `${path} is not there` })
  }

  return { read, readWide }
}

type Place = { readonly index?: number }

async function guarded<Value>(
  path: string,
  place: Place,
  read: () => Promise<Value>,
): Promise<Read<Value>> {
  try {
    return { value: await read(), findings: [] }
  } catch (error) {
    if (!(error instanceof SourceUnreachable)) throw error
    return refused([], { code: 'source_unreachable', path, ...place, detail: error.message })
  }
}

/** `checkpoint` is replaced by its nature, anything else is written once, and nothing deleted. */
async function versionFindings(source: TileSource, path: string, place: Place): Promise<Finding[]> {
  const { versions } = source
  if (versions === undefined) return []
  const listed = await guarded(path, place, () => versions(path))
  const findings: Finding[] = [...listed.findings]
  if (listed.value?.some(({ isDeleted }) => isDeleted)) {
    findings.push({ code: 'version_deleted', path, ...place, detail: `${path} was deleted` })
  }
  const kept = listed.value?.filter(({ isDeleted }) => !isDeleted) ?? []
  if (kept.length > 1 && path !== 'checkpoint') {
    const detail = `${path} was written ${kept.length} times; the first is version ${kept[0]?.id}`
    findings.push({ code: 'version_replaced', path, ...place, detail })
  }
  return findings
}
