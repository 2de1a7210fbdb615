import type { VerifierKey } from '#core/audit/note/verifier-key.ts'
import type { TileSource } from '#core/audit/store/tile-source.ts'
import { type VerifyAuditResult, verifyAuditKind } from '#core/audit/verify/verify-audit-kind.ts'
import { verifyLog } from '#core/audit/verify/verify-log.ts'
import { PosternError } from '#core/errors.ts'
import type { Processor } from '#core/job/processor.ts'
import type { Log } from '#core/log.ts'

/** A published log, and the keys that it must be signed with. */
export type VerifiedLog = {
  readonly source: TileSource
  readonly logKeys: readonly VerifierKey[]
}

/** Findings that one log line carries. */
const findingsLoggedMax = 10

export function verifyAudit(options: {
  /** Undefined where this process knows of none. */
  readonly published: VerifiedLog | undefined
  readonly log: Log
}): Processor<Record<string, never>, VerifyAuditResult> {
  const { published, log } = options
  return {
    kind: verifyAuditKind,
    async process(_attempt, signal) {
      if (published === undefined) {
        const detail = 'Set POSTERN_AUDIT_STORE and POSTERN_AUDIT_VERIFIER_KEYS for the workers.'
        throw new PosternError('audit.not_found', { detail })
      }
      const report = await verifyLog({ ...published, signal })
      const { findings, counts, worst, checkpoint } = report
      if (worst === 'unknown') {
        throw new PosternError('audit.store_unavailable', { reason: findings[0]?.detail ?? worst })
      }
      if (worst !== undefined) {
        const details = findings.slice(0, findingsLoggedMax).map(({ detail }) => detail)
        log.error('audit.verification_failed', { counts, findings: details })
        throw new PosternError('audit.verification_failed', {
          detail: `${findings.length} findings, the worst of ${worst}: ${details[0]}`,
        })
      }
      const result = { size: checkpoint?.size ?? 0, findings: 0 }
      return { result, details: result }
    },
  }
}
