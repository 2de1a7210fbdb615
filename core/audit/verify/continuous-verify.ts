import type { Log } from '#core/log.ts'
import type { Metrics } from '#core/metrics.ts'
import type { Checkpoint } from '../note/checkpoint.ts'
import type { VerifierKey } from '../note/verifier-key.ts'
import type { TileSource } from '../store/tile-source.ts'
import { type FoundSoFar, worstKind } from './findings.ts'
import { type Growth, verifyGrowth } from './verify-growth.ts'

/** Milliseconds between two looks at the checkpoint: about as often as one is published. */
const lookMs = 1_000
/** Findings that one log line carries. */
const findingsLoggedMax = 10

/**
 * Reads back what is published, each checkpoint once, until the signal comes: the log first as a
 * whole and then what it grows by. Sets `postern_audit_verified_size`, and
 * `postern_audit_verification_failed` while the log is not what was signed or verified before.
 * A store that cannot be read is no alarm here: the verified size falls behind. Never throws.
 */
export async function continuousVerify(
  options: {
    readonly source: TileSource
    /** Asked at each look. */
    readonly logKeys: () => readonly VerifierKey[]
    readonly log: Log
    readonly metrics: Metrics
    /** Ends early, without a throw, when the signal comes. */
    readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  },
  signal: AbortSignal,
): Promise<void> {
  const { source, logKeys, log, metrics, sleep } = options
  let verified: Checkpoint | undefined
  /** What was said last, so that a log that stays broken is not told every second. */
  let told = ''

  function tell({ counts, kept, firstBadIndex }: FoundSoFar): void {
    const findings = kept.slice(0, findingsLoggedMax).map(({ detail }) => detail)
    const words = findings.join('\n')
    if (words === told) return
    told = words
    if (counts.integrity + counts.rollback > 0) {
      log.error('audit.verification_failed', { counts, firstBadIndex, findings })
    } else if (counts.unknown > 0) log.warn('audit.verification_hindered', { findings })
    else log.info('audit.verification_passed', { size: verified?.size })
  }

  function settle(growth: Growth): void {
    const { found } = growth
    // A log that has only begun has nothing to be verified yet.
    const isEmpty = found.kept.every(({ code }) => code === 'checkpoint_missing')
    if (growth.verified === undefined && found.kept.length > 0 && isEmpty) return
    verified = growth.verified
    metrics.auditVerifiedSize.set(verified?.size ?? 0)
    const worst = worstKind(found.counts)
    if (worst === undefined) metrics.auditVerificationFailed.set(0)
    if (worst === 'integrity' || worst === 'rollback') metrics.auditVerificationFailed.set(1)
    tell(found)
  }

  while (!signal.aborted) {
    try {
      settle(await verifyGrowth({ source, logKeys: logKeys(), verified, signal }))
    } catch (error) {
      if (!signal.aborted) log.error('audit.verification_broken', { error })
    }
    await sleep(lookMs, signal)
  }
}
