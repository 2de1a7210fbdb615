import type { Sql } from 'postgres'
import { PosternError } from '../errors.ts'
import type { CheckDriftResult } from './check-drift-kind.ts'
import { type DriftStep, decideStep } from './decide-step.ts'
import type { DriftReport, DriftSource } from './finding.ts'
import { readDriftState } from './postgres-drift.ts'

/** What looks at one source. `judgedUntil` is when the newest plan judged before was made. */
export type DriftLook = (
  about: { readonly judgedUntil: Date | undefined },
  signal: AbortSignal,
) => Promise<DriftReport>

/** Those that this process has; undefined for one that it has not. */
export type DriftLooks = Readonly<Record<DriftSource, DriftLook | undefined>>

export type CheckDriftOptions = {
  readonly sql: Sql
  readonly looks: DriftLooks
  readonly now: () => Date
}

/**
 * Looks at each source and says what that changes; stores nothing. Throws `drift.not_configured` for
 * a source that this process has not, and the outages of what it asks.
 */
export async function checkDrift(
  { sql, looks, now }: CheckDriftOptions,
  asked: {
    readonly sources: readonly DriftSource[] | undefined
    readonly by: string
    readonly signal: AbortSignal
  },
): Promise<readonly DriftStep[]> {
  const steps: DriftStep[] = []
  for (const source of asked.sources ?? usualSources(looks)) {
    const look = looks[source]
    if (look === undefined) throw notConfigured(source)
    const state = await readDriftState(sql, source)
    const startedAt = now()
    const report = await look(state, asked.signal)
    steps.push(decideStep(state, report, { by: asked.by, startedAt, endedAt: now() }))
  }
  return steps
}

/** Terraform only where it is asked for: it needs an identity that reads everything. */
function usualSources(looks: DriftLooks): readonly DriftSource[] {
  return (['plan', 'runtime'] as const).filter((source) => looks[source] !== undefined)
}

const settings = {
  plan: 'POSTERN_DRIFT_PLAN, _PLAN_KEY_FILE and _ENVIRONMENT',
  terraform: 'POSTERN_DRIFT_WORKSPACE',
  runtime: 'POSTERN_DATABASE_URL',
} as const

function notConfigured(source: DriftSource): PosternError {
  const detail = `The source ${source} is not configured here: set ${settings[source]}.`
  return new PosternError('drift.not_configured', { detail })
}

export function resultOf(steps: readonly DriftStep[]): CheckDriftResult {
  return {
    sources: steps.map(({ source, run }) => {
      const { verdict, reason, findings, opened, resolved } = run
      return { source, verdict, reason, findings, opened, resolved }
    }),
  }
}

/** Whether somebody should hear of it. */
export function isNews({ run }: DriftStep): boolean {
  return run.opened > 0 || run.resolved > 0
}
