import { hashBytes, hashLeaf, hashTree } from '../tree/hash.ts'
import { tilePath, tileWidth } from '../tree/tile.ts'
import { collectFindings, type Finding, type FoundSoFar } from './findings.ts'
import { type EpochFacts, gapLedger } from './gaps.ts'
import type { LogReader, Read } from './log-reader.ts'
import { readRecord } from './record-reader.ts'

/** A stretch of the log: bundles `firstBundle` up to, not including, `endBundle`. Plain data. */
export type PartTask = {
  readonly firstBundle: number
  readonly endBundle: number
  /** Of the tree that is verified. */
  readonly size: number
  /** Also reads every record: its bytes, its form, its id and its number. */
  readonly isStrict: boolean
}

/** What a part leaves to be judged together with the others. Plain data. */
export type PartResult = {
  /** Per full bundle the hash that belongs into level 1; undefined where nothing could be read. */
  readonly roots: readonly (Uint8Array | undefined)[]
  /** The leaf hashes, end to end, of the partial bundle at the right edge if it lies in this part. */
  readonly edge: Uint8Array | undefined
  readonly found: FoundSoFar
  /** Strict only: `idBytes` per entry, all zero for one whose record was refused or not read. */
  readonly ids: Uint8Array<ArrayBuffer>
  /** Strict only. */
  readonly epochs: readonly EpochFacts[]
  /** Strict only: the latest time that a record bears; -Infinity for none. */
  readonly newestMs: number
}

export const idBytes = 16

/** Bundles on their way while one is hashed: enough to hide a disk or a near object store. */
const readAheadBundles = 6

/**
 * Checks every entry of a part against the leaf hashes of level 0, and under `isStrict` every
 * record. What is wrong with the log is a finding and not thrown.
 */
export async function checkPart(reader: LogReader, task: PartTask): Promise<PartResult> {
  const { firstBundle, endBundle, size, isStrict } = task
  const findings = collectFindings()
  const entriesMax = Math.min(size, endBundle * tileWidth) - firstBundle * tileWidth
  const strict = strictReader(isStrict ? entriesMax : 0, findings.add)
  const roots: (Uint8Array | undefined)[] = []
  let edge: Uint8Array | undefined

  const readAt = (index: number) => {
    const width = Math.min(tileWidth, size - index * tileWidth)
    const place = { index, width }
    return Promise.all([place, reader.bundle(place), reader.tile({ level: 0, ...place })])
  }
  for await (const [place, bundle, tile] of readAhead(firstBundle, endBundle, readAt)) {
    for (const finding of [...bundle.findings, ...tile.findings]) findings.add(finding)
    const leaves = compareLeaves({ index: place.index, bundle, tile, add: findings.add })
    if (place.width === tileWidth) roots.push(leaves && hashTree(leaves))
    else edge = leaves
    if (isStrict) strict.read((place.index - firstBundle) * tileWidth, place.index, bundle.value)
  }
  return { roots, edge, found: findings.found(), ...strict.result() }
}

async function* readAhead<Value>(
  from: number,
  end: number,
  readAt: (index: number) => Promise<Value>,
): AsyncIterable<Value> {
  const underWay: Promise<Value>[] = []
  for (let next = from; next < end || underWay.length > 0; ) {
    while (next < end && underWay.length < readAheadBundles) underWay.push(readAt(next++))
    const first = underWay.shift()
    if (first !== undefined) yield await first
  }
}

/** The leaf hashes as level 0 has them, or where it is not there as the entries give them. */
function compareLeaves(read: {
  readonly index: number
  readonly bundle: Read<readonly Uint8Array[]>
  readonly tile: Read<Uint8Array>
  readonly add: (finding: Finding) => void
}): Uint8Array | undefined {
  const { index, add } = read
  const entries = read.bundle.value
  const stored = read.tile.value
  if (entries === undefined) return stored
  const leaves = stored ?? new Uint8Array(entries.length * hashBytes)
  for (const [at, entry] of entries.entries()) {
    const leaf = hashLeaf(entry)
    if (stored === undefined) leaves.set(leaf, at * hashBytes)
    else if (!holdsHash(stored, at * hashBytes, leaf)) add(entryDiffers(index, at))
  }
  return leaves
}

/** Plain comparison: a view and a call for every entry would cost a quarter of its hash. */
function holdsHash(bytes: Uint8Array, offset: number, hash: Uint8Array): boolean {
  for (let i = 0; i < hashBytes; i++) {
    if (bytes[offset + i] !== hash[i]) return false
  }
  return true
}

function entryDiffers(bundle: number, at: number): Finding {
  const index = bundle * tileWidth + at
  const path = tilePath({ level: 0, index: bundle, width: tileWidth })
  return { code: 'entry_differs', index, path, detail: `entry ${index} is not what ${path} hashes` }
}

function strictReader(entriesMax: number, add: (finding: Finding) => void) {
  const ids = new Uint8Array(entriesMax * idBytes)
  const idView = Buffer.from(ids.buffer)
  const ledger = gapLedger()
  let newestMs = Number.NEGATIVE_INFINITY

  function readEntry(entry: Uint8Array, offset: number, index: number): void {
    const reading = readRecord(entry)
    if ('problem' in reading) {
      const detail = `entry ${index} is no audit record: ${reading.problem}`
      add({ code: 'record_refused', index, detail })
      return
    }
    const { record, settlement } = reading
    ledger.note(record, settlement)
    newestMs = Math.max(newestMs, record.at.getTime())
    idView.write(record.id.replaceAll('-', ''), offset * idBytes, 'hex')
  }

  return {
    read(offset: number, bundle: number, entries: readonly Uint8Array[] | undefined): void {
      entries?.forEach((entry, at) => {
        readEntry(entry, offset + at, bundle * tileWidth + at)
      })
    },
    result: () => ({ ids, epochs: ledger.facts(), newestMs }),
  }
}
