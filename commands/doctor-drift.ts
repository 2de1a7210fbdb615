import type { Config } from '#core/config.ts'
import type { DriftLook } from '#core/drift/check-drift.ts'
import type { Check, Finding } from './doctor-check.ts'
import { planLook } from './open-drift.ts'

/** Whether a plan is looked for, and whether the last one can be judged. */
export function driftChecks(config: Config): readonly Check[] {
  return [{ name: 'drift plan', run: () => checkPlan(config) }]
}

const off = 'off: POSTERN_DRIFT_PLAN is not set, and only what runs is compared'

async function checkPlan(config: Config): Promise<Finding> {
  const look = await planLook(config, () => new Date())
  return look === undefined ? { status: 'ok', detail: off } : await describePlan(look)
}

async function describePlan(look: DriftLook): Promise<Finding> {
  const { signal } = new AbortController()
  const { verdict, findings, planMadeAt } = await look({ judgedUntil: undefined }, signal)
  if (verdict === 'error') {
    return {
      ...{ status: 'fail', detail: findings[0]?.summary ?? 'no plan can be judged' },
      fix: 'let the daily CI run leave one (ci/drift-plan.sh); see the runbook, Drift',
    }
  }
  const made = `made at ${planMadeAt?.toISOString()}`
  if (verdict !== 'drift') return { status: 'ok', detail: `${verdict}, ${made}` }
  const fix = 'see `postern drift list` and the runbook, Drift'
  return { status: 'warn', detail: `${findings.length} findings, ${made}`, fix }
}
