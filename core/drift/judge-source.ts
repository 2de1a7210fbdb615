import type { DriftReport, DriftSource, Finding } from './finding.ts'
import { judgePlan } from './findings.ts'
import { PlanRefused } from './plan-error.ts'
import { readPlan } from './read-plan.ts'

/** A plan's bytes, and for a signed one when it was made. */
export type PlanAtHand = { readonly plan: Uint8Array; readonly madeAt?: Date }

/**
 * Judges what `fetch` gives. A plan that is refused is a verdict too: a finding that stays open until
 * one can be judged again. Throws what else `fetch` throws.
 */
export async function judgeSource(
  source: Extract<DriftSource, 'plan' | 'terraform'>,
  fetch: () => Promise<PlanAtHand>,
): Promise<DriftReport> {
  try {
    const { plan, madeAt } = await fetch()
    const { verdict, findings, noise } = judgePlan(readPlan(plan))
    const made = madeAt === undefined ? {} : { planMadeAt: madeAt }
    return { source, verdict, findings, noise: noise.length, ...made }
  } catch (error) {
    if (error instanceof PlanRefused) return unread(source, error)
    throw error
  }
}

function unread(source: DriftSource, { fault, message }: PlanRefused): DriftReport {
  const summary = `No plan can be judged (${fault}): ${message}`
  const about = { address: 'plan', attribute: 'plan', kind: 'unread' } as const
  const finding: Finding = { ...about, severity: 'high', summary }
  return { source, verdict: 'error', findings: [finding], noise: 0, reason: fault }
}
