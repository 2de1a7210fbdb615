import { type AuditRecord, systemRecord } from '../audit/record.ts'
import { severities } from './drift-policy.ts'
import { type DriftReport, type DriftSource, type Finding, fingerprintOf } from './finding.ts'

/** Findings that one run may have; a world that differs in more is another world. */
export const findingsMax = 1_000

/** Where a source stands before a run. */
export type DriftState = {
  readonly source: DriftSource
  readonly deployment: string
  /** The last run; undefined before the first. */
  readonly run: string | undefined
  readonly judgedUntil: Date | undefined
  readonly open: readonly OpenFinding[]
}
export type OpenFinding = Finding & { readonly fingerprint: string }

/** What a run changes. It holds only behind `before`. */
export type DriftStep = {
  readonly source: DriftSource
  readonly before: string | undefined
  readonly run: DriftRun
  /** Opened or seen again, each with the id it has if it is opened now. */
  readonly seen: readonly (OpenFinding & { readonly id: string })[]
  readonly opened: readonly OpenFinding[]
  readonly resolved: readonly OpenFinding[]
  readonly records: readonly AuditRecord[]
}

export type DriftRun = {
  readonly id: string
  readonly verdict: DriftReport['verdict']
  readonly reason: string | null
  readonly findings: number
  readonly opened: number
  readonly resolved: number
  readonly noise: number
  readonly planMadeAt: Date | null
  readonly by: string
  readonly startedAt: Date
  readonly endedAt: Date
}

/** A run that ended with an error, or that saw more than it can tell, closes nothing. */
export function decideStep(
  state: DriftState,
  report: DriftReport,
  about: { readonly by: string; readonly startedAt: Date; readonly endedAt: Date },
): DriftStep {
  const { source, deployment } = state
  const ranked = [...report.findings].sort((a, b) => rankOf(a) - rankOf(b))
  const seen = unique(
    ranked.slice(0, findingsMax).map((finding) => ({
      ...finding,
      fingerprint: fingerprintOf(deployment, source, finding),
      id: Bun.randomUUIDv7(),
    })),
  )
  const before = new Set(state.open.map(({ fingerprint }) => fingerprint))
  const after = new Set(seen.map(({ fingerprint }) => fingerprint))
  const closesNothing = report.verdict === 'error' || ranked.length > findingsMax
  const opened = seen.filter(({ fingerprint }) => !before.has(fingerprint))
  const resolved = closesNothing ? [] : state.open.filter((one) => !after.has(one.fingerprint))
  const run: DriftRun = {
    ...about,
    id: Bun.randomUUIDv7(),
    verdict: report.verdict,
    reason: report.reason ?? null,
    findings: ranked.length,
    opened: opened.length,
    resolved: resolved.length,
    noise: report.noise,
    planMadeAt: report.planMadeAt ?? null,
  }
  const records = recordsOf(source, { run, opened, resolved })
  return { source, before: state.run, run, seen, opened, resolved, records }
}

function rankOf({ severity }: Finding): number {
  return severities.indexOf(severity)
}

function unique<Of extends { readonly fingerprint: string }>(all: readonly Of[]): readonly Of[] {
  return [...new Map(all.map((one) => [one.fingerprint, one])).values()]
}

function recordsOf(
  source: DriftSource,
  step: Pick<DriftStep, 'run' | 'opened' | 'resolved'>,
): readonly AuditRecord[] {
  const { run, opened, resolved } = step
  const at = run.endedAt
  const about = (type: 'drift.opened' | 'drift.resolved') => (finding: OpenFinding) => {
    const { fingerprint, address, attribute, kind, severity, summary } = finding
    const details = { source, address, attribute, kind, severity, summary, run: run.id }
    const target = `drift/${fingerprint}`
    return systemRecord({ id: Bun.randomUUIDv7(), type, at, target, outcome: 'ok', details })
  }
  const { id, startedAt, endedAt: _endedAt, planMadeAt, ...rest } = run
  const details = {
    ...{ source, run: id, startedAt: startedAt.toISOString() },
    ...{ ...rest, planMadeAt: planMadeAt?.toISOString() ?? null },
  }
  const checked = systemRecord({
    ...{ id: Bun.randomUUIDv7(), type: 'drift.checked', at, details },
    ...{ target: `drift/${source}`, outcome: run.verdict === 'error' ? 'failed' : 'ok' },
  })
  return [...opened.map(about('drift.opened')), ...resolved.map(about('drift.resolved')), checked]
}
