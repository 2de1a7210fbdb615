import { z } from 'zod'
import { defineJobKind } from '../../job/kind.ts'

const verifyAuditResult = z.object({ size: z.int(), findings: z.int() })
export type VerifyAuditResult = z.infer<typeof verifyAuditResult>

/** Verifies all of the published log; what is wrong with it fails the job. */
export const verifyAuditKind = defineJobKind({
  name: 'verify-audit',
  scope: undefined,
  summary: 'Verifies the published audit log from its first entry to its last',
  payload: z.strictObject({}),
  result: verifyAuditResult,
  // A store that is away for some minutes; findings are final at once.
  attemptsMax: 5,
  backoff: { firstMs: 5_000, capMs: 300_000 },
  // A hundred million entries from a slow store.
  timeoutMs: 3_600_000,
  retentionDays: 90,
  priority: 10,
  // Two at once would read the same.
  concurrency: 1,
  schedulable: true,
})
