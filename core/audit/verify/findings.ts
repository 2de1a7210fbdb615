/** How bad a finding is: each kind has its own exit code. */
export type FindingKind = 'integrity' | 'rollback' | 'unknown' | 'gap' | 'stale'

/** Everything a verification can hold against a log. */
export const findingKinds = {
  checkpoint_refused: 'integrity',
  root_differs: 'integrity',
  entry_differs: 'integrity',
  tile_differs: 'integrity',
  tile_malformed: 'integrity',
  bundle_malformed: 'integrity',
  history_differs: 'integrity',
  last_known_differs: 'integrity',
  version_replaced: 'integrity',
  version_deleted: 'integrity',
  record_refused: 'integrity',
  id_twice: 'integrity',
  number_twice: 'integrity',
  truncated: 'rollback',
  checkpoint_missing: 'unknown',
  tile_missing: 'unknown',
  bundle_missing: 'unknown',
  source_unreachable: 'unknown',
  quorum_missing: 'unknown',
  last_known_refused: 'unknown',
  ids_unchecked: 'unknown',
  age_unknown: 'unknown',
  records_missing: 'gap',
  starts_missing: 'gap',
  frozen: 'stale',
} as const satisfies Record<string, FindingKind>

export type FindingCode = keyof typeof findingKinds

export type Finding = {
  readonly code: FindingCode
  /** The entry it is about, or the first of those it may be about. */
  readonly index?: number
  /** The file it was found in, as a C2SP path. */
  readonly path?: string
  /** One line for a person. */
  readonly detail: string
}

/** Worst first: what an exit code says when there is more than one finding. */
export const kindsByWeight = ['integrity', 'rollback', 'unknown', 'gap', 'stale'] as const

export const findingExits: Readonly<Record<FindingKind, number>> = {
  integrity: 2,
  rollback: 3,
  unknown: 6,
  gap: 5,
  stale: 4,
}

/** Findings of one kind that are kept; the rest is counted. A broken log of millions breaks often. */
const findingsKeptMax = 100

/** Findings as they come in, bounded in memory. */
export type Findings = {
  add(finding: Finding): void
  /** Takes over what another collection kept and counted. */
  absorb(other: FoundSoFar): void
  found(): FoundSoFar
}

export type FoundSoFar = {
  /** At most `findingsKeptMax` of each kind, in order of discovery. */
  readonly kept: readonly Finding[]
  readonly counts: Readonly<Record<FindingKind, number>>
  /** The lowest index of an integrity finding. */
  readonly firstBadIndex: number | undefined
}

export function collectFindings(): Findings {
  const kept: Finding[] = []
  const counts: Record<FindingKind, number> = {
    integrity: 0,
    rollback: 0,
    unknown: 0,
    gap: 0,
    stale: 0,
  }
  const keptOf: Record<FindingKind, number> = { ...counts }
  let firstBadIndex: number | undefined

  function keep(finding: Finding): void {
    const kind = findingKinds[finding.code]
    if (keptOf[kind] === findingsKeptMax) return
    keptOf[kind]++
    kept.push(finding)
  }

  function sawBad(index: number | undefined): void {
    if (index === undefined) return
    firstBadIndex = firstBadIndex === undefined ? index : Math.min(firstBadIndex, index)
  }

  return {
    add(finding) {
      const kind = findingKinds[finding.code]
      counts[kind]++
      if (kind === 'integrity') sawBad(finding.index)
      keep(finding)
    },
    absorb(other) {
      for (const kind of kindsByWeight) counts[kind] += other.counts[kind]
      sawBad(other.firstBadIndex)
      other.kept.forEach(keep)
    },
    found: () => ({ kept, counts: { ...counts }, firstBadIndex }),
  }
}

/** The kind that decides; undefined where nothing was found. */
export function worstKind(counts: FoundSoFar['counts']): FindingKind | undefined {
  return kindsByWeight.find((kind) => counts[kind] > 0)
}
