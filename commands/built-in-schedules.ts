import { verifyAuditKind } from '#core/audit/verify/verify-audit-kind.ts'
import { checkDriftKind } from '#core/drift/check-drift-kind.ts'
import { reconcileAccountsKind } from '#core/order/kinds.ts'
import type { BuiltInSchedule } from '#core/schedule/built-in-schedules.ts'
import { checkRotationKind } from '#core/secret/rotation/check-rotation-kind.ts'

/** Late is better than not at all, and two at once are of no use. */
const usual = { payload: {}, misfire: 'run_once', backfillMax: 1, overlap: 'skip' } as const

/** What Postern does by the clock without being asked; operators change or pause it. */
export function builtInSchedules(options: {
  /** Whether workers can read the published log, and know its keys. */
  readonly isLogPublished: boolean
}): readonly BuiltInSchedule[] {
  const schedules: readonly BuiltInSchedule[] = [
    {
      name: 'reconcile-accounts',
      kind: reconcileAccountsKind.name,
      // After the last trade of the extended hours.
      ...{ cron: '15 20 * * MON-FRI', timeZone: 'America/New_York' },
      ...usual,
    },
    {
      name: 'check-rotation',
      kind: checkRotationKind.name,
      ...{ cron: '23 4 * * *', timeZone: 'UTC' },
      ...usual,
    },
    {
      name: 'check-drift',
      kind: checkDriftKind.name,
      // Two hours behind the usual hour of a nightly CI run, whose plan it waits for.
      ...{ cron: '41 5 * * *', timeZone: 'UTC' },
      ...usual,
    },
  ]
  const audit: readonly BuiltInSchedule[] = [
    {
      name: 'verify-audit',
      kind: verifyAuditKind.name,
      ...{ cron: '17 3 * * *', timeZone: 'UTC' },
      ...usual,
    },
  ]
  return options.isLogPublished ? [...schedules, ...audit] : schedules
}
