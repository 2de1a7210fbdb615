import type { Checkpoint } from '../note/checkpoint.ts'
import {
  type Finding,
  type FindingKind,
  type FoundSoFar,
  findingExits,
  findingKinds,
  kindsByWeight,
  worstKind,
} from './findings.ts'
import type { GapJudgement } from './gaps.ts'

/** What a verification found, and what it did and did not look at. */
export type VerifyReport = {
  /** The checkpoint that was verified; undefined where it could not be read or was refused. */
  readonly checkpoint: Checkpoint | undefined
  readonly findings: readonly Finding[]
  readonly counts: Readonly<Record<FindingKind, number>>
  /** The worst kind found; undefined when everything asked for is as it should be. */
  readonly worst: FindingKind | undefined
  /** 0, or what `findingExits` has for the worst kind. */
  readonly exitCode: number
  /** The lowest index of an integrity finding. */
  readonly firstBadIndex: number | undefined
  /** Looked for only where the integrity is broken. */
  readonly lastGood: Checkpoint | undefined
  readonly inFlight: GapJudgement['inFlight']
  /** One line each. */
  readonly checked: readonly string[]
  readonly notChecked: readonly string[]
}

export function verifyReport(
  parts: Pick<VerifyReport, 'checkpoint' | 'lastGood' | 'inFlight' | 'checked' | 'notChecked'> & {
    readonly found: FoundSoFar
  },
): VerifyReport {
  const { found, ...rest } = parts
  const { kept, counts, firstBadIndex } = found
  const worst = worstKind(counts)
  const exitCode = worst === undefined ? 0 : findingExits[worst]
  return { ...rest, findings: kept, counts, firstBadIndex, worst, exitCode }
}

const sentences: Readonly<Record<FindingKind, string>> = {
  integrity: 'INTEGRITY: the log is not what was signed',
  rollback: 'ROLLBACK: the log is shorter than it was',
  unknown: 'CANNOT TELL: not everything could be looked at',
  gap: 'GAP: records never reached the log',
  stale: 'STALE: nothing new was signed in time',
}

/** Findings of one kind that a person is shown; JSON has up to a hundred. */
const shownMax = 10

/** The report for a person, several lines, newline at the end. */
export function renderReport(report: VerifyReport): string {
  const { checkpoint, worst, counts, firstBadIndex, lastGood, exitCode } = report
  const lines: string[] = []
  if (checkpoint !== undefined) {
    const { origin, size } = checkpoint
    lines.push(`log         ${origin}`, `size        ${size}`, `root        ${base64(checkpoint)}`)
  }
  lines.push(`verdict     ${worst === undefined ? 'ok' : sentences[worst]} (exit ${exitCode})`)
  if (firstBadIndex !== undefined) lines.push(`first bad   entry ${firstBadIndex}`)
  if (counts.integrity > 0) {
    const good = lastGood && `size ${lastGood.size}, root ${base64(lastGood)}`
    lines.push(`last good   ${good ?? 'no published checkpoint that the tiles bear out'}`)
  }
  for (const kind of kindsByWeight) lines.push(...renderKind(report, kind))
  for (const { replica, epoch, ranges } of report.inFlight) {
    const numbers = ranges.map(([from, to]) => (from === to ? from : `${from}-${to}`)).join(', ')
    lines.push(`in flight   ${replica}, start ${epoch}: ${numbers}`)
  }
  lines.push(...report.checked.map((line) => `checked     ${line}`))
  lines.push(...report.notChecked.map((line) => `not checked ${line}`))
  // Names in records are what a process was told; none may steer a terminal.
  return lines.map((line) => `${line.replace(/\p{C}/gu, '?')}\n`).join('')
}

function renderKind({ findings, counts }: VerifyReport, kind: FindingKind): string[] {
  const shown = findings.filter(({ code }) => findingKinds[code] === kind).slice(0, shownMax)
  const more = counts[kind] - shown.length
  const lines = shown.map(({ detail }) => `${kind.padEnd(11)} ${detail}`)
  return more > 0 ? [...lines, `${kind.padEnd(11)} and ${more} more`] : lines
}

/** The report as one plain object for `JSON.stringify`; roots in base64. */
export function reportJson(report: VerifyReport): Record<string, unknown> {
  const { checkpoint, lastGood, findings, ...rest } = report
  return {
    ...rest,
    checkpoint: checkpoint && { ...checkpoint, root: base64(checkpoint) },
    lastGood: lastGood && { ...lastGood, root: base64(lastGood) },
    findings: findings.map((finding) => ({ kind: findingKinds[finding.code], ...finding })),
  }
}

function base64({ root }: Checkpoint): string {
  return Buffer.from(root).toString('base64')
}
